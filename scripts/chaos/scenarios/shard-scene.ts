import type { RedisProcess } from '../../redis/redis-process.js';
import type { WatchedRedis } from '../proxy/watched-redis.js';
import { bucketCount, redisServer, redisShards, runs, type ViewingServer } from './redis-servers.js';
import { ScriptedLoad } from './scripted-load.js';
import type { Stage } from './stage.js';

/** One shard with a replica, and one server on it that has counted a Block of each bucket: where most scenarios begin. */
export interface ShardScene {
  readonly redis: WatchedRedis;
  readonly master: RedisProcess;
  readonly owner: ViewingServer;
  readonly load: ScriptedLoad;
  /** The one the scenario is about. */
  readonly bucket: number;
}

export async function shardScene(stage: Stage): Promise<ShardScene> {
  const redis = await redisShards(stage);
  const master = await redis.cluster.master('shard1');
  const owner = await redisServer(stage, 'be1', redis);
  await owner.daemon.start();
  const load = new ScriptedLoad(stage, { client: 'app', buckets: bucketCount });
  await load.deliver([owner.url]);
  stage.did('a Block of each bucket was counted');
  return { redis, master, owner, load, bucket: load.producer.buckets[0]! };
}

/** Kills the master; the one that was killed comes back as a replica, without which nothing is confirmed. @returns the new one */
export async function failOver(
  stage: Stage,
  { redis, master }: ShardScene,
  what: string,
): Promise<RedisProcess> {
  await master.kill();
  const promoted = await redis.cluster.failedOver('shard1', master);
  stage.did(`the master is killed: the replica, ${what}, is promoted`);
  await master.restart();
  return promoted;
}

export function checkAppendedOn(
  stage: Stage,
  promoted: RedisProcess,
  server: ViewingServer,
  bucket: number,
): void {
  const { exchanges } = server.view.before(promoted);
  stage.check(
    exchanges.some((exchange) => runs('append', bucket)(exchange) && exchange.reply === '+OK'),
    'the Block was appended once more, on the new master',
  );
}
