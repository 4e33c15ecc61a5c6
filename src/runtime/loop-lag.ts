import { createHistogram } from 'node:perf_hooks';
import type { Clock } from './clock.js';

/** How often it is looked. Lower values miss less, and wake an idle process more often. */
const everyMs = 100;
const nsPerMs = 1e6;
const nsPerSec = 1e9;

/** How late timers came, in seconds; all 0 where none came. */
export interface LagFigures {
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/**
 * How long whatever comes in has to wait until the event loop gets to it: by how much a timer is late. The monitor of
 * `perf_hooks` wakes the process every 10 ms for that, which is most of what an idle process costs, and counts the
 * interval in. This one begins when somebody asks for the first time: a process that nobody watches is not woken at all.
 */
export class LoopLag {
  readonly #clock: Clock;
  readonly #lateNs = createHistogram();
  #lastNs = 0;
  #isLooking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #look(): void {
    const dueMs = this.#clock.monotonicMs() + everyMs;
    this.#clock.after(everyMs, () => {
      this.#lastNs = Math.max(0, Math.round((this.#clock.monotonicMs() - dueMs) * nsPerMs));
      // A histogram knows no 0.
      this.#lateNs.record(Math.max(1, this.#lastNs));
      this.#look();
    });
  }

  /** Since the last call. */
  take(): LagFigures {
    if (!this.#isLooking) this.#look();
    this.#isLooking = true;
    const late = this.#lateNs;
    const seconds = (ns: number) => (late.count === 0 ? 0 : ns / nsPerSec);
    const figures = {
      last: seconds(this.#lastNs),
      min: seconds(late.min),
      max: seconds(late.max),
      mean: seconds(late.mean),
      stddev: seconds(late.stddev),
      p50: seconds(late.percentile(50)),
      p90: seconds(late.percentile(90)),
      p99: seconds(late.percentile(99)),
    };
    late.reset();
    return figures;
  }
}
