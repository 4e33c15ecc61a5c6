import type { Clock } from '../../runtime/clock.js';

/** How long the background works before others have their turn: heartbeats and questions must not wait for it. */
const sliceMs = 5;

/** Work in slices, which several workers may share: together they work for one slice, and begin the next one together. */
export class Turn {
  readonly #clock: Clock;
  #sliceStartMs: number;
  #next: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sliceStartMs = clock.monotonicMs();
  }

  get #isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets others run while it is time. */
  async pause(): Promise<void> {
    // The first ones to go on may use up the next slice as well.
    while (this.#isOver) {
      this.#next ??= this.#begun();
      await this.#next;
    }
  }

  async #begun(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#sliceStartMs = this.#clock.monotonicMs();
    this.#next = undefined;
  }
}
