import { TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';

/** How long a query works before others have their turn. Higher values answer sooner at the cost of everybody else. */
const sliceMs = 2;

/** Who waits for the answer to a query. */
export interface Asker {
  /** He has gone away: nobody waits any more. */
  readonly isAborted: boolean;
}

/** The time that a query may use, taken in slices: no query may hold up a server. Several workers may share it. */
export class QueryTurn {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  readonly #asker: Asker | undefined;
  #usedMs = 0;
  #sliceStartMs: number;
  #pause: Promise<void> | undefined;

  /**
   * @param budgetMs working time in all; what others use between the slices is not counted
   * @param asker who waits for the answer
   */
  constructor(clock: Clock, budgetMs: number, asker?: Asker) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#asker = asker;
    this.#sliceStartMs = clock.monotonicMs();
  }

  /** Whether it is time to call `next`. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets others run. @throws TabaError `query_too_slow` when the budget is used up, or nobody wants the answer any more */
  next(): Promise<void> {
    this.#pause ??= this.#next();
    return this.#pause;
  }

  async #next(): Promise<void> {
    this.#usedMs += this.#clock.monotonicMs() - this.#sliceStartMs;
    if (this.#usedMs > this.#budgetMs) {
      throw new TabaError('query_too_slow', `the query took more than ${this.#budgetMs} ms of work`);
    }
    if (this.#asker?.isAborted) throw new TabaError('query_too_slow', 'whoever asked has gone');
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#sliceStartMs = this.#clock.monotonicMs();
    this.#pause = undefined;
  }
}
