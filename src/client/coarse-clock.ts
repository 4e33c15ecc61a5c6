import type { Clock } from '../runtime/clock.js';

/** So many events may share one look at the clock. Higher values cost less per event, and stamp it later. */
const readingsPerLook = 64;
/** A look is good for so long. */
const lookMs = 50;

export interface CoarseClockListener {
  /** The whole second that begins, in the middle of the look that finds out; first of the very first. */
  turned(second: number): void;
  /** A look is good no more: at most 50 ms after each, once for those in between. */
  expired(): void;
}

/**
 * Seconds UTC, cheap enough for every event: one look at the clock serves 64 events or 50 ms, whichever ends first. An
 * application that records nothing is not woken up.
 */
export class CoarseClock {
  readonly #clock: Clock;
  readonly #listener: CoarseClockListener;
  #nowSec = Number.NaN;
  #left = 0;
  #isTimed = false;

  constructor(clock: Clock, listener: CoarseClockListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  nowSec(): number {
    if (this.#left-- <= 0) this.look();
    return this.#nowSec;
  }

  /** Looks at the clock, however good the last look is. */
  look(): void {
    const before = Math.floor(this.#nowSec);
    this.#nowSec = this.#clock.nowMs() / 1000;
    this.#left = readingsPerLook - 1;
    if (!this.#isTimed) {
      this.#isTimed = true;
      this.#clock.after(lookMs, () => {
        this.#isTimed = false;
        this.#left = 0;
        this.#listener.expired();
      });
    }
    const second = Math.floor(this.#nowSec);
    if (second !== before) this.#listener.turned(second);
  }
}
