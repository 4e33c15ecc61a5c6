import type { Clock } from '../runtime/clock.js';

/** Something that was not taken, for whoever looks for its sender. */
export interface Sample {
  readonly at: string;
  readonly from: string;
  readonly code: string;
  readonly message: string;
}

/** Messages are cut to this many characters. */
const maxMessageLength = 300;

/** The last few things that were refused, and from whom. */
export class Samples {
  readonly #clock: Clock;
  readonly #limit: number;
  #samples: Sample[] = [];

  constructor(clock: Clock, limit = 20) {
    this.#clock = clock;
    this.#limit = limit;
  }

  add(from: string, code: string, message: string): void {
    if (this.#samples.length === this.#limit) this.#samples.shift();
    const at = new Date(this.#clock.nowMs()).toISOString();
    this.#samples.push({ at, from, code, message: message.slice(0, maxMessageLength) });
  }

  /** Oldest first. */
  all(): readonly Sample[] {
    return [...this.#samples];
  }
}

/** For people. */
export function renderSamples(samples: readonly Sample[]): string[] {
  return [
    'not taken lately',
    ...samples.map(({ at, from, code, message }) => `  ${at}  ${from}  ${code}: ${message}`),
  ];
}
