import type { HostAndPort } from '../../../src/storage/redis/options.js';
import type { ScriptCall } from '../../../src/storage/redis/scripts.js';
import type { Link } from '../../../src/storage/redis/shard-link.js';
import type { SimNode, World } from '../world.js';
import type { SimRedis } from './redis-process.js';
import type { SimShard } from './shard.js';

/** What a script does to the data of a Redis. */
export interface Effective<D, T> {
  readonly denyOom: boolean;
  /** @throws what the script answers with instead of an effect */
  check(data: D): void;
  /** What is replicated; undefined for a script that only reads. */
  readonly effect: ((data: D) => void) | undefined;
  result(data: D): T;
}

/** A call that the simulated Redis can carry out. */
export interface SimCall<D> extends ScriptCall {
  readonly effective: Effective<D, unknown>;
}

export interface LinkFaults {
  /** The connection breaks under a command, at any step of it. */
  readonly unknown: number;
  /** A command is carried out long after it was given up. */
  readonly late: number;
  /** Whether a broken connection is (wrongly) made anew, and used as if nothing had happened (R3). */
  readonly reconnects: boolean;
}

export interface SimLinkOptions<D> {
  readonly world: World;
  readonly shard: SimShard<D>;
  readonly redis: SimRedis<D>;
  readonly node: SimNode;
  readonly faults: LinkFaults;
  readonly dropped: (reason: string) => void;
}

/** A command that was sent and is not answered yet. */
interface Asked {
  readonly reject: (error: Error) => void;
  readonly again: () => void;
}

const commandTimeoutMs = 400;

/** What Redis answers instead of doing something. */
export function refusal(message: string): Error {
  const error = new Error(message);
  error.name = 'ReplyError';
  return error;
}

/** A connection of one server to one Redis, where a real store has one of ioredis. Commands and answers keep their order. */
export class SimLink<D> implements Link {
  readonly at: HostAndPort;
  readonly #options: SimLinkOptions<D>;
  readonly #clientLife: number;
  #redis: SimRedis<D>;
  #redisLife: number;
  #endReason: string | undefined;
  readonly #open = new Set<Asked>();
  /** When the last command gets there: none overtakes it. */
  #thereMs = 0;
  /** Last write of this connection: what WAIT waits for. */
  #offset = 0;

  constructor(options: SimLinkOptions<D>) {
    const { redis, shard, node } = options;
    this.#options = options;
    this.#redis = redis;
    this.#redisLife = redis.node.life;
    this.#clientLife = node.life;
    this.at = redis.at;
    shard.onClosed((closed) => this.#closed(closed));
  }

  #closed(redis: SimRedis<D>): void {
    if (redis !== this.#redis || this.#endReason !== undefined) return;
    if (this.#options.faults.reconnects) this.#reconnect();
    else this.#later(this.#options.world.delayMs(20), () => this.drop('the connection was closed'));
  }

  /** What the rules forbid: what is open is sent again, and whoever waits does not hear that the connection is another one. */
  #reconnect(): void {
    const { shard, world } = this.#options;
    this.#redis = shard.master;
    this.#redisLife = this.#redis.node.life;
    this.#offset = 0;
    const open = [...this.#open];
    this.#later(world.delayMs(20), () => {
      for (const asked of open) if (this.#open.has(asked)) asked.again();
    });
  }

  get address(): string {
    return this.at.host;
  }

  get isOpen(): boolean {
    return this.#endReason === undefined;
  }

  get endReason(): string | undefined {
    return this.#endReason;
  }

  /** Runs on the client, unless it died. */
  #later(delayMs: number, action: () => void): void {
    const { world, node } = this.#options;
    if (node.life === this.#clientLife) world.after(delayMs, action, node);
  }

  /** Runs on the Redis, in order, unless the connection was closed meanwhile. */
  #send(action: () => void): void {
    const { world } = this.#options;
    const redis = this.#redis;
    const life = this.#redisLife;
    this.#thereMs = Math.max(this.#thereMs, world.nowMs + world.delayMs(4));
    world.after(
      this.#thereMs - world.nowMs,
      () => {
        if (redis.node.life === life) action();
      },
      redis.node,
    );
  }

  /** @param begin asks the Redis; calls back with what it answers */
  #ask<T>(begin: (answer: (value: T | Error) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#endReason !== undefined) {
        reject(new Error(this.#endReason));
        return;
      }
      const answer = (value: T | Error): void => {
        this.#later(this.#options.world.delayMs(4), () => {
          if (!this.#open.delete(asked)) return;
          if (value instanceof Error) reject(value);
          else resolve(value);
        });
      };
      const asked = { reject, again: () => begin(answer) };
      this.#open.add(asked);
      asked.again();
      // A frozen server answers nothing, and nobody waits for ever.
      this.#later(commandTimeoutMs, () => {
        if (this.#open.has(asked)) this.#fail('no answer');
      });
    });
  }

  /** The connection breaks under what is under way. */
  #fail(reason: string): void {
    if (this.#options.faults.reconnects) this.#reconnect();
    else this.drop(reason);
  }

  write(calls: readonly ScriptCall[]): Promise<(unknown | Error)[]> {
    const { world, faults } = this.#options;
    return this.#ask((answer) => {
      const late = world.faults && world.chance(faults.late);
      const unknown = world.faults && world.chance(faults.unknown);
      if (late) this.#lands(calls);
      else if (!unknown) this.#send(() => answer(calls.map((call) => this.#run(call))));
      else this.#breaks(calls);
    });
  }

  /** Nothing gets there, or only the beginning, or all of it; the answer does not. */
  #breaks(calls: readonly ScriptCall[]): void {
    const { world } = this.#options;
    const count = world.chance(0.4) ? 0 : 1 + world.below(calls.length);
    if (count > 0) {
      this.#send(() => {
        for (const call of calls.slice(0, count)) this.#run(call);
      });
    }
    if (world.chance(0.5)) this.#later(world.delayMs(30), () => this.#fail('the connection was closed'));
  }

  /** Lies in a buffer, and is carried out long after: by the Redis it was sent to, or, behind a proxy, by the present master. */
  #lands(calls: readonly ScriptCall[]): void {
    const { world, shard } = this.#options;
    const proxy = world.chance(0.5);
    const redis = this.#redis;
    const life = this.#redisLife;
    const action = (): void => {
      if (!proxy && redis.node.life !== life) return;
      for (const call of calls) this.#runOn(proxy ? shard.master : redis, call);
    };
    const delayMs = commandTimeoutMs * world.random() + world.delayMs(400);
    world.after(delayMs, action, proxy ? undefined : redis.node);
  }

  #run(call: ScriptCall): unknown {
    const answer = this.#runOn(this.#redis, call);
    this.#offset = this.#redis.offset;
    return answer;
  }

  #runOn(redis: SimRedis<D>, call: ScriptCall): unknown {
    const { world, shard } = this.#options;
    const { effective } = call as SimCall<D>;
    try {
      effective.check(redis.data);
      if (effective.denyOom && shard.outOfMemoryUntilMs > world.nowMs)
        return refusal('OOM command not allowed');
      if (effective.effect !== undefined) redis.write(effective.effect);
      return effective.result(redis.data);
    } catch (error) {
      return error;
    }
  }

  /** Answered when enough replicas have what this connection wrote, or when the time is up. */
  wait(replicas: number, timeoutMs: number): Promise<number> {
    const { world, faults } = this.#options;
    return this.#ask((answer) => {
      const unknown = world.faults && world.chance(faults.unknown);
      if (unknown) this.#later(world.delayMs(30), () => this.#fail('the connection was closed'));
      else this.#send(() => this.#wait(replicas, world.nowMs + timeoutMs, answer));
    });
  }

  #wait(replicas: number, untilMs: number, answer: (count: number) => void): void {
    const { world } = this.#options;
    const redis = this.#redis;
    const life = this.#redisLife;
    const etaMs = redis.replicatedMs(this.#offset, replicas);
    if (etaMs <= world.nowMs) answer(replicas);
    else if (untilMs <= world.nowMs) answer(0);
    else {
      const nextMs = Math.min(etaMs, untilMs) - world.nowMs;
      world.after(
        nextMs,
        () => redis.node.life === life && this.#wait(replicas, untilMs, answer),
        redis.node,
      );
    }
  }

  run(call: ScriptCall): Promise<unknown> {
    const { world, faults } = this.#options;
    return this.#ask((answer) => {
      if (world.faults && world.chance(faults.unknown)) this.#breaks([call]);
      else this.#send(() => answer(this.#runOn(this.#redis, call) as object));
    });
  }

  command(): Promise<unknown> {
    return Promise.reject(new Error('not simulated'));
  }

  commandBuffer(): Promise<unknown> {
    return this.command();
  }

  drop(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    const { world, node } = this.#options;
    world.log(() => `${node.name}: connection to ${this.at.host} breaks: ${reason}`);
    const open = [...this.#open];
    this.#open.clear();
    for (const { reject } of open) reject(new Error(reason));
    this.#options.dropped(reason);
  }
}
