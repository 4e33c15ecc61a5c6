import { setImmediate as nextTurn } from 'node:timers/promises';
import { TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';

/** How long a query works before others have their turn. Higher values answer sooner at the cost of everybody else. */
const sliceMs = 5;

/** The time that a query may use, taken in slices: no query may hold up a server. */
export class QueryTurn {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #usedMs = 0;
  #sliceStartMs: number;

  /** @param budgetMs working time in all; what others use between the slices is not counted */
  constructor(clock: Clock, budgetMs: number) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#sliceStartMs = clock.monotonicMs();
  }

  /** Whether it is time to call `next`. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets others run. @throws TabaError `query_too_slow` when the budget is used up */
  async next(): Promise<void> {
    this.#usedMs += this.#clock.monotonicMs() - this.#sliceStartMs;
    if (this.#usedMs > this.#budgetMs) {
      throw new TabaError('query_too_slow', `the query took more than ${this.#budgetMs} ms of work`);
    }
    await nextTurn();
    this.#sliceStartMs = this.#clock.monotonicMs();
  }
}
