import type { Clock } from './clock.js';

/**
 * How long the background works before others have their turn: heartbeats and questions must not wait for it. A turn of
 * the event loop costs some 10 µs; longer slices save of those, at the cost of everybody else.
 */
const sliceMs = 1;

/**
 * Work in slices, which several workers may share. Before each step: `if (turn.isOver) await turn.pause()`. Who waits goes on one after the other,
 * in the order in which they came, each as far as its next `await`.
 */
export class Turn {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #sliceStartMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sliceStartMs = clock.monotonicMs();
  }

  /** Whether it is time to `pause`: the slice is used up, or others wait already. */
  get isOver(): boolean {
    return this.#waiting.length > 0 || this.#isUsedUp;
  }

  get #isUsedUp(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets everybody else run, and those who wait already. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) void this.#next();
    });
  }

  async #next(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
      this.#sliceStartMs = this.#clock.monotonicMs();
      do {
        this.#waiting[0]!();
        // It goes on before this does. Until then it counts as waiting, so that nobody overtakes it.
        await undefined;
        this.#waiting.shift();
      } while (this.#waiting.length > 0 && !this.#isUsedUp);
    }
  }
}
