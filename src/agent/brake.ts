import type { Clock } from '../runtime/clock.js';

/** However far behind the servers are, an SDK does not wait longer for an answer: events fold there meanwhile, and it might take the agent for dead. */
const longestMs = 5000;

/**
 * Holds answers back while servers are behind: who waits for an answer sends nothing and folds on, so that what is sent in
 * the end is fewer Parts, of more events each. Without it, everything would be merged here, which costs several times as much.
 */
export class Brake {
  readonly #clock: Clock;
  readonly #isBehind: () => boolean;
  #held: (() => void)[] = [];
  #callOff: (() => void) | undefined;

  /** @param isBehind whether servers are slower than what comes in; asked again whenever `look` is called */
  constructor(clock: Clock, isBehind: () => boolean) {
    this.#clock = clock;
    this.#isBehind = isBehind;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Calls `answer` now, or when servers have caught up. */
  answer(answer: () => void): void {
    if (!this.#isBehind()) {
      answer();
      return;
    }
    this.#held.push(answer);
    this.#callOff ??= this.#clock.after(longestMs, () => this.release());
  }

  /** Something has changed. */
  look(): void {
    if (this.#held.length > 0 && !this.#isBehind()) this.release();
  }

  release(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const held = this.#held;
    this.#held = [];
    for (const answer of held) answer();
  }
}
