import type { Gathered } from './gathered.js';
import { NumberColumns } from './number-columns.js';

export interface SecondColumnsOptions {
  /** That may wait at the same time. */
  readonly maxSeconds: number;
  /** As of `NumberColumns`, for each second. */
  readonly maxCounts: number;
  /** Columns that have grown larger are not kept for another second. */
  readonly maxSpareRows: number;
}

/** Numbers of a few seconds by row: one `NumberColumns` for each second, which all give their rows the same meaning. */
export class SecondColumns {
  readonly #options: SecondColumnsOptions;
  readonly #bySecond = new Map<number, NumberColumns>();
  /** Emptied, to be used for another second. */
  readonly #spare: NumberColumns[] = [];

  constructor(options: SecondColumnsOptions) {
    this.#options = options;
  }

  /** Events gathered and not yet drained. */
  get events(): number {
    let events = 0;
    for (const columns of this.#bySecond.values()) events += columns.events;
    return events;
  }

  /** Whether it can hold these seconds beside those that it holds. */
  fits(seconds: readonly number[]): boolean {
    const fresh = seconds.filter((second) => !this.#bySecond.has(second)).length;
    return this.#bySecond.size + fresh <= this.#options.maxSeconds;
  }

  /** The columns of a second that fits. */
  of(second: number): NumberColumns {
    let columns = this.#bySecond.get(second);
    if (columns === undefined) {
      columns = this.#spare.pop() ?? new NumberColumns(this.#options.maxCounts);
      this.#bySecond.set(second, columns);
    }
    return columns;
  }

  /** Gives out every row of every second, the oldest first, and empties it; see `NumberColumns.drain`. */
  drain(take: (second: number, row: number, gathered: Gathered) => void): void {
    for (const second of [...this.#bySecond.keys()].sort((a, b) => a - b)) {
      const columns = this.#bySecond.get(second)!;
      columns.drain((row, gathered) => take(second, row, gathered));
      this.#bySecond.delete(second);
      if (columns.rows <= this.#options.maxSpareRows) this.#spare.push(columns);
    }
  }
}
