import { shares } from '../../cluster/shares.js';
import type { RedisClusterOptions } from '../../redis/redis-cluster.js';
import type { Exchange } from '../proxy/redis-exchange.js';
import type { RedisView } from '../proxy/redis-view.js';
import { WatchedRedis } from '../proxy/watched-redis.js';
import type { Actor, ActorOptions, Stage } from './stage.js';

/** Few: a scenario is about one bucket or about all of them. */
export const bucketCount = 8;

/** Redis shards with sentinels, stopped at the end. One shard with one replica unless given otherwise. */
export async function redisShards(stage: Stage, options: RedisClusterOptions = {}): Promise<WatchedRedis> {
  const redis = await WatchedRedis.start({ shards: 1, ...options });
  stage.defer(() => redis.stop());
  return redis;
}

/** A server that reaches Redis over proxies of its own. */
export interface ViewingServer extends Actor {
  readonly view: RedisView;
}

export interface RedisServerOptions extends ActorOptions {
  /** Default: `be,fe`. */
  readonly roles?: string;
  /** Default: 1. */
  readonly wait?: number;
  readonly buckets?: number;
  readonly flags?: readonly string[];
}

/**
 * A server over Redis, which writes States down and trims as often as it can. Not started yet.
 */
export async function redisServer(
  stage: Stage,
  name: string,
  redis: WatchedRedis,
  options: RedisServerOptions = {},
): Promise<ViewingServer> {
  const { roles = 'fe,be', wait = 1, buckets = bucketCount, flags = [], ...rest } = options;
  const view = await redis.view();
  stage.defer(() => view.close());
  const { shards } = redis.cluster;
  const ranges = shares(shards.length, buckets);
  const command = [
    'server',
    ...['--role', roles, '--buckets', String(buckets), '--redis-wait', String(wait)],
    ...view.sentinelAddresses.flatMap((address) => ['--sentinel', address]),
    ...shards.flatMap((shard, index) => ['--shard', `${shard.name}:${ranges[index]!.join('-')}`]),
    ...['--checkpoint-interval', '100', '--self-instrument', 'false'],
    ...flags,
  ];
  return { ...(await stage.actor(name, command, rest)), view };
}

/** For traps: a script of the store, of one bucket or of any. */
export function runs(script: string, bucket?: number): (exchange: Exchange) => boolean {
  const tag = `{b${bucket}}`;
  return (exchange) =>
    exchange.script === script && (bucket === undefined || exchange.words.some((word) => word.includes(tag)));
}

export function isWait({ command }: Exchange): boolean {
  return command === 'WAIT';
}
