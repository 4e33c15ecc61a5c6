/** After so long a burst has lost half of its weight. */
const halfLifeMs = 10_000;

/** A rate that forgets: events per second, lately. */
export class DecayedRate {
  readonly #nowMs: () => number;
  #weight = 0;
  #atMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  add(events: number): void {
    this.#weight = this.#faded() + events;
    this.#atMs = this.#nowMs();
  }

  get perSec(): number {
    return (this.#faded() * Math.LN2 * 1000) / halfLifeMs;
  }

  #faded(): number {
    return this.#weight * 0.5 ** (Math.max(0, this.#nowMs() - this.#atMs) / halfLifeMs);
  }
}
