import type { Answer, Block } from '../../core/block.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import { Turn } from '../../runtime/turn.js';
import { Turnstile } from '../../runtime/turnstile.js';
import type { Store } from '../../storage/store.js';
import { Administration } from './administration.js';
import { OwnerBooks } from './books.js';
import { BucketOwner } from './bucket-owner.js';
import { Capacity, type MemoryBudget } from './capacity.js';
import type { AppliedMoment, BucketContext } from './context.js';
import { eachBucket } from './each-bucket.js';
import { Eviction } from './eviction.js';
import type { AssignedPlace, OwnerState } from './held-bucket.js';
import { Holdings } from './holdings.js';
import { Reading } from './reading.js';
import { StateMemory } from './state-memory.js';

export interface OwnersOptions {
  readonly store: Store;
  readonly registry: HandlerRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Pick<Limits, 'maxTabs' | 'maxClients' | 'allowedSkewSec'>;
  /** Who acquires, for people. */
  readonly ownerId: string;
  readonly checkpointIntervalMs: number;
  readonly pruneClientSec: number;
  readonly pruneTabSec: number;
  /** Producers silent for longer are forgotten (R11). Default 7 days. */
  readonly forgetProducerMs?: number;
  /** What States may take; more go when they are written down. Default: no bound. */
  readonly memory?: MemoryBudget;
  /** Tells what the process really holds, from time to time. @returns what ends that */
  watchMemory?(measured: (liveBytes: number) => void): () => void;
  /** Buckets whose journals are replayed at once after an acquisition, the others one after the other. Default: 8. */
  readonly replaysAtOnce?: number;
  /** See `BucketContext`. Default: one of its own. */
  readonly turn?: Turn;
  /** Pause before the next acquisition, after that many failures in a row. Default: 50 ms doubling up to 2 s, with jitter. */
  backoffMs?(failures: number): number;
  /** Whether what is in memory can be trusted to be the present, see `Reading`. Default: yes. */
  mayRead?(): boolean;
  /** See `BucketContext`. */
  isCurrent?(): boolean;
  /** See `BucketContext`. */
  assignedPlace?(bucket: BucketIndex, mayBeTaken: boolean): Promise<AssignedPlace>;
  /** An entry was applied; for measuring latency. */
  onApplied?(moment: AppliedMoment): void;
  /** Makes what holds a bucket: the simulation puts owners that break a rule in its place. Default: a BucketOwner. */
  hold?(bucket: BucketIndex, context: BucketContext): BucketOwner;
}

export interface OwnersStats {
  readonly buckets: Readonly<Record<OwnerState, number>>;
  readonly tabs: number;
  readonly clients: number;
  readonly statesInMemory: number;
  /** How many may be; Infinity for no bound. */
  readonly maxStatesInMemory: number;
  readonly pendingBlocks: number;
  /** How long the oldest Block has been waiting to be durable and applied; 0 for none. */
  readonly oldestPendingMs: number;
  readonly dirtyBuckets: number;
  /** Entries of all journals that no checkpoint has made superfluous yet. */
  readonly journalEntries: number;
  /** Rows of producers, over all buckets: what tells repeats. */
  readonly producers: number;
  readonly checkpoint: CheckpointFigures;
}

/** The last round of writing down what changed. */
export interface CheckpointFigures {
  readonly rounds: number;
  readonly tookMs: number;
  /** ms UTC; 0 before the first. */
  readonly endedAtMs: number;
}

const defaultReplaysAtOnce = 8;
/** States that could not be written down, and so not be dropped, are looked at again after that. */
const evictionPauseMs = 100;
/** Buckets that are handed over at once: enough for a group commit, few enough that those before them are free soon. */
const releasedAtOnce = 16;

/**
 * The life of all buckets that this process owns: acquiring and handing over, taking Blocks, and what goes on in the
 * background. An idle bucket costs a few small objects.
 */
export class Owners {
  readonly books = new OwnerBooks();
  readonly reading: Reading;
  readonly administration: Administration;
  readonly #options: OwnersOptions;
  readonly #context: BucketContext;
  readonly #capacity: Capacity;
  readonly #memory = new StateMemory();
  readonly #holdings: Holdings;
  readonly #eviction: Eviction;
  readonly #dirty = new Set<BucketOwner>();
  /** Hand-overs under way: whoever acquires such a bucket again waits for the end. */
  readonly #releasing = new Map<BucketIndex, Promise<void>>();
  #callOff: (() => void) | undefined;
  #endWatch: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #evictsLater = false;
  #lastCheckpoint: CheckpointFigures = { rounds: 0, tookMs: 0, endedAtMs: 0 };
  #closed = false;

  constructor(options: OwnersOptions) {
    const { store, registry, clock, log, ownerId, limits, onApplied } = options;
    const { memory, backoffMs = defaultBackoffMs } = options;
    this.#options = options;
    this.#holdings = new Holdings(store.opened.bucketCount);
    this.#capacity = new Capacity(limits, memory);
    this.#eviction = new Eviction(this.#holdings, this.#capacity, () => void this.#checkpointRound());
    this.#context = {
      ...{ store, registry, clock, log, ownerId, backoffMs, books: this.books },
      ...{ capacity: this.#capacity, memory: this.#memory },
      rules: { allowedSkewSec: limits.allowedSkewSec, sinceSec: store.opened.createdAtMs / 1000 },
      retryAfterMs: 100,
      replays: new Turnstile(options.replaysAtOnce ?? defaultReplaysAtOnce),
      turn: options.turn ?? new Turn(options.clock),
      changed: (bucket) => this.#changed(bucket),
      loaded: () => this.#eviction.makeRoom(),
      gaveUp: (bucket) => this.#gaveUp(bucket),
      ...(onApplied === undefined ? {} : { onApplied }),
      ...(options.isCurrent === undefined ? {} : { isCurrent: options.isCurrent }),
      ...(options.assignedPlace === undefined ? {} : { assignedPlace: options.assignedPlace }),
    };
    this.reading = new Reading(this.#holdings, this.#capacity, options.mayRead);
    this.administration = new Administration(this.#holdings, options);
  }

  /** Acquires buckets, all of the store's unless named, and begins the background. Resolves when they serve. */
  async start(buckets?: Iterable<BucketIndex>): Promise<void> {
    if (this.#callOff === undefined) this.#schedule();
    this.#endWatch ??= this.#options.watchMemory?.((liveBytes) => {
      this.#capacity.measured(liveBytes - this.#memory.freeBytes);
      this.#memory.giveBack();
      this.#eviction.retry();
    });
    await this.acquire(
      buckets ?? Array.from({ length: this.bucketCount }, (_, index) => index as BucketIndex),
    );
  }

  get bucketCount(): number {
    return this.#holdings.bucketCount;
  }

  /** Begins to own more buckets; resolves when they serve. Nothing happens once `close` was called. */
  async acquire(buckets: Iterable<BucketIndex>): Promise<void> {
    if (this.#closed) return;
    await Promise.all(
      [...buckets].map(async (bucket) => {
        await this.#releasing.get(bucket);
        const owner = this.#holdings.get(bucket) ?? this.#hold(bucket);
        this.#holdings.add(owner);
        await owner.start();
      }),
    );
  }

  #hold(bucket: BucketIndex): BucketOwner {
    return this.#options.hold?.(bucket, this.#context) ?? new BucketOwner(bucket, this.#context);
  }

  /**
   * Hands buckets over, some at a time: they are written down while they still serve, then what is under way is finished
   * and written down as well, so that they are closed for a moment only. Never rejects.
   */
  async release(buckets: Iterable<BucketIndex>): Promise<void> {
    const waiting = [...buckets];
    while (waiting.length > 0) {
      const some = waiting.splice(0, releasedAtOnce);
      // All of them first: whoever is done early would be closed until the last is.
      await Promise.all(some.map((bucket) => this.#writeDown(bucket)));
      await Promise.all(some.map((bucket) => this.#release(bucket)));
    }
  }

  async #writeDown(bucket: BucketIndex): Promise<void> {
    try {
      await this.#holdings.serving(bucket)?.checkpoint();
    } catch {
      // Lost meanwhile: the journal has what was acknowledged.
    }
  }

  #release(bucket: BucketIndex): Promise<void> {
    const underWay = this.#releasing.get(bucket);
    const owner = this.#holdings.get(bucket);
    if (underWay !== undefined || owner === undefined) return underWay ?? Promise.resolve();
    const released = owner.release().finally(() => {
      this.#forget(owner);
      this.#releasing.delete(bucket);
    });
    this.#releasing.set(bucket, released);
    return released;
  }

  #forget(owner: BucketOwner): void {
    this.#dirty.delete(owner);
    this.#holdings.remove(owner);
  }

  #gaveUp(bucket: BucketIndex): void {
    const owner = this.#holdings.get(bucket);
    if (owner !== undefined) this.#forget(owner);
  }

  /** Asks the store about every bucket that is held, of these or of all; what turns out to be somebody else's is lost. */
  confirm(buckets: Iterable<BucketIndex> = this.#holdings.buckets()): Promise<void> {
    return eachBucket(
      [...buckets].flatMap((bucket) => this.#holdings.get(bucket) ?? []),
      {
        clock: this.#options.clock,
        action: (owner) => owner.confirm(),
        // It says so itself, and looks at the assignment.
        failed: () => {},
      },
    );
  }

  /** Never rejects. */
  take(block: Block): Promise<Answer> {
    return this.#holdings.get(block.bucket)?.take(block) ?? Promise.resolve({ kind: 'not_owner' });
  }

  owns(bucket: BucketIndex): boolean {
    return this.#holdings.serving(bucket) !== undefined;
  }

  stateOf(bucket: BucketIndex): OwnerState {
    return this.#holdings.get(bucket)?.state ?? 'idle';
  }

  /** Writes down what changed, in all buckets. Those that are lost meanwhile are left to the next round. */
  checkpoint(): Promise<void> {
    const { clock, log } = this.#options;
    return eachBucket(this.#dirty, {
      clock,
      action: async (owner) => {
        this.#dirty.delete(owner);
        await owner.checkpoint();
        if (owner.isDirty) this.#dirty.add(owner);
        this.#eviction.written(owner);
      },
      failed: ({ bucket }, error) => log.debug('checkpoint_failed', { bucket, reason: String(error) }),
    });
  }

  stats(): OwnersStats {
    const buckets = { idle: 0, acquiring: 0, serving: 0, leaving: 0 };
    let [pendingBlocks, journalEntries, producers] = [0, 0, 0];
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const owner of this.#holdings.all()) {
      buckets[owner.state]++;
      journalEntries += owner.journalEntries;
      producers += owner.producers.size;
      pendingBlocks += owner.pendingBlocks;
      oldestMs = Math.min(oldestMs, owner.oldestPendingMs ?? Number.POSITIVE_INFINITY);
    }
    const { tabs, clients, states, maxStates } = this.#capacity;
    const oldestPendingMs = Math.max(0, this.#options.clock.nowMs() - oldestMs);
    const dirtyBuckets = this.#dirty.size;
    const inMemory = { statesInMemory: states, maxStatesInMemory: maxStates };
    return {
      ...{ buckets, tabs, clients, ...inMemory, pendingBlocks, oldestPendingMs, dirtyBuckets },
      ...{ journalEntries, producers, checkpoint: this.#lastCheckpoint },
    };
  }

  /** Hands everything over. Blocks of a bucket are answered `not_owner` from its turn on. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff?.();
    this.#endWatch?.();
    await this.release(this.#holdings.buckets());
    await this.#round;
  }

  #changed(bucket: BucketIndex): void {
    const owner = this.#holdings.get(bucket);
    if (owner !== undefined) this.#dirty.add(owner);
    this.#eviction.makeRoom();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#callOff = this.#options.clock.after(this.#options.checkpointIntervalMs, () => {
      void this.#checkpointRound().then(() => this.#schedule());
    });
  }

  #checkpointRound(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#round ??= this.checkpoint().finally(() => {
      this.#round = undefined;
      const { rounds } = this.#lastCheckpoint;
      const tookMs = clock.monotonicMs() - startedMs;
      this.#lastCheckpoint = { rounds: rounds + 1, tookMs, endedAtMs: clock.nowMs() };
      if (!this.#eviction.allWritten() && !this.#closed) this.#evictLater();
    });
    return this.#round;
  }

  /** Once, however many rounds end meanwhile: each look ends with a round that brings on the next. */
  #evictLater(): void {
    if (this.#evictsLater) return;
    this.#evictsLater = true;
    this.#options.clock.after(evictionPauseMs, () => {
      this.#evictsLater = false;
      this.#eviction.retry();
    });
  }
}

function defaultBackoffMs(failures: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random());
}
