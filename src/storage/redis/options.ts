import type { BucketRange } from '../../core/buckets.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where the shards are. */
export type RedisTopology =
  /** redis:// or rediss://, user, password and database included; a node of a Redis Cluster is recognised as one. */
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostAndPort[];
      /** Masters by the names that Sentinel knows them under. */
      readonly shards: readonly BucketRange[];
      readonly sentinelUser?: string;
      readonly sentinelPassword?: string;
    };

export interface RedisStoreOptions {
  readonly topology: RedisTopology;
  /** ACL user and password of the Redis servers; with `url` they may stand in the URL instead. */
  readonly user?: string;
  readonly password?: string;
  /** TLS to Redis and to Sentinel. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** What every key begins with, such as `taba:`. */
  readonly prefix: string;
  /** Replicas that must have a write before it counts as durable (rules R2 and R4). */
  readonly waitReplicas: number;
  readonly bucketCount: number;
  /** A member silent for longer is taken to be dead. */
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
}
