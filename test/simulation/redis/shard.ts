import type { World } from '../world.js';
import { SimRedis } from './redis-process.js';

export interface ShardOptions<D> {
  readonly name: string;
  readonly replicas: number;
  readonly data: () => D;
  readonly clone: (data: D) => D;
}

/** A master with its replicas, and what Sentinel makes of them. */
export class SimShard<D> {
  readonly name: string;
  /** Whom Sentinel calls the master. */
  master: SimRedis<D>;
  readonly all: readonly SimRedis<D>[];
  /** Commands that need memory are denied until then. */
  outOfMemoryUntilMs = 0;
  readonly #world: World;
  readonly #clone: (data: D) => D;
  /** Told when the connections to a Redis are closed. */
  readonly #closed = new Set<(redis: SimRedis<D>) => void>();
  /** Told when Sentinel says that another one is the master. */
  readonly #moved = new Set<(redis: SimRedis<D>) => void>();
  /** Was the master, and does not know yet that it is no more. */
  #deposed: SimRedis<D> | undefined;
  /** Until when two masters may have answered, or one that had lost something. */
  #unsettledUntilMs = 0;

  constructor(world: World, { name, replicas, data, clone }: ShardOptions<D>) {
    this.name = name;
    this.#world = world;
    this.#clone = clone;
    this.all = Array.from(
      { length: replicas + 1 },
      (_, index) => new SimRedis(world, `${name}/${index}`, data()),
    );
    this.master = this.all[0]!;
    this.master.role = 'master';
    for (const redis of this.all) if (redis !== this.master) redis.attach(this.master, clone);
  }

  /** Calls `listener` whenever the connections to one of the servers are closed. */
  onClosed(listener: (redis: SimRedis<D>) => void): void {
    this.#closed.add(listener);
  }

  onMove(listener: (redis: SimRedis<D>) => void): void {
    this.#moved.add(listener);
  }

  /** The server at that place, if it takes writes there. */
  masterAt(host: string): SimRedis<D> | undefined {
    return this.all.find(({ at, role }) => at.host === host && role === 'master');
  }

  /** What a sentinel answers; not all of them know at once. */
  ask(): SimRedis<D> {
    const deposed = this.#deposed;
    return deposed !== undefined && this.#world.chance(0.3) ? deposed : this.master;
  }

  get idle(): boolean {
    return this.all.every((redis) => redis === this.master || redis.source === this.master);
  }

  /** Whether all that was answered since then came from one master that forgot nothing. */
  wasSettledSince(sinceMs: number): boolean {
    return this.#unsettledUntilMs < sinceMs;
  }

  /** A replica becomes the master: what had not reached it is gone. The old master goes on for a while, and knows nothing. */
  failOver(): void {
    const candidates = this.all.filter((redis) => redis !== this.master && redis !== this.#deposed);
    const chosen = candidates[this.#world.below(candidates.length)];
    if (chosen === undefined || this.#deposed !== undefined) return;
    const deposed = this.master;
    this.#unsettledUntilMs = Number.POSITIVE_INFINITY;
    const others = candidates.filter((redis) => redis !== chosen);
    this.#world.log(() => `${this.name}: fails over from ${deposed.node.name} to ${chosen.node.name}`);
    chosen.detach();
    chosen.role = 'master';
    this.#close(chosen);
    this.master = chosen;
    this.#deposed = deposed;
    for (const listener of this.#moved) listener(chosen);
    // Until they are told to follow another one, they follow the old master, and confirm its writes.
    for (const other of others) this.#follow(other, this.#world.delayMs(100));
    const deposedMs = this.#world.chance(0.3) ? 0 : this.#world.delayMs(500);
    this.#world.after(deposedMs, () => {
      this.#deposed = undefined;
      this.#unsettledUntilMs = this.#world.nowMs;
      for (const other of [...deposed.replicas]) this.#follow(other, 0);
      this.#close(deposed);
      deposed.role = 'replica';
      this.#follow(deposed, this.#world.delayMs(200));
    });
  }

  #follow(redis: SimRedis<D>, delayMs: number): void {
    this.#world.after(delayMs, () => {
      if (redis === this.master || redis === this.#deposed) return;
      redis.attach(this.master, this.#clone);
    });
  }

  /** The master dies and is back before anybody noticed; the others take over what it has. @param data what its disk had */
  restartInPlace(data: D | undefined): void {
    const { master } = this;
    if (this.#deposed !== undefined) return;
    this.#world.log(
      () => `${master.node.name}: restarted in place${data === undefined ? '' : ', lost a suffix'}`,
    );
    if (data !== undefined) master.data = this.#clone(data);
    this.#unsettledUntilMs = this.#world.nowMs;
    this.#close(master);
    for (const replica of [...master.replicas]) {
      replica.detach();
      this.#follow(replica, this.#world.delayMs(50));
    }
  }

  /** What the disk of the master has: a restart brings it back to that. */
  backup(): D {
    return this.#clone(this.master.data);
  }

  /** Stops one of the servers for a while, or the way from the master to one of its replicas. */
  pause(forMs: number): void {
    const redis = this.all[this.#world.below(this.all.length)]!;
    const untilMs = this.#world.nowMs + forMs;
    this.#world.log(() => `${redis.node.name}: frozen until ${untilMs.toFixed(1)} ms`);
    if (redis.source !== undefined) redis.pause(untilMs);
    else redis.node.frozenUntilMs = untilMs;
  }

  heal(): void {
    this.outOfMemoryUntilMs = 0;
    for (const { node } of this.all) node.frozenUntilMs = 0;
  }

  #close(redis: SimRedis<D>): void {
    redis.cut();
    for (const listener of this.#closed) listener(redis);
  }
}
