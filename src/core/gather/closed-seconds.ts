import type { GatheredSeconds } from './gathered.js';

const firstCells = 1024;

/**
 * Counts and totals of seconds that have ended, for rows that go on gathering: a cell for each row and second in which something
 * came. The cells of a row are chained from the newest to the oldest.
 */
export class ClosedSeconds {
  /** Second, count and total of a cell. */
  #seconds = new Float64Array(firstCells);
  #counts = new Float64Array(firstCells);
  #totals = new Float64Array(firstCells);
  /** The row's cell before, plus 1; 0 for its first. */
  #before = new Int32Array(firstCells);
  #used = 0;
  /** By row: its newest cell plus 1, 0 for none. */
  #newest = new Int32Array(0);
  /** By row: what its cells count in all. */
  #countOf = new Float64Array(0);

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** What the cells of a row count in all. */
  countOf(row: number): number {
    return this.#countOf[row] ?? 0;
  }

  /** @param second later than those that the row has a cell of */
  put(row: number, second: number, count: number, total: number): void {
    if (this.#used === this.#seconds.length) this.#grow();
    if (row >= this.#newest.length) this.#reach(row);
    const cell = this.#used++;
    this.#seconds[cell] = second;
    this.#counts[cell] = count;
    this.#totals[cell] = total;
    this.#before[cell] = this.#newest[row]!;
    this.#newest[row] = cell + 1;
    this.#countOf[row]! += count;
  }

  /** Writes the cells of a row into `shown`, from the oldest to the newest. */
  show(row: number, shown: GatheredSeconds): void {
    let length = 0;
    for (let cell = this.#newest[row] ?? 0; cell > 0; cell = this.#before[cell - 1]!) length++;
    shown.length = length;
    for (let cell = this.#newest[row] ?? 0; cell > 0; cell = this.#before[cell - 1]!) {
      length--;
      shown.seconds[length] = this.#seconds[cell - 1]!;
      shown.counts[length] = this.#counts[cell - 1]!;
      shown.totals[length] = this.#totals[cell - 1]!;
    }
  }

  /** The row begins anew; its cells take up room until `clear`. */
  forget(row: number): void {
    if (row >= this.#newest.length) return;
    this.#newest[row] = 0;
    this.#countOf[row] = 0;
  }

  /** Gives the room of all cells back; every row must have been forgotten. */
  clear(): void {
    this.#used = 0;
  }

  #grow(): void {
    const grown = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    const cells = this.#seconds.length * 2;
    this.#seconds = grown(this.#seconds, new Float64Array(cells));
    this.#counts = grown(this.#counts, new Float64Array(cells));
    this.#totals = grown(this.#totals, new Float64Array(cells));
    this.#before = grown(this.#before, new Int32Array(cells));
  }

  #reach(row: number): void {
    const rows = Math.max(firstCells, 2 ** Math.ceil(Math.log2(row + 1)));
    const newest = new Int32Array(rows);
    newest.set(this.#newest);
    this.#newest = newest;
    const countOf = new Float64Array(rows);
    countOf.set(this.#countOf);
    this.#countOf = countOf;
  }
}
