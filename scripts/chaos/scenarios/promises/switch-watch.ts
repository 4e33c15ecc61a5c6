import type { Redis } from 'ioredis';
import type { RedisCluster } from '../../../redis/redis-cluster.js';
import type { Stage } from '../stage.js';

/** Hears from the sentinels that a shard has another master. */
export class SwitchWatch {
  readonly #connections: readonly Redis[];
  readonly #decidedAtMs = new Map<string, number>();
  #told: () => void = () => {};

  private constructor(connections: readonly Redis[]) {
    this.#connections = connections;
    for (const connection of connections) {
      connection.on('message', (_channel, message: string) => {
        const shard = message.split(' ')[0]!;
        if (!this.#decidedAtMs.has(shard)) this.#decidedAtMs.set(shard, performance.now());
        this.#told();
      });
    }
  }

  static async start(stage: Stage, redis: RedisCluster): Promise<SwitchWatch> {
    const connections = redis.sentinels.map((sentinel) => sentinel.connect());
    stage.defer(() => {
      for (const connection of connections) connection.disconnect();
    });
    for (const connection of connections) {
      await connection.connect();
      await connection.subscribe('+switch-master');
    }
    return new SwitchWatch(connections);
  }

  /** Forgets the decisions so far; resolves with the time of the next one about `shard`, as of `performance.now()`. */
  next(shard: string): Promise<number> {
    this.#decidedAtMs.clear();
    return new Promise((resolve) => {
      this.#told = () => {
        const atMs = this.#decidedAtMs.get(shard);
        if (atMs !== undefined) resolve(atMs);
      };
    });
  }

  end(): void {
    for (const connection of this.#connections) connection.disconnect();
  }
}
