import type { Ring } from './cascade.js';

const noCells: number[] = [];
/** Of a cell in the list: index, count, total. */
const listed = 3;
/** A list becomes a column when that takes no more numbers, but not before it has so many cells. */
const leastColumn = 8;

/**
 * Cells of a count and a total. While most cells of the run are empty, those that are not are a list; else all lie side by side in one column:
 * 16 bytes a cell, as long as the data reaches. Nothing outside can tell which.
 */
export class NumberRing implements Ring<NumberRing> {
  first = 0;
  size = 0;
  /** Index, count and total of the cells in use, ascending, in turns; undefined while they are a column. Small plain arrays are cheaper to make than typed ones. */
  #list: number[] | undefined = noCells;
  /** Count and total of all cells, in turns; cell `first` begins at `#offset`. */
  #column: number[] = noCells;
  #offset = 0;

  weightOf(index: number): number {
    if (this.#list === undefined) return this.#column[this.#offset + (index - this.first) * 2]!;
    const slot = slotOf(this.#list, index);
    return this.#list[slot] === index ? this.#list[slot + 1]! : 0;
  }

  totalOf(index: number): number {
    if (this.#list === undefined) return this.#column[this.#offset + (index - this.first) * 2 + 1]!;
    const slot = slotOf(this.#list, index);
    return this.#list[slot] === index ? this.#list[slot + 2]! : 0;
  }

  nextUsed(index: number): number {
    const end = this.first + this.size;
    if (this.#list !== undefined) return this.#list[slotOf(this.#list, index)] ?? end;
    const column = this.#column;
    let cell = index;
    for (let at = this.#offset + (index - this.first) * 2; cell < end && !(column[at]! > 0); at += 2) cell++;
    return cell;
  }

  /** Adds the cells from `start` up to, not including, `end`, as far as they lie within the run, to `sum`. */
  sumInto(sum: { count: number; total: number }, start: number, end: number): void {
    let { count, total } = sum;
    if (this.#list === undefined) {
      const column = this.#column;
      const last = this.#offset + Math.min(end - this.first, this.size) * 2;
      for (let at = this.#offset + Math.max(start - this.first, 0) * 2; at < last; at += 2) {
        count += column[at]!;
        total += column[at + 1]!;
      }
    } else {
      const list = this.#list;
      for (let slot = slotOf(list, start); slot < list.length && list[slot]! < end; slot += listed) {
        count += list[slot + 1]!;
        total += list[slot + 2]!;
      }
    }
    sum.count = count;
    sum.total = total;
  }

  add(index: number, count: number, total: number): void {
    if (this.#list !== undefined) {
      this.#addToList(this.#list, index, count, total);
      return;
    }
    const at = index - this.first;
    const slot = at >= 0 && at < this.size ? this.#offset + at * 2 : this.#reach(index);
    this.#column[slot]! += count;
    this.#column[slot + 1]! += total;
  }

  take(index: number, from: NumberRing, fromIndex: number): void {
    this.add(index, from.weightOf(fromIndex), from.totalOf(fromIndex));
  }

  takeFrom(start: number, from: NumberRing): void {
    const list = from.#list;
    if (list !== undefined) {
      for (let slot = slotOf(list, start); slot < list.length; slot += listed) {
        this.add(list[slot]!, list[slot + 1]!, list[slot + 2]!);
      }
      return;
    }
    const column = from.#column;
    const end = from.first + from.size;
    for (let cell = start, at = from.#offset + (start - from.first) * 2; cell < end; cell++, at += 2) {
      if (column[at]! > 0) this.add(cell, column[at]!, column[at + 1]!);
    }
  }

  dropBefore(index: number): void {
    const gone = Math.min(Math.max(index - this.first, 0), this.size);
    this.first += gone;
    this.size -= gone;
    if (this.#list === undefined) this.#offset += gone * 2;
    else if (gone > 0 && this.#list.length > 0) this.#list.splice(0, slotOf(this.#list, this.first));
    if (this.size === 0) this.#empty();
  }

  dropFrom(index: number): void {
    this.size = Math.min(Math.max(index - this.first, 0), this.size);
    if (this.#list !== undefined && this.#list.length > 0) this.#list.length = slotOf(this.#list, index);
    if (this.size === 0) this.#empty();
  }

  #empty(): void {
    this.#list = noCells;
    this.#column = noCells;
  }

  #addToList(list: number[], index: number, count: number, total: number): void {
    if (list.length === 0) {
      if (this.size > 0) this.#widen(index);
      else {
        this.first = index;
        this.size = 1;
      }
      // An array that is pushed to makes room for sixteen more: most lists of a Part have one cell.
      this.#list = [index, count, total];
      return;
    }
    const slot = slotOf(list, index);
    if (list[slot] === index) {
      list[slot + 1]! += count;
      list[slot + 2]! += total;
      return;
    }
    this.#widen(index);
    if (slot === list.length) list.push(index, count, total);
    else list.splice(slot, 0, index, count, total);
    const used = list.length / listed;
    if (used >= leastColumn && this.size * 2 <= list.length) this.#toColumn(list);
  }

  #widen(index: number): void {
    const last = Math.max(this.first + this.size - 1, index);
    this.first = Math.min(this.first, index);
    this.size = last - this.first + 1;
  }

  #toColumn(list: readonly number[]): void {
    const column = new Array<number>((this.size + (this.size >> 1)) * 2).fill(0);
    for (let slot = 0; slot < list.length; slot += listed) {
      const at = (list[slot]! - this.first) * 2;
      column[at] = list[slot + 1]!;
      column[at + 1] = list[slot + 2]!;
    }
    this.#list = undefined;
    this.#column = column;
    this.#offset = 0;
  }

  /** Extends the run to `index`. @returns where its cell is in the column */
  #reach(index: number): number {
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
    const column = new Array<number>((size + (size >> 1)) * 2).fill(0);
    for (let at = 0, to = before * 2; at < this.size * 2; at++, to++) column[to] = from[start + at]!;
    this.#column = column;
    this.#offset = 0;
  }
}

/** Where in a list a cell is, or would be. */
function slotOf(list: readonly number[], index: number): number {
  let low = 0;
  let high = list.length / listed;
  // The newest ones are what most is done to.
  if (high > 0 && list[(high - 1) * listed]! <= index) {
    const newest = (high - 1) * listed;
    return list[newest] === index ? newest : list.length;
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle * listed]! < index) low = middle + 1;
    else high = middle;
  }
  return low * listed;
}
