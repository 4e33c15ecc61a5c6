import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, ProducerId } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { Turn } from '../../runtime/turn.js';
import type { Turnstile } from '../../runtime/turnstile.js';
import type { Store } from '../../storage/store.js';
import type { ApplyRules } from './apply.js';
import type { OwnerBooks } from './books.js';
import type { Capacity } from './capacity.js';
import type { AssignedPlace } from './held-bucket.js';
import type { StateMemory } from './state-memory.js';

/** An entry was applied: what latency is measured with. All in ms UTC, on the clock of whoever stamped it. */
export interface AppliedMoment {
  readonly producer: ProducerId;
  readonly sealedAtMs: number;
  readonly atMs: number;
  readonly nowMs: number;
  readonly events: number;
}

/** What all buckets of a process share. */
export interface BucketContext {
  readonly store: Store;
  readonly registry: HandlerRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly books: OwnerBooks;
  readonly capacity: Capacity;
  /** Of the States of all buckets. */
  readonly memory: StateMemory;
  /** Who acquires, for people. */
  readonly ownerId: string;
  readonly rules: ApplyRules;
  /** What a producer is told while a bucket is being acquired. */
  readonly retryAfterMs: number;
  /** Through which buckets go that replay their journals: those that are through serve while the others wait. */
  readonly replays: Turnstile;
  /** In which all buckets together apply what is durable, and write it down: thousands of Blocks may become so at once. */
  readonly turn: Turn;
  /** Pause before the next acquisition, after that many failures in a row. */
  backoffMs(failures: number): number;
  /** Something was applied: there is something to write down. */
  changed(bucket: BucketIndex): void;
  /** States came into memory: others may have to go. */
  loaded(): void;
  onApplied?(moment: AppliedMoment): void;
  /** Whether others take this server for alive. Default: there are no others. */
  isCurrent?(): boolean;
  /** Asked before a lost bucket is acquired again (R3). Default: here. */
  assignedPlace?(bucket: BucketIndex, mayBeTaken: boolean): Promise<AssignedPlace>;
  /** A lost bucket is not acquired again: it is somebody else's by now, or has to be asked for. */
  gaveUp?(bucket: BucketIndex): void;
}
