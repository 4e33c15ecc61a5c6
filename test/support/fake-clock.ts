import type { Clock } from '../../src/runtime/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param nowMs ms UTC to begin at; the default is a whole day, for readable figures */
  constructor(nowMs = 1_700_006_400_000) {
    this.#nowMs = nowMs;
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + Math.max(delayMs, 0), order: this.#order++, action };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Lets `ms` pass, and runs what comes due on the way, in order, at its own time. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#pass(Math.max(next.dueMs - this.#monotonicMs, 0));
      next.action();
    }
    this.#pass(endMs - this.#monotonicMs);
  }

  /** Like `advance`, and after each timer lets promises that wait for it go on. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#pass(Math.max(next.dueMs - this.#monotonicMs, 0));
      next.action();
      await settle();
    }
    this.#pass(endMs - this.#monotonicMs);
    await settle();
  }

  /** Sets the wall time alone, as somebody with a wrong watch does. */
  jumpTo(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#nowMs += ms;
  }

  #next(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      const isEarlier =
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order);
      if (isEarlier) first = timer;
    }
    return first;
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
