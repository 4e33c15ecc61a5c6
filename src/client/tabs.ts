import type { Recorder } from './engine.js';

/** Rolling counts and totals of 1m, 10m, 1h and 1d, and percentiles of all time (`CounterGroup`). */
export class Counter {
  readonly #recorder: Recorder;

  /** Made by `client.counter(name)`. */
  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Something happened once. */
  increment(): void {
    this.#recorder.record(1);
  }

  /** Something happened that has a size: the price of a bid, the bytes of an answer. Counts as one event. */
  record(value: number): void {
    this.#recorder.record(value);
  }
}

/** Numbers whose distribution matters (`PercentileGroup`): percentiles of 1m, 10m, 1h and 1d, each within 1 %. */
export class Percentile {
  readonly #recorder: Recorder;

  /** Made by `client.percentile(name)`. */
  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  record(value: number): void {
    this.#recorder.record(value);
  }

  /** Measures from now to the call of the function returned, which records the seconds and returns them. */
  startTimer(): () => number {
    const beganAtMs = performance.now();
    return () => {
      const tookSec = (performance.now() - beganAtMs) / 1000;
      this.#recorder.record(tookSec);
      return tookSec;
    };
  }

  /** Runs `action` and records how many seconds it took, whether it ends well or throws; waits for a promise. */
  time<T>(action: () => T): T {
    const stop = this.startTimer();
    let result: T;
    try {
      result = action();
    } catch (error) {
      stop();
      throw error;
    }
    if (result instanceof Promise) return result.finally(stop) as T;
    stop();
    return result;
  }
}

/** All-time count, total and average (`TotalsCounter`). */
export class Totals {
  readonly #recorder: Recorder;

  /** Made by `client.totals(name)`. */
  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  record(value: number): void {
    this.#recorder.record(value);
  }
}

/** What is the case now, for this client: a version, a state, a fill level. The aggregate says how many clients hold each value. */
export class Gauge {
  readonly #recorder: Recorder;
  readonly #keepSec: number | undefined;

  /** Made by `client.gauge(name)`. */
  constructor(recorder: Recorder, keepSec: number | undefined) {
    this.#recorder = recorder;
    this.#keepSec = keepSec;
  }

  set(value: string | number): void {
    this.#recorder.record(this.#keepSec === undefined ? value : [value, expirySec(this.#keepSec)]);
  }
}

/** The latest values themselves, each with its time, until they expire (`Buffer`); the newest 1,000. */
export class ValueBuffer {
  readonly #recorder: Recorder;
  readonly #keepSec: number;

  /** Made by `client.buffer(name, { keepSec })`. */
  constructor(recorder: Recorder, keepSec: number) {
    this.#recorder = recorder;
    this.#keepSec = keepSec;
  }

  add(value: string | number): void {
    this.#recorder.record([value, expirySec(this.#keepSec)]);
  }
}

/** How many different values there are (`UniqueCounter`): users, addresses, sessions. */
export class Unique {
  readonly #recorder: Recorder;

  /** Made by `client.unique(name)`. */
  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  add(value: string): void {
    this.#recorder.record(value);
  }
}

function expirySec(keepSec: number): number {
  return Date.now() / 1000 + keepSec;
}
