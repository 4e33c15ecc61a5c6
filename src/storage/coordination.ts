import type { BucketIndex, MemberId } from '../core/ids.js';

/**
 * How the servers on one store find each other and share out its buckets: heartbeats, a leader lock, the assignment.
 *
 * Nothing here is needed for exactly once: ownership is fenced at each bucket (rule R1 in docs/architecture.md), so that
 * an assignment that is old, lost in a fail-over or read twice costs time and never counts. All times are the store's.
 */
export interface Coordination {
  /**
   * Says that this server lives, and learns about the others, in one atomic step: members that were silent for longer
   * than the lease go, and whoever beats first while there is no leader becomes it.
   *
   * @param knownVersion version of the assignment that the caller has; 0 for none
   */
  beat(member: Member, knownVersion: number): Promise<ClusterView>;

  /**
   * Replaces the assignment.
   *
   * @param before version that it was made from @returns false, and nothing is changed, unless `by` leads and that is still the version
   */
  assign(by: MemberId, before: number, assignment: Assignment): Promise<boolean>;

  /** Takes a member off at once, its leadership included. */
  leave(member: MemberId): Promise<void>;
}

/** A server process, as it describes itself with every heartbeat. */
export interface Member {
  readonly id: MemberId;
  /** host:port under which the others reach it. */
  readonly address: string;
  readonly roles: readonly string[];
  /** Its share of the buckets relative to other owners; 0: it takes none. */
  readonly weight: number;
  /** It is shutting down: it serves what it has until others ask for it, and gets nothing new. */
  readonly leaving: boolean;
  readonly version: string;
  /** What `/status` and `/latency` of the others show of it: msgpack, opaque here. */
  readonly report: Uint8Array;
}

export interface ClusterView {
  /** The store's clock, ms UTC. */
  readonly nowMs: number;
  readonly leader: MemberId | undefined;
  /** Everybody alive, the caller included, in the order of ids. */
  readonly members: readonly Member[];
  /** Version of the present assignment; 0 where there is none yet. */
  readonly version: number;
  /** Only where it is another than what the caller has: after a fail-over it may be an older one. */
  readonly assignment: Assignment | undefined;
}

/** Who should own each bucket. */
export interface Assignment {
  /** Greater than the one before; never used twice, not even after a fail-over that lost some. */
  readonly version: number;
  /** By bucket index; undefined where nobody can. */
  readonly owners: readonly (MemberId | undefined)[];
}

/** Buckets of a member, for people and for asking it. */
export function bucketsOfMember({ owners }: Assignment, member: MemberId): BucketIndex[] {
  const buckets: BucketIndex[] = [];
  owners.forEach((owner, bucket) => {
    if (owner === member) buckets.push(bucket as BucketIndex);
  });
  return buckets;
}
