import type { Clock } from '../runtime/clock.js';

/** Flushes take at most this share of a process's time; higher values show events sooner, at the cost of the application. */
const share = 0.25;
/** However long a flush took: it may have been the process that stood still. */
const longestWaitMs = 2000;

/**
 * Sees to it that flushing leaves an application its time: after one that took so long, three times as much goes by before the next.
 * With many tabs, or on a machine that is busy, flushes become fewer, and each stands for more events. The clients of
 * a process share one pace, and have their turns in the order in which they ask.
 */
export class FlushPace {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether nobody need wait at the moment. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && this.#clock.monotonicMs() >= this.#freeAtMs;
  }

  /** Runs `flush` when it is its turn, at once if that is now. */
  inTurn(flush: () => void): void {
    if (this.isFree) {
      this.run(flush);
      return;
    }
    this.#waiting.push(flush);
    if (this.#waiting.length === 1) this.#wait();
  }

  /** Runs `flush` now, and has others wait for it. */
  run(flush: () => void): void {
    const beganMs = this.#clock.monotonicMs();
    flush();
    const endedMs = this.#clock.monotonicMs();
    const waitMs = Math.min((endedMs - beganMs) * (1 / share - 1), longestWaitMs);
    this.#freeAtMs = Math.max(this.#freeAtMs, endedMs + waitMs);
  }

  #wait(): void {
    this.#clock.after(Math.max(0, this.#freeAtMs - this.#clock.monotonicMs()), () => {
      const [next] = this.#waiting;
      try {
        this.run(next!);
      } finally {
        // Whatever became of it, the others have their turns.
        this.#waiting.shift();
        if (this.#waiting.length > 0) this.#wait();
      }
    });
  }
}

const paces = new WeakMap<Clock, FlushPace>();

/** That of all who go by the same clock. */
export function paceOf(clock: Clock): FlushPace {
  let pace = paces.get(clock);
  if (pace === undefined) {
    pace = new FlushPace(clock);
    paces.set(clock, pace);
  }
  return pace;
}
