import { join } from 'node:path';
import { RedisKeys } from '../../../../src/storage/redis/keys.js';
import { decodeOwners } from '../../../../src/storage/redis/redis-coordination.js';
import { shares } from '../../../cluster/shares.js';
import {
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from '../../../redis/redis-cluster.js';
import { json } from '../../oracle.js';
import { ScenarioFailure } from '../scenario.js';
import type { Actor, Stage } from '../stage.js';

/** As many as a cluster has that nobody has configured otherwise. */
export const defaultBuckets = 1000;

export interface ClusterPlan {
  readonly redis?: RedisClusterOptions;
  /** Replicas that must have a write. Default: 1. */
  readonly wait?: number;
}

/** What `/status` of a server says of servers. */
export interface ServersStatus {
  readonly servers: Readonly<Record<string, { readonly buckets: number; readonly roles: readonly string[] }>>;
  readonly cluster: { readonly buckets: { readonly served: number; readonly of: number } };
}

/** Of the store's keys, unless set otherwise. */
const keyPrefix = 'taba:';
const startDeadlineMs = 60_000;

/** Redis shards and the servers and agents on them, each a process of its own, with nothing in between. */
export class MeasuredCluster {
  readonly redis: RedisCluster;
  readonly #stage: Stage;
  readonly #wait: number;

  private constructor(stage: Stage, redis: RedisCluster, wait: number) {
    this.#stage = stage;
    this.redis = redis;
    this.#wait = wait;
  }

  /** Two shards with a replica each and three sentinels, unless planned otherwise. */
  static async start(
    stage: Stage,
    { redis: options = {}, wait = 1 }: ClusterPlan = {},
  ): Promise<MeasuredCluster> {
    const redis = await startRedisCluster(options);
    stage.defer(async () => {
      await redis.saveLogs(stage.folder);
      await redis.stop();
    });
    return new MeasuredCluster(stage, redis, wait);
  }

  /** A server with the settings that it has by itself. Not started yet. */
  server(name: string, role: 'fe' | 'be', flags: readonly string[] = []): Promise<Actor> {
    const { shards, sentinelAddresses } = this.redis;
    const ranges = shares(shards.length, defaultBuckets);
    return this.#stage.actor(name, [
      'server',
      ...['--role', role, '--redis-wait', String(this.#wait), '--self-instrument', 'false'],
      ...sentinelAddresses.flatMap((address) => ['--sentinel', address]),
      ...shards.flatMap((shard, index) => ['--shard', `${shard.name}:${ranges[index]!.join('-')}`]),
      ...flags,
    ]);
  }

  /** Servers of one role, `be1` and so on, started. */
  async servers(role: 'fe' | 'be', count: number): Promise<Actor[]> {
    const actors = await Promise.all(
      Array.from({ length: count }, (_, index) => this.server(`${role}${index + 1}`, role)),
    );
    await Promise.all(actors.map(({ daemon }) => daemon.start()));
    return actors;
  }

  /** Agents with spools, before some servers, started. @param flags of each of them, by its number from 0 */
  async agents(
    servers: readonly Actor[],
    count: number,
    flags: (index: number) => readonly string[] = () => [],
  ): Promise<Actor[]> {
    const actors = await Promise.all(
      Array.from({ length: count }, (_, index) => {
        const name = `agent${index + 1}`;
        const spool = join(this.#stage.folder, `${name}-spool`);
        return this.#stage.actor(name, [
          'agent',
          ...servers.flatMap(({ url }) => ['--server', url]),
          ...['--spool', spool, '--self-instrument', 'false'],
          ...flags(index),
        ]);
      }),
    );
    await Promise.all(actors.map(({ daemon }) => daemon.start()));
    return actors;
  }

  /** Who is to own each bucket, as it stands in Redis. */
  async owners(): Promise<readonly (string | undefined)[]> {
    const master = await this.redis.master(this.redis.shards[0]!.name);
    const connection = master.connect();
    try {
      await connection.connect();
      const { assignment } = new RedisKeys(keyPrefix).control;
      return decodeOwners(new Uint8Array((await connection.hgetBuffer(assignment, 'owners'))!));
    } finally {
      connection.disconnect();
    }
  }

  /** Waits until the named servers, as one of them says, serve every bucket among them, each its share. */
  async balanced(asked: Actor, owners: readonly Actor[]): Promise<number[]> {
    let counts: number[] = [];
    const isBalanced = async (): Promise<boolean> => {
      const { servers, cluster } = await json<ServersStatus>(`${asked.url}/status`);
      counts = owners.map(({ port }) => servers[`127.0.0.1:${port}`]?.buckets ?? 0);
      return cluster.buckets.served === defaultBuckets && isEven(counts);
    };
    try {
      await this.#stage.until('every server to serve its share of the buckets', isBalanced, startDeadlineMs);
    } catch (error) {
      throw new ScenarioFailure(`${(error as Error).message}: ${counts.join(', ')}`);
    }
    return counts;
  }
}

/** Whether all buckets are there, and no server has more of them than another but by rounding. */
function isEven(counts: readonly number[]): boolean {
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum === defaultBuckets && Math.max(...counts) - Math.min(...counts) <= 1;
}
