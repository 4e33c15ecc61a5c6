import type { Clock } from '../runtime/clock.js';

/** So many events may share one look at the clock. Higher values cost less per event, and stamp it later. */
const readingsPerLook = 64;
/** A look is good for so long. */
const lookMs = 50;

/**
 * Seconds UTC, cheap enough for every event: one look at the clock serves 64 events or 50 ms, whichever ends first. An
 * application that records nothing is not woken up.
 */
export class CoarseClock {
  readonly #clock: Clock;
  readonly #turned: (second: number) => void;
  #nowSec = Number.NaN;
  #left = 0;
  #isTimed = false;

  /** @param turned called with the whole second that begins, in the middle of the `nowSec` that finds out; first by the very first */
  constructor(clock: Clock, turned: (second: number) => void) {
    this.#clock = clock;
    this.#turned = turned;
  }

  nowSec(): number {
    if (this.#left-- <= 0) this.#look();
    return this.#nowSec;
  }

  #look(): void {
    const before = Math.floor(this.#nowSec);
    this.#nowSec = this.#clock.nowMs() / 1000;
    this.#left = readingsPerLook - 1;
    if (!this.#isTimed) {
      this.#isTimed = true;
      this.#clock.after(lookMs, () => {
        this.#isTimed = false;
        this.#left = 0;
      });
    }
    const second = Math.floor(this.#nowSec);
    if (second !== before) this.#turned(second);
  }
}
