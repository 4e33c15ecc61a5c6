import { TabaError } from '../../core/errors.js';
import type { BucketIndex, MemberId } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import { pack, unpack } from '../../wire/msgpack.js';
import type { Owners } from '../reduce/owners.js';
import type { Holders } from './holders.js';
import type { Membership } from './membership.js';
import type { Peers } from './peers.js';

export interface OwnershipOptions {
  readonly owners: Pick<Owners, 'acquire' | 'release' | 'stateOf' | 'confirm' | 'bucketCount'>;
  readonly membership: Pick<Membership, 'member' | 'members' | 'isCurrent' | 'refresh'>;
  readonly holders: Holders;
  readonly peers: Pick<Peers, 'self' | 'ask'>;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The question by which a new owner asks the one before it for buckets; the answer comes when they have been let go. */
export const releaseQuestion = 'release';

/** Buckets in one question: they are closed together until the last of them is, so few are closed for a shorter time. */
const bucketsPerQuestion = 4;
/** Questions under way to one predecessor. */
const questionsAtOnce = 4;
/** How often one may be sent on to somebody who is said to hold a bucket: servers learn of an assignment at different times. */
const maxHops = 3;
const retryMs = 100;

/**
 * Makes this server hold what the assignment gives to it, and let go of the rest.
 *
 * A bucket is pulled: its predecessor serves it until the new owner asks, lets go of it written down, and answers; then the
 * new owner acquires it. So a bucket is closed for the time of one checkpoint and one acquisition. Where the predecessor is
 * dead or unknown, everybody is asked. Whoever is alive and does not answer is waited for, until it has let go by itself: it
 * does that with buckets of an owner that has not asked for anything for a lease. None of this is needed for safety, which
 * is the head's (R1).
 */
export class Ownership {
  readonly #options: OwnershipOptions;
  /** Assigned here and not held yet, and by which attempt it is taken: one that was assigned elsewhere in between is void. */
  readonly #taking = new Map<BucketIndex, symbol>();
  /** Held here, assigned elsewhere; since when, monotonic ms. */
  readonly #strayingSinceMs = new Map<BucketIndex, number>();
  /** When a server last asked for buckets, monotonic ms. */
  readonly #askedAtMs = new Map<MemberId, number>();
  #confirming = 0;
  /** Questions of others that are being answered. */
  #answering = 0;
  #onEmpty: (() => void) | undefined;
  #stopped = false;

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** After a lapse nothing may be read from memory before the store said that nobody has taken it. */
  get isConfirming(): boolean {
    return this.#confirming > 0;
  }

  isAssigned(bucket: BucketIndex): boolean {
    return this.#options.holders.ownerOf(bucket) === this.#options.peers.self;
  }

  /** The assignment, or who is alive, may have changed. @param lapsed this server may have been replaced meanwhile */
  learn(lapsed: boolean): void {
    if (this.#stopped) return;
    const { owners, holders, peers, clock, leaseMs } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const [asker, atMs] of this.#askedAtMs) if (nowMs - atMs > leaseMs) this.#askedAtMs.delete(asker);
    const wanted: BucketIndex[] = [];
    const strays: BucketIndex[] = [];
    const newStrays: BucketIndex[] = [];
    for (let index = 0; index < owners.bucketCount; index++) {
      const bucket = index as BucketIndex;
      const isHeld = owners.stateOf(bucket) !== 'idle';
      if (this.isAssigned(bucket)) {
        this.#strayingSinceMs.delete(bucket);
        if (!isHeld && !this.#taking.has(bucket)) wanted.push(bucket);
        continue;
      }
      // Should it come back, whoever had it in between has to be asked.
      this.#taking.delete(bucket);
      if (isHeld) {
        const sinceMs = this.#strayingSinceMs.get(bucket) ?? nowMs;
        if (!this.#strayingSinceMs.has(bucket)) newStrays.push(bucket);
        this.#strayingSinceMs.set(bucket, sinceMs);
        // Whoever asks for others of its buckets will ask for this one.
        const askedAtMs = this.#askedAtMs.get(holders.ownerOf(bucket) ?? peers.self) ?? sinceMs;
        if (lapsed || nowMs - Math.max(sinceMs, askedAtMs) >= leaseMs) strays.push(bucket);
      } else {
        this.#strayingSinceMs.delete(bucket);
      }
    }
    if (strays.length > 0) void this.#letGo(strays);
    if (lapsed) void this.#confirm();
    // Whoever took this server for dead has not asked it.
    else if (newStrays.length > 0) void owners.confirm(newStrays);
    this.#take(wanted);
    this.#checkEmpty();
  }

  /**
   * For how long it is tried to reach one that may serve a bucket: by then it is known to be dead, or has learnt the
   * assignment and let go of what nobody asked it for.
   */
  get #patienceMs(): number {
    return 2 * this.#options.leaseMs;
  }

  async #confirm(): Promise<void> {
    this.#confirming++;
    try {
      await this.#options.owners.confirm();
    } finally {
      this.#confirming--;
    }
  }

  #take(buckets: readonly BucketIndex[]): void {
    if (buckets.length === 0) return;
    const { holders, membership, peers, log } = this.#options;
    const take = Symbol('take');
    const free: BucketIndex[] = [];
    const byPredecessor = new Map<MemberId, BucketIndex[]>();
    for (const bucket of buckets) {
      this.#taking.set(bucket, take);
      const before = holders.predecessorOf(bucket);
      if (before === undefined || before === peers.self || membership.member(before) === undefined) {
        free.push(bucket);
        continue;
      }
      const its = byPredecessor.get(before);
      if (its === undefined) byPredecessor.set(before, [bucket]);
      else its.push(bucket);
    }
    log.info('buckets_wanted', { free: free.length, toBeHandedOver: buckets.length - free.length });
    if (free.length > 0) void this.#takeUnclaimed(free, take);
    for (const [before, its] of byPredecessor) void this.#takeFrom(before, its, take);
  }

  /**
   * Nobody alive is known to serve them. Somebody may, who had them in between or joined later than the one before, and would
   * go on answering queries with what it knows: every owner is asked, in one question, as none is expected to have many.
   * Whoever died with the one before is not waited for longer than its lease. And the one before may be back: who is alive is
   * looked up once more.
   */
  async #takeUnclaimed(buckets: readonly BucketIndex[], take: symbol): Promise<void> {
    const { membership, peers } = this.#options;
    await membership.refresh();
    const others = membership.members.filter(({ id, roles }) => id !== peers.self && roles.includes('be'));
    await Promise.all(others.map(({ id }) => this.#askFor(id, buckets, this.#patienceMs)));
    await this.#acquire(buckets, take);
  }

  async #takeFrom(before: MemberId, buckets: readonly BucketIndex[], take: symbol): Promise<void> {
    const { clock, log } = this.#options;
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < buckets.length) {
        const batch = buckets.slice(next, next + bucketsPerQuestion);
        next += bucketsPerQuestion;
        const startMs = clock.monotonicMs();
        const wereServed = await this.#askFor(before, batch, this.#patienceMs);
        const freeMs = clock.monotonicMs();
        const acquired = this.#acquire(batch, take);
        // What a later owner served until it died is closed already: more of it is asked for at once.
        if (!wereServed) continue;
        await acquired;
        const [askedMs, tookMs] = [freeMs - startMs, clock.monotonicMs() - freeMs].map(Math.round);
        log.debug('buckets_handed_over', { buckets: batch.length, askedMs, acquiredMs: tookMs });
      }
    };
    await Promise.all(Array.from({ length: questionsAtOnce }, work));
  }

  /**
   * Resolves when nobody serves the buckets any more, as far as those who should know can tell.
   *
   * @returns whether somebody did
   */
  async #askFor(
    before: MemberId,
    buckets: readonly BucketIndex[],
    patienceMs: number,
    hops = 1,
  ): Promise<boolean> {
    const elsewhere = await this.#ask(before, buckets, patienceMs);
    if (elsewhere === undefined) return false;
    const others = [...elsewhere];
    const wereServed = others.reduce((count, [, its]) => count + its.length, 0) < buckets.length;
    if (hops === maxHops) return wereServed;
    const further = others
      .filter(([holder]) => holder !== this.#options.peers.self)
      .map(([holder, its]) => this.#askFor(holder, its, patienceMs, hops + 1));
    return (await Promise.all(further)).includes(true) || wereServed;
  }

  /**
   * Resolves when that server has let go, or is dead.
   *
   * @param patienceMs for how long it is tried to reach it
   * @returns buckets that it did not serve, by who does as far as it knows; undefined where it did not answer
   */
  async #ask(
    member: MemberId,
    buckets: readonly BucketIndex[],
    patienceMs: number,
  ): Promise<ReadonlyMap<MemberId, readonly BucketIndex[]> | undefined> {
    const { membership, peers, leaseMs, clock, log } = this.#options;
    const untilMs = clock.monotonicMs() + patienceMs;
    const body = pack([peers.self, buckets.map(Number)]);
    while (!this.#stopped && membership.member(member) !== undefined && clock.monotonicMs() < untilMs) {
      if (!buckets.some((bucket) => this.isAssigned(bucket))) break;
      try {
        return this.#readHolders(await peers.ask(member, releaseQuestion, body, leaseMs));
      } catch (error) {
        log.debug('release_unanswered', { server: member, reason: String(error) });
        await new Promise<void>((resolve) => void clock.after(retryMs, resolve));
      }
    }
    return undefined;
  }

  #readHolders(answer: Uint8Array): Map<MemberId, BucketIndex[]> {
    const holders = new Map<MemberId, BucketIndex[]>();
    for (const [bucket, holder] of unpack(answer) as [BucketIndex, MemberId][]) {
      const its = holders.get(holder);
      if (its === undefined) holders.set(holder, [bucket]);
      else its.push(bucket);
    }
    return holders;
  }

  async #acquire(buckets: readonly BucketIndex[], take: symbol): Promise<void> {
    const { owners, membership, holders, peers } = this.#options;
    // Taken for dead while it waited, it may have been replaced: the next heartbeat tells.
    const mayTake = !this.#stopped && membership.isCurrent;
    const still = buckets.filter((bucket) => this.#taking.get(bucket) === take);
    const ours = mayTake ? still.filter((bucket) => this.isAssigned(bucket)) : [];
    for (const bucket of ours) holders.heldBy(bucket, peers.self);
    const begun = owners.acquire(ours);
    for (const bucket of still) this.#taking.delete(bucket);
    await begun;
  }

  /**
   * Another server asks for buckets: they are let go.
   *
   * @returns for those that were not held here, who does as far as is known
   * @throws TabaError `unavailable` where the newest assignment does not take them from here
   */
  async release(body: Uint8Array): Promise<Uint8Array> {
    const { clock } = this.#options;
    const { asker, buckets } = this.#read(body);
    this.#askedAtMs.set(asker, clock.monotonicMs());
    this.#answering++;
    try {
      return await this.#release(buckets);
    } finally {
      // The answer has to be on its way: without it the new owner waits until this server is known to be gone.
      clock.soon(() => {
        this.#answering--;
        this.#checkEmpty();
      });
    }
  }

  async #release(buckets: readonly BucketIndex[]): Promise<Uint8Array> {
    if (buckets.some((bucket) => this.isAssigned(bucket))) await this.#options.membership.refresh();
    const kept = buckets.filter((bucket) => this.isAssigned(bucket));
    if (kept.length > 0) {
      throw new TabaError('unavailable', `buckets ${kept.join(', ')} are assigned to this server`);
    }
    const { owners, holders, peers } = this.#options;
    const elsewhere = buckets.flatMap((bucket) => {
      const holder = owners.stateOf(bucket) === 'idle' ? holders.holderOf(bucket) : undefined;
      return holder === undefined || holder === peers.self ? [] : [[Number(bucket), holder]];
    });
    await this.#letGo(buckets);
    return pack(elsewhere);
  }

  #read(body: Uint8Array): { readonly asker: MemberId; readonly buckets: BucketIndex[] } {
    const fields = unpack(body);
    const { bucketCount } = this.#options.owners;
    if (!Array.isArray(fields) || typeof fields[0] !== 'string' || !Array.isArray(fields[1])) {
      throw new TabaError('bad_framing', 'release: not who asks and for which buckets');
    }
    const buckets = fields[1].map((value) => {
      if (Number.isInteger(value) && value >= 0 && value < bucketCount) return value as BucketIndex;
      throw new TabaError('bad_framing', `release: ${JSON.stringify(value)} is no bucket`);
    });
    return { asker: fields[0] as MemberId, buckets };
  }

  async #letGo(buckets: readonly BucketIndex[]): Promise<void> {
    const { owners, holders, peers } = this.#options;
    await owners.release(buckets);
    for (const bucket of buckets) {
      holders.notHeldBy(bucket, peers.self);
      this.#strayingSinceMs.delete(bucket);
    }
    this.#checkEmpty();
  }

  /**
   * Resolves when others have asked for everything, when nobody is there who could, or at the deadline. From then on nothing
   * is taken any more.
   */
  async handOver(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    await new Promise<void>((resolve) => {
      const callOff = clock.after(deadlineMs, resolve);
      this.#onEmpty = () => {
        callOff();
        resolve();
      };
      this.#checkEmpty();
    });
    this.stop();
  }

  #checkEmpty(): void {
    if (this.#onEmpty === undefined || this.#answering > 0) return;
    const { owners, membership, peers } = this.#options;
    const heirs = membership.members.some(
      ({ id, leaving, weight }) => id !== peers.self && !leaving && weight > 0,
    );
    const indexes = Array.from({ length: owners.bucketCount }, (_, index) => index as BucketIndex);
    if (!heirs || indexes.every((bucket) => owners.stateOf(bucket) === 'idle')) this.#onEmpty();
  }

  /** Takes nothing any more; others may still ask for what is held. */
  stop(): void {
    this.#stopped = true;
    this.#onEmpty = undefined;
  }
}
