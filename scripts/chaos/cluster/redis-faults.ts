import { setTimeout as pause } from 'node:timers/promises';
import type { RedisCluster } from '../../redis/redis-cluster.js';
import type { RedisProcess } from '../../redis/redis-process.js';
import type { FaultKind } from './fault.js';
import { heldBack } from './hold.js';
import type { ChaosSystem } from './system.js';

/**
 * Faults of Redis and its sentinels.
 *
 * What is promised with `--redis-wait 1` and one replica: an acknowledged event is on both servers of its shard, so either
 * may go, as long as the other one has everything. Two faults at once within a shard are outside of that, and so is the
 * loss of a master while its replica is still being filled: until then the only complete copy is the master's. Therefore a
 * shard is locked until both of its servers are back and in sync, and nothing is done to a master before. For the same
 * reason a master that was killed is started again only when Sentinel has put another one in its place (rule R4).
 */
const shards = ['shard1', 'shard2'] as const;

/** Fail-over, restart, and that Sentinel makes a replica of the old master, which alone takes it 10 s; on a busy machine. */
const shardDeadlineMs = 120_000;

/** A sentinel that was away for more than 2 s takes no part in decisions for 30 s (its TILT mode). */
const tiltDeadlineMs = 60_000;

const theMaster = (redis: RedisCluster, shard: string) => redis.master(shard);
const theReplica = async (redis: RedisCluster, shard: string) => (await redis.replicas(shard))[0]!;

interface Hit {
  readonly system: ChaosSystem;
  readonly shard: string;
  readonly server: RedisProcess;
}

async function frozen(redis: RedisProcess, ms: number): Promise<void> {
  redis.freeze();
  await pause(ms);
  redis.thaw();
}

async function killedAndBack(redis: RedisProcess, ms: number): Promise<void> {
  await redis.kill();
  await pause(ms);
  await redis.restart();
}

function onServer(
  pick: (redis: RedisCluster, shard: string) => Promise<RedisProcess>,
  what: (ms: string) => string,
  [leastMs, mostMs]: readonly [number, number],
  act: (hit: Hit, ms: number) => Promise<void>,
): FaultKind {
  return (random) => {
    const shard = random.pick(shards);
    const ms = random.integer(leastMs, mostMs);
    return {
      name: `${what(`${(ms / 1000).toFixed(1)} s`)}, ${shard}`,
      locks: [shard],
      run: async (system, tell) => {
        const { redis } = system;
        await redis.inSync(shard, shardDeadlineMs);
        const server = await pick(redis, shard);
        tell(`  it is ${server.name}`);
        await act({ system, shard, server }, ms);
        await redis.inSync(shard, shardDeadlineMs);
      },
    };
  };
}

function onSentinel(
  what: (ms: string) => string,
  [leastMs, mostMs]: readonly [number, number],
  act: (sentinel: RedisProcess, ms: number) => Promise<void>,
): FaultKind {
  return (random) => {
    const index = random.integer(0, 2);
    const ms = random.integer(leastMs, mostMs);
    return {
      name: `${what(`${(ms / 1000).toFixed(1)} s`)}, sentinel${index + 1}`,
      // Two of the three must be there to decide.
      locks: ['sentinels'],
      run: ({ redis }) => act(redis.sentinels[index]!, ms),
      recovered: async ({ redis }) => {
        const sentinel = redis.sentinels[index]!;
        const deadline = performance.now() + tiltDeadlineMs;
        while (sentinel.running && performance.now() < deadline) {
          const { sentinel_tilt } = await sentinel.info('sentinel').catch(() => ({ sentinel_tilt: '?' }));
          if (sentinel_tilt === '0') return;
          await pause(500);
        }
      },
    };
  };
}

export const redisFaults: readonly FaultKind[] = [
  onServer(
    theMaster,
    (ms) => `kill a Redis master, back ${ms} after its fail-over`,
    [0, 3000],
    async ({ system, shard, server }, ms) => {
      await server.kill();
      await system.redis.failedOver(shard, server, shardDeadlineMs);
      await pause(ms);
      await server.restart();
    },
  ),
  onServer(
    theMaster,
    (ms) => `freeze a Redis master for ${ms}`,
    [300, 6000],
    ({ server }, ms) => frozen(server, ms),
  ),
  onServer(
    theMaster,
    (ms) => `hold back the bytes to a Redis master for ${ms}, then cut`,
    [300, 4000],
    ({ system, server }, ms) => heldBack(system.proxy(server.name), ms),
  ),
  onServer(
    theReplica,
    (ms) => `kill a Redis replica, back after ${ms}`,
    [0, 4000],
    ({ server }, ms) => killedAndBack(server, ms),
  ),
  onServer(
    theReplica,
    (ms) => `freeze a Redis replica for ${ms}`,
    [300, 5000],
    ({ server }, ms) => frozen(server, ms),
  ),
  onSentinel((ms) => `kill a sentinel, back after ${ms}`, [0, 4000], killedAndBack),
  onSentinel((ms) => `freeze a sentinel for ${ms}`, [500, 6000], frozen),
];
