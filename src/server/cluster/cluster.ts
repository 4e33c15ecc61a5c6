import type { Answer, Block } from '../../core/block.js';
import type { BucketIndex } from '../../core/ids.js';
import type { AssignedPlace } from '../reduce/held-bucket.js';
import type { Peers, Questions } from './peers.js';

/** What a server has of the cluster that it belongs to, be it the whole of it or one of many. */
export interface Cluster {
  readonly peers: Peers;
  /** What other servers may ask about the cluster itself. */
  readonly questions: Questions;
  /** Takes a producer's Block to whoever holds its bucket. Never rejects. */
  deliver(block: Block): Promise<Answer>;
  /** Whether what the owners here have in memory is the present: they may have been replaced otherwise. */
  readonly mayRead: boolean;
  /** Whether the other servers take this one for alive. */
  readonly isCurrent: boolean;
  /**
   * Whether a lost bucket is this server's to acquire again, by the newest assignment (R3).
   *
   * @param mayBeTaken another server may serve it by now
   */
  assignedPlace(bucket: BucketIndex, mayBeTaken: boolean): Promise<AssignedPlace>;
  /** Joins, and begins to own what is assigned here. Resolves when that is served, or some seconds later. */
  start(): Promise<void>;
  /** What events that come in here have to wait for: nobody could take them. */
  readonly waitingFor: string | undefined;
  /** Why this server cannot do its part at the moment, or undefined. */
  readonly trouble: string | undefined;
  /** Lets the others take over what is held here; resolves when they have, or at the deadline. */
  handOver(deadlineMs: number): Promise<void>;
  /** Leaves, when nothing is held any more: what still comes in goes on being delivered to the others. */
  leave(): Promise<void>;
  /** Cuts the connections to the others. */
  close(): void;
}
