import { join } from 'node:path';
import { TabaCluster } from '../../cluster/taba-cluster.js';
import { FaultProxy } from '../../process/fault-proxy.js';
import { type RedisCluster, startRedisCluster } from '../../redis/redis-cluster.js';

export interface SystemOptions {
  /** How Taba is run. */
  readonly program: readonly string[];
  readonly folder: string;
  readonly logFolder: string;
  readonly buckets: number;
}

/**
 * What the faults hit: 2 shards with a replica each, 3 sentinels, 2 fe, 3 be, 1 ctrl and 2 agents. Before every one of
 * them but the sentinels stands a proxy, which everybody else goes through: applications to agents, agents to servers,
 * servers to servers, servers to Redis; the replicas and the sentinels to Redis as well.
 */
export class ChaosSystem {
  readonly redis: RedisCluster;
  readonly taba: TabaCluster;
  /** By the name of the process behind it. */
  readonly proxies: ReadonlyMap<string, FaultProxy>;

  private constructor(redis: RedisCluster, taba: TabaCluster, proxies: ReadonlyMap<string, FaultProxy>) {
    this.redis = redis;
    this.taba = taba;
    this.proxies = proxies;
  }

  static async start({ program, folder, logFolder, buckets }: SystemOptions): Promise<ChaosSystem> {
    const proxies = new Map<string, FaultProxy>();
    const reachedAt = async (name: string, port: number): Promise<number> => {
      const proxy = await FaultProxy.start(() => port);
      proxies.set(name, proxy);
      return proxy.port;
    };
    let redis: RedisCluster | undefined;
    try {
      redis = await startRedisCluster({ shards: 2, replicas: 1, sentinels: 3, reachedAt });
      const nodes = { fe: 2, be: 3, ctrl: 1, agent: 2 };
      const taba = await TabaCluster.start({
        ...{ program, redis, nodes, buckets, logFolder, reachedAt },
        folder: join(folder, 'spools'),
        redisWait: 1,
      });
      return new ChaosSystem(redis, taba, proxies);
    } catch (error) {
      await redis?.saveLogs(logFolder);
      await redis?.stop();
      for (const proxy of proxies.values()) await proxy.close();
      throw error;
    }
  }

  proxy(name: string): FaultProxy {
    const proxy = this.proxies.get(name);
    if (proxy === undefined) throw new Error(`there is no proxy before ${name}`);
    return proxy;
  }

  /** Ends everything at once. */
  async stop(): Promise<void> {
    await this.taba.kill();
    await this.redis.stop();
    for (const proxy of this.proxies.values()) await proxy.close();
  }
}
