import type { Ring } from './cascade.js';

const noCells: number[] = [];

/** Cells of a count and a total, side by side in one column: 16 bytes a cell, as long as the data reaches. */
export class NumberRing implements Ring<NumberRing> {
  first = 0;
  size = 0;
  /** Count and total of the cells, in turns; cell `first` begins at `#offset`. Small plain arrays are cheaper to make than typed ones. */
  #column: number[] = noCells;
  #offset = 0;

  weightOf(index: number): number {
    return this.#column[this.#offset + (index - this.first) * 2]!;
  }

  totalOf(index: number): number {
    return this.#column[this.#offset + (index - this.first) * 2 + 1]!;
  }

  /** Adds the cells from `start` up to, not including, `end`, as far as they lie within the run, to `sum`. */
  sumInto(sum: { count: number; total: number }, start: number, end: number): void {
    const column = this.#column;
    const last = this.#offset + Math.min(end - this.first, this.size) * 2;
    let { count, total } = sum;
    for (let at = this.#offset + Math.max(start - this.first, 0) * 2; at < last; at += 2) {
      count += column[at]!;
      total += column[at + 1]!;
    }
    sum.count = count;
    sum.total = total;
  }

  add(index: number, count: number, total: number): void {
    const at = index - this.first;
    const slot = at >= 0 && at < this.size ? this.#offset + at * 2 : this.#reach(index);
    this.#column[slot]! += count;
    this.#column[slot + 1]! += total;
  }

  take(index: number, from: NumberRing, fromIndex: number): void {
    this.add(index, from.weightOf(fromIndex), from.totalOf(fromIndex));
  }

  dropBefore(index: number): void {
    const gone = Math.min(Math.max(index - this.first, 0), this.size);
    this.first += gone;
    this.size -= gone;
    this.#offset += gone * 2;
  }

  dropFrom(index: number): void {
    this.size = Math.min(Math.max(index - this.first, 0), this.size);
  }

  /** Extends the run to `index`. @returns where its cell is in the column */
  #reach(index: number): number {
    if (this.size === 0) {
      this.first = index;
      this.#offset = 0;
    }
    const before = Math.max(this.first - index, 0);
    const size = Math.max(this.size + before, index - this.first + 1);
    const oldEnd = this.#offset + this.size * 2;
    if (before * 2 > this.#offset || this.#offset + (size - before) * 2 > this.#column.length) {
      this.#move(before, size);
    } else {
      // Room on the proper side: what lies there may be left over from dropped cells.
      this.#offset -= before * 2;
      if (before > 0) this.#column.fill(0, this.#offset, this.#offset + before * 2);
      else this.#column.fill(0, oldEnd, this.#offset + size * 2);
    }
    this.first -= before;
    this.size = size;
    return this.#offset + (index - this.first) * 2;
  }

  /** Lays the run out anew, `before` empty cells ahead of it, in a column with room for half as much again. */
  #move(before: number, size: number): void {
    const from = this.#column;
    const start = this.#offset;
    const column: number[] = size === 1 ? [0, 0] : new Array<number>((size + (size >> 1)) * 2).fill(0);
    for (let at = 0, to = before * 2; at < this.size * 2; at++, to++) column[to] = from[start + at]!;
    this.#column = column;
    this.#offset = 0;
  }
}
