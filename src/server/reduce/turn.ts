import type { Clock } from '../../runtime/clock.js';

/** How long the background works before others have their turn: heartbeats and questions must not wait for a replay. */
const sliceMs = 5;

/** Work in slices. */
export class Turn {
  readonly #clock: Clock;
  #sliceStartMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sliceStartMs = clock.monotonicMs();
  }

  /** Lets others run when it is time. */
  async pause(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#sliceStartMs < sliceMs) return;
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#sliceStartMs = this.#clock.monotonicMs();
  }
}
