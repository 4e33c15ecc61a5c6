import type { BucketIndex } from '../../core/ids.js';
import type { HostAndPort } from './options.js';

/** Which masters there are, which holds a bucket, and where each is at the moment. */
export interface Topology {
  readonly shards: readonly string[];
  /** Whether it is a Redis Cluster, where one call must not touch the keys of several buckets: they are in different slots. */
  readonly hasSlots: boolean;
  /** The buckets of a shard, for people: `0-499`. */
  bucketsOf(shard: string): string;
  shardOf(bucket: BucketIndex): string;
  /** Shard of what belongs to no bucket. */
  readonly controlShard: string;
  /** Whether a shard says what the store was made for: all of them can, but in a Redis Cluster a key has one place. */
  keepsMeta(shard: string): boolean;
  /** Asks where the master is now. @throws when nobody knows */
  locate(shard: string): Promise<HostAndPort>;
  /** Calls `moved` whenever a shard is known to have another master. */
  onMove(moved: (shard: string, to: HostAndPort) => void): void;
  /** Asks anew which master holds what, after an answer that says that it is another one. */
  refresh?(): Promise<void>;
  /** Calls `changed` whenever `shards` are others than before. Where there is no such verb, they never are. */
  onReshape?(changed: () => void): void;
  close(): void;
}
