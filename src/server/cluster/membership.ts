import { TabaError } from '../../core/errors.js';
import type { MemberId } from '../../core/ids.js';
import { xxHash32 } from '../../core/xxhash32.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { Assignment, ClusterView, Coordination, Member } from '../../storage/coordination.js';
import { assign } from './assignment.js';

export interface MembershipOptions {
  readonly coordination: Coordination;
  readonly bucketCount: number;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** This server, as it is now. */
  describe(): Member;
  /**
   * After every heartbeat that was answered, before anything else can see that it was, and after a new assignment.
   *
   * @param lapsed the heartbeat before is longer ago than the lease: others may have taken over meanwhile
   */
  learnt(lapsed: boolean): void;
  /** This server has published a new assignment: the others hear of it with their next heartbeat, unless they are told to look. */
  published(): void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Integers of doubles: with so many, versions last beyond the year 2100. */
const versionsPerMs = 2048;

/**
 * This server's place among the others: a heartbeat every so often, what it tells about them, and, while this server leads,
 * the assignment. When the store cannot be reached, what was known last goes on being used: nothing depends on its truth.
 */
export class Membership {
  readonly #options: MembershipOptions;
  #view: ClusterView | undefined;
  #assignment: Assignment | undefined;
  /** When the last heartbeat that was answered had been sent. */
  #beatAtMs = Number.NEGATIVE_INFINITY;
  #beating: Promise<void> | undefined;
  /** A heartbeat that began before somebody asked for one may know nothing of what they want to know. */
  #again: Promise<void> | undefined;
  #callOff: (() => void) | undefined;
  #lastError: string | undefined;
  #stopped = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** The first heartbeat. @throws TabaError `store_failed` where it is not answered */
  async start(): Promise<void> {
    await this.#beat();
    if (this.#view === undefined) throw new TabaError('store_failed', `no heartbeat: ${this.#lastError}`);
    this.#schedule();
  }

  /** Everybody alive, this server included. */
  get members(): readonly Member[] {
    return this.#view?.members ?? [this.#options.describe()];
  }

  member(id: MemberId): Member | undefined {
    return this.#view?.members.find((member) => member.id === id);
  }

  get leader(): MemberId | undefined {
    return this.#view?.leader;
  }

  /** The newest one known. */
  get assignment(): Assignment | undefined {
    return this.#assignment;
  }

  /** Whether the others take this server for alive: otherwise they may have replaced it. */
  get isCurrent(): boolean {
    return this.#options.clock.monotonicMs() - this.#beatAtMs < this.#options.leaseMs;
  }

  /** Why the last heartbeat was not answered. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** A heartbeat that begins after this call. Never rejects: when the store cannot be reached, the newest known stays. */
  refresh(): Promise<void> {
    if (this.#beating === undefined) return this.#beat();
    this.#again ??= this.#beating.then(() => {
      this.#again = undefined;
      return this.#beat();
    });
    return this.#again;
  }

  /** No more heartbeats; the others hear of it at once. */
  async leave(): Promise<void> {
    this.stop();
    await this.#beating;
    try {
      await this.#options.coordination.leave(this.#options.describe().id);
    } catch (error) {
      // The lease takes it off.
      this.#options.log.warn('leave_failed', { reason: String(error) });
    }
  }

  /** No more heartbeats, without a word to anybody. */
  stop(): void {
    this.#stopped = true;
    this.#callOff?.();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#callOff = this.#options.clock.after(this.#options.heartbeatMs, () => {
      void this.refresh().then(() => this.#schedule());
    });
  }

  #beat(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  async #beatOnce(): Promise<void> {
    const { clock, coordination, describe, log, learnt } = this.#options;
    const sentAtMs = clock.monotonicMs();
    let view: ClusterView;
    try {
      view = await coordination.beat(describe(), this.#assignment?.version ?? 0);
    } catch (error) {
      const reason = reasonOf(error);
      if (this.#lastError !== reason) log.warn('heartbeat_failed', { reason });
      this.#lastError = reason;
      return;
    }
    if (this.#lastError !== undefined) log.info('heartbeat_answered', { after: this.#lastError });
    this.#lastError = undefined;
    const lapsed = this.#view !== undefined && !this.isCurrent;
    this.#beatAtMs = sentAtMs;
    this.#take(view);
    if (this.#stopped) return;
    // Without a pause: a server that may have been replaced must know it before it answers anything.
    learnt(lapsed);
    if (view.leader !== describe().id) return;
    // What was there before was learnt first: it says who has to be asked for a bucket.
    if ((await this.#lead(view)) && !this.#stopped) learnt(false);
  }

  #take(view: ClusterView): void {
    this.#view = view;
    // Where the store has lost it, the one that is known here goes on: whoever leads makes the next one from it.
    if (view.assignment !== undefined) this.#assignment = view.assignment;
  }

  /** Assigns anew when the present assignment is not what the members call for. @returns whether it is another now */
  async #lead({ members, version, nowMs }: ClusterView): Promise<boolean> {
    const { coordination, bucketCount, log, describe } = this.#options;
    const known = this.#assignment?.owners ?? [];
    const present = Array.from({ length: bucketCount }, (_, bucket) => known[bucket]);
    const alive = new Set(members.map(({ id }) => id));
    const staying = members.filter(({ leaving, weight }) => !leaving && weight > 0);
    // With nobody else there, those who are leaving keep what they have.
    const owners = assign(
      present.map((owner) => (owner !== undefined && alive.has(owner) ? owner : undefined)),
      staying,
    );
    const moved = owners.filter((owner, bucket) => owner !== present[bucket]).length;
    const isLost = version === 0 && this.#assignment !== undefined;
    if (moved === 0 && !isLost) return false;
    const assignment = { version: this.#versionAfter(version, nowMs), owners };
    try {
      if (!(await coordination.assign(describe().id, version, assignment))) return false;
    } catch (error) {
      // Whatever became of it, the next heartbeat says.
      log.warn('assignment_failed', { reason: reasonOf(error) });
      return false;
    }
    log.info('buckets_assigned', { version: assignment.version, moved, servers: staying.length });
    this.#assignment = assignment;
    this.#options.published();
    return true;
  }

  /**
   * A version that is never used twice, though a fail-over may lose the one before, and two servers may lead, one of them on a
   * master that was replaced: the store's clock, and something of the leader's own.
   */
  #versionAfter(before: number, nowMs: number): number {
    const known = Math.max(before, this.#assignment?.version ?? 0);
    const own = xxHash32(Buffer.from(this.#options.describe().id)) % versionsPerMs;
    const version = (ms: number): number => ms * versionsPerMs + own;
    const ofNow = version(Math.floor(nowMs));
    return ofNow > known ? ofNow : version(Math.floor(known / versionsPerMs) + 1);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
