import type { HostAndPort } from '../../../src/storage/redis/options.js';
import { SimNode, type World } from '../world.js';

/** A write as it is replicated. */
export type Effect<D> = (data: D) => void;

interface OnItsWay<D> {
  readonly effect: Effect<D>;
  /** When the replica has it: nothing overtakes. */
  atMs: number;
}

/**
 * One Redis: its data, and, as a replica, what it has of its master's. A replica takes in what came meanwhile whenever
 * somebody looks, so that a write costs nothing where nobody does.
 */
export class SimRedis<D> {
  /** Its life ends with each restart and each change of role: connections are closed, and what is in them is gone. */
  readonly node: SimNode;
  readonly at: HostAndPort;
  data: D;
  /** Writes that its data has seen since they became one with its master's. */
  offset = 0;
  role: 'master' | 'replica' = 'replica';
  /** Whom it follows; undefined while it cannot, or does not know yet. */
  source: SimRedis<D> | undefined;
  readonly replicas = new Set<SimRedis<D>>();
  readonly #world: World;
  #coming: OnItsWay<D>[] = [];
  #pausedUntilMs = 0;

  constructor(world: World, name: string, data: D) {
    this.#world = world;
    this.node = new SimNode(name);
    this.at = { host: name, port: 0 };
    this.data = data;
  }

  /** A write of this master. @returns the offset that a replica must reach to have it */
  write(effect: Effect<D>): number {
    effect(this.data);
    this.offset++;
    for (const replica of this.replicas) replica.#receive(effect);
    return this.offset;
  }

  #receive(effect: Effect<D>): void {
    const world = this.#world;
    const last = this.#coming[this.#coming.length - 1]?.atMs ?? 0;
    const atMs = Math.max(world.nowMs + world.delayMs(8), last, this.#pausedUntilMs);
    this.#coming.push({ effect, atMs });
  }

  /** What came until now is in. */
  catchUp(): void {
    const coming = this.#coming;
    let done = 0;
    while (done < coming.length && coming[done]!.atMs <= this.#world.nowMs) coming[done++]!.effect(this.data);
    this.offset += done;
    if (done > 0) coming.splice(0, done);
  }

  /** When this replica reaches the offset, as far as can be foreseen. */
  #etaMs(offset: number): number {
    const ahead = offset - this.offset;
    return ahead <= 0 ? 0 : (this.#coming[ahead - 1]?.atMs ?? Number.POSITIVE_INFINITY);
  }

  /** When `count` replicas have reached the offset, as far as can be foreseen: Infinity where there are too few. */
  replicatedMs(offset: number, count: number): number {
    if (count > this.replicas.size) return Number.POSITIVE_INFINITY;
    const etas = [...this.replicas].map((replica) => replica.#etaMs(offset)).sort((a, b) => a - b);
    return count === 0 ? 0 : etas[count - 1]!;
  }

  /** Nothing reaches this replica for a while: it, or its link, is frozen. */
  pause(untilMs: number): void {
    this.catchUp();
    this.#pausedUntilMs = untilMs;
    for (const item of this.#coming) item.atMs = Math.max(item.atMs, untilMs);
  }

  /** Leaves its master: what is on its way does not come any more. */
  detach(): void {
    this.catchUp();
    this.#coming = [];
    this.source?.replicas.delete(this);
    this.source = undefined;
  }

  /** Follows `master` from here on, with its data as it is now. */
  attach(master: SimRedis<D>, clone: (data: D) => D): void {
    this.detach();
    this.role = 'replica';
    this.source = master;
    this.data = clone(master.data);
    this.offset = master.offset;
    master.replicas.add(this);
  }

  /** Connections are closed, and what was in them is lost. */
  cut(): void {
    this.node.life++;
  }
}
