import { type RedisCluster, type RedisClusterOptions, startRedisCluster } from '../../redis/redis-cluster.js';
import type { RedisProcess } from '../../redis/redis-process.js';
import { RedisProxy } from './redis-proxy.js';
import { RedisView } from './redis-view.js';

/**
 * Redis shards whose servers reach each other, and are reached by the sentinels, through a proxy in front of each: there
 * replication is held back, or a master hidden from the sentinels. What Sentinel makes of it is its own doing.
 */
export class WatchedRedis {
  readonly cluster: RedisCluster;
  readonly #proxies: ReadonlyMap<string, RedisProxy>;

  private constructor(cluster: RedisCluster, proxies: ReadonlyMap<string, RedisProxy>) {
    this.cluster = cluster;
    this.#proxies = proxies;
  }

  static async start(options: RedisClusterOptions = {}): Promise<WatchedRedis> {
    const proxies = new Map<string, RedisProxy>();
    const reachedAt = async (name: string, port: number): Promise<number> => {
      const proxy = await RedisProxy.start({ target: () => port });
      proxies.set(name, proxy);
      return proxy.port;
    };
    try {
      return new WatchedRedis(await startRedisCluster({ ...options, reachedAt }), proxies);
    } catch (error) {
      for (const proxy of proxies.values()) await proxy.close();
      throw error;
    }
  }

  /** What stands between a server of Redis and its replicas and sentinels. */
  before(redis: RedisProcess): RedisProxy {
    const proxy = this.#proxies.get(redis.name);
    if (proxy === undefined) throw new Error(`there is no proxy before ${redis.name}`);
    return proxy;
  }

  /** For one server of Taba: proxies of its own before every server of Redis and every sentinel. */
  view(): Promise<RedisView> {
    const servers = this.cluster.shards.flatMap((shard) => shard.servers);
    return RedisView.start({
      servers: servers.map(({ name, port }) => ({ name, port, announced: this.#proxies.get(name)!.port })),
      sentinels: this.cluster.sentinels.map(({ port }) => port),
    });
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    for (const proxy of this.#proxies.values()) await proxy.close();
  }
}
