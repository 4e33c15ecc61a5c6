export interface BackoffOptions {
  /** Pause after the first failure, before jitter. */
  readonly firstMs: number;
  /** No pause is longer. Higher values spare the other side, at the cost of a later return. */
  readonly maxMs: number;
  /** In [0, 1); a test gives its own. */
  readonly random?: () => number;
}

/** Pauses between attempts: doubled by each failure, and multiplied by a jitter of 0.5 to 1, so that many do not come back at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({ firstMs, maxMs, random = Math.random }: BackoffOptions) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure. @returns how long to wait now, ms */
  nextMs(): number {
    // The exponent is bounded: after days of failures 2 ** n would be Infinity.
    const plainMs = Math.min(this.#firstMs * 2 ** Math.min(this.#failures, 40), this.#maxMs);
    this.#failures++;
    return plainMs * (0.5 + this.#random() / 2);
  }

  /** After a success. */
  reset(): void {
    this.#failures = 0;
  }
}
