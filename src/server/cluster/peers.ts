import type { Answer, Block } from '../../core/block.js';
import type { BucketIndex, MemberId } from '../../core/ids.js';
import type { Member } from '../../storage/coordination.js';

/**
 * The other servers of the cluster as the rest of a server sees them. On a store for one process there are none, and
 * this server holds every bucket.
 */
export interface Peers {
  readonly self: MemberId;
  /** Everybody alive, as of the last heartbeat, this server included. */
  members(): readonly Member[];
  /**
   * Who serves the bucket, as far as is known here: whoever did so last, until it says otherwise. That is the newest
   * assignment's owner, or its predecessor while the bucket is being handed over. Undefined where nobody is assigned.
   */
  holderOf(bucket: BucketIndex): MemberId | undefined;
  /** `member` says that it does not serve the bucket: the next `holderOf` names somebody else where there is one. */
  notHeldBy(bucket: BucketIndex, member: MemberId): void;
  /** Hands a Block to another server. Never rejects: `busy` where the connection is lost, as the outcome is unknown. */
  push(member: MemberId, block: Block): Promise<Answer>;
  /**
   * Asks another server.
   *
   * @param name which question, see `Questions`
   * @throws TabaError with the code of the other side's fault; `unavailable` where it cannot be reached in time
   */
  ask(member: MemberId, name: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
}

/** What other servers may ask this one, by name. Bodies are msgpack. A rejection with a TabaError is told to the asker. */
export type Questions = Readonly<Record<string, (body: Uint8Array) => Promise<Uint8Array>>>;
