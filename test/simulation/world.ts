import type { Clock } from '../../src/runtime/clock.js';

/** A process of the simulated cluster: it can be frozen, and it can die. */
export class SimNode {
  readonly name: string;
  frozenUntilMs = 0;
  /** Counts its lives: what an earlier one began does not come back to a later one. */
  life = 0;

  constructor(name: string) {
    this.name = name;
  }
}

interface Happening {
  atMs: number;
  readonly order: number;
  readonly node: SimNode | undefined;
  readonly life: number;
  /** Undefined once it was called off. */
  action: (() => void) | undefined;
}

/** 2001-09-09: no ms of the simulation is mistaken for a real present. */
export const epochMs = 1_000_000_000_000;

/** Virtual time, one source of randomness, and everything that is going to happen, in one order. */
export class World {
  readonly #heap: Happening[] = [];
  readonly #trace: string[] | undefined;
  #order = 0;
  #random: number;
  nowMs = 0;
  /** While true, things go wrong. */
  faults = true;

  constructor(seed: number, trace: boolean) {
    this.#random = seed | 0;
    this.#trace = trace ? [] : undefined;
    for (let i = 0; i < 4; i++) this.random();
  }

  /** mulberry32: [0, 1) */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** Mostly short, sometimes long. */
  delayMs(typicalMs: number): number {
    return typicalMs * this.random() * (this.faults && this.chance(0.05) ? 30 : 1);
  }

  id(): string {
    return `${this.#word()}${this.#word()}${this.#word()}${this.#word()}`;
  }

  /** 8 hexadecimal digits */
  #word(): string {
    return Math.floor(this.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }

  get isTraced(): boolean {
    return this.#trace !== undefined;
  }

  log(line: () => string): void {
    this.#trace?.push(`${this.nowMs.toFixed(1).padStart(9)} ms  ${line()}`);
  }

  get trace(): readonly string[] {
    return this.#trace ?? [];
  }

  after(delayMs: number, action: () => void, node?: SimNode): void {
    this.#plan(delayMs, action, node);
  }

  #plan(delayMs: number, action: () => void, node: SimNode | undefined): Happening {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const happening = { atMs, order: this.#order++, node, life: node?.life ?? 0, action };
    this.#push(happening);
    return happening;
  }

  /** Of the process as it lives now: what a dead one plans does not happen. */
  clock(node: SimNode): Clock {
    const { life } = node;
    return {
      nowMs: () => epochMs + this.nowMs,
      monotonicMs: () => this.nowMs,
      after: (delayMs, action) => {
        if (node.life !== life) return () => {};
        const happening: Happening = this.#plan(delayMs, action, node);
        return () => {
          happening.action = undefined;
        };
      },
      soon: (action) => {
        if (node.life === life) this.#plan(0, action, node);
      },
    };
  }

  /** Lets things happen until `done`, or until `deadlineMs`. @returns whether it was done */
  async run(deadlineMs: number, done: () => boolean): Promise<boolean> {
    for (;;) {
      // Everything that promises have to say comes before the next happening: ticks come when no microtask is left.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      if (done()) return true;
      const next = this.#next();
      if (next === undefined || next.atMs > deadlineMs) {
        if (next !== undefined) this.#push(next);
        this.nowMs = Math.max(this.nowMs, deadlineMs);
        return done();
      }
      this.nowMs = Math.max(this.nowMs, next.atMs);
      const { node } = next;
      if (node !== undefined && node.frozenUntilMs > this.nowMs) {
        next.atMs = node.frozenUntilMs;
        this.#push(next);
        continue;
      }
      next.action!();
    }
  }

  /** The first thing that can still happen. */
  #next(): Happening | undefined {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return undefined;
      const { node, life, action } = next;
      if (action !== undefined && (node === undefined || node.life === life)) return next;
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(happening, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
