import { bucketKey } from '../sketch/scale.js';
import { ClosedSeconds } from './closed-seconds.js';
import { countBase } from './count-pages.js';
import { type Gathered, GatheredRow } from './gathered.js';
import { keysPerList, listEntry } from './key-lists.js';
import { countAt, eventsAt, isList, keyAt, maxAt, minAt, placeAt, sizeAt, stride, totalAt } from './row.js';
import { RowBuckets } from './row-buckets.js';

/**
 * Numbers of one moment, or of a few seconds in a row (see `close`), by row, in columns: what a receiver of single events puts before
 * the Handlers. An event touches one line of memory, and where a row has different values a place on the row's list or page;
 * histograms and States, which are many objects each, are touched once for all the events of a row.
 *
 * Rows are numbers from 0 that the caller gives out, densely. Memory follows from the number of rows and of different
 * values, never from the number of events.
 */
export class NumberColumns {
  #rows = new Float64Array(1024 * stride);
  #touched = new Int32Array(1024);
  #touchedCount = 0;
  #events = 0;
  readonly #buckets: RowBuckets;
  readonly #closed = new ClosedSeconds();
  #closedSeconds = 0;
  readonly #shown = new GatheredRow();

  /** @param maxCounts on all pages together, a byte each; rows beyond that gather in histograms of their own, at several times the cost */
  constructor(maxCounts = 2 ** 23) {
    this.#buckets = new RowBuckets(maxCounts);
  }

  /** Events gathered and not yet drained. */
  get events(): number {
    return this.#events;
  }

  /** That there is memory for. */
  get rows(): number {
    return this.#touched.length;
  }

  /** Rows that have gathered something. */
  get touched(): number {
    return this.#touchedCount;
  }

  /** How often `close` was called since all rows were empty. */
  get closedSeconds(): number {
    return this.#closedSeconds;
  }

  /**
   * A second has ended: what was gathered since the last one is of this second, and what comes is of a later one. What else
   * is known of a row goes on being gathered as a whole. Only for whole weights.
   */
  close(second: number): void {
    const rows = this.#rows;
    for (let index = 0; index < this.#touchedCount; index++) {
      const row = this.#touched[index]!;
      const at = row * stride;
      const count = rows[at + countAt]! - this.#closed.countOf(row);
      if (count === 0) continue;
      const min = rows[at + minAt]!;
      const total = min === rows[at + maxAt] ? min * count : rows[at + totalAt]!;
      this.#closed.put(row, second, count, total);
      rows[at + totalAt] = 0;
    }
    this.#closedSeconds++;
  }

  /** @param value finite, not -0 @param weight above 0 */
  add(row: number, value: number, weight: number): void {
    const at = row * stride;
    if (at >= this.#rows.length) this.#reach(row);
    const rows = this.#rows;
    this.#events++;
    const before = rows[at]!;
    rows[at] = before + 1;
    if (before === 0) {
      this.#touched[this.#touchedCount++] = row;
      rows[at + countAt] = weight;
      rows[at + totalAt] = value * weight;
      rows[at + minAt] = value;
      rows[at + maxAt] = value;
      return;
    }
    const countBefore = rows[at + countAt]!;
    rows[at + countAt] = countBefore + weight;
    rows[at + totalAt]! += value * weight;
    const min = rows[at + minAt]!;
    const max = rows[at + maxAt]!;
    if (min === max) {
      if (value === min) return;
      // The second value: from now on there are buckets, first that of the value that was alone.
      this.#buckets.add(rows, row, bucketKey(min), countBefore);
    }
    if (value < min) rows[at + minAt] = value;
    else if (value > max) rows[at + maxAt] = value;
    const key = bucketKey(value);
    const slot = key - rows[at + keyAt]!;
    if (weight === 1 && slot >= 0 && slot < rows[at + sizeAt]!) {
      const carried = this.#buckets.pages.add(rows[at + placeAt]! + slot, 1);
      if (carried > 0) this.#buckets.histogram(row).addToBucket(key, carried);
    } else {
      this.#buckets.add(rows, row, key, weight);
    }
  }

  /**
   * Adds the events from `start` up to `end`, each of weight 1 to a row of its own, up to the first whose row has not gathered
   * different values before, or whose list is full, or whose page lacks the bucket. In a loop, the memory of several rows is fetched at the same time.
   * @param values finite @returns where that ends: `add` the event there, unless it is `end`
   */
  addEach(eventRows: Int32Array, values: Float64Array, start: number, end: number): number {
    const rows = this.#rows;
    const { counts } = this.#buckets.pages;
    const { entries } = this.#buckets.lists;
    let index = start;
    for (; index < end; index++) {
      const row = eventRows[index]!;
      const value = values[index]!;
      const at = row * stride;
      if (at >= rows.length) break;
      const min = rows[at + minAt]!;
      const max = rows[at + maxAt]!;
      const key = bucketKey(value);
      const first = rows[at + keyAt]!;
      const size = rows[at + sizeAt]!;
      const slot = key - first;
      const isOnPage = slot >= 0 && slot < size;
      if (min === max || (!isOnPage && (size !== isList || first === keysPerList))) break;
      if (value < min) rows[at + minAt] = value;
      else if (value > max) rows[at + maxAt] = value;
      rows[at + eventsAt]!++;
      rows[at + countAt]!++;
      rows[at + totalAt]! += value;
      const place = rows[at + placeAt]!;
      if (isOnPage) {
        const count = counts[place + slot]! + 1;
        counts[place + slot] = count;
        if (count === countBase) this.#buckets.histogram(row).addToBucket(key, countBase);
      } else {
        entries[place + first] = listEntry(key, 1);
        rows[at + keyAt] = first + 1;
      }
    }
    this.#events += index - start;
    return index;
  }

  /**
   * Adds the values from `start` up to `end`, each with weight 1, without a call for each: finite ones; NaN stands for none, -0
   * counts as 0.
   */
  addRun(row: number, values: Float64Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      at = this.#addSame(row, values, at, end);
      at = this.#addPaged(row, values, at, end);
      if (at === end) return;
      const value = values[at++]! + 0;
      if (!Number.isNaN(value)) this.add(row, value, 1);
    }
  }

  /** Adds values as long as they are the only one that the row has seen. @returns where that ends */
  #addSame(row: number, values: Float64Array, start: number, end: number): number {
    const base = row * stride;
    const rows = this.#rows;
    if (base >= rows.length || rows[base + eventsAt] === 0) return start;
    const only = rows[base + minAt]!;
    if (rows[base + maxAt] !== only) return start;
    let at = start;
    while (at < end && values[at] === only) at++;
    const events = at - start;
    rows[base + eventsAt]! += events;
    rows[base + countAt]! += events;
    rows[base + totalAt]! += only * events;
    this.#events += events;
    return at;
  }

  /** Adds values as `addEach` does, as long as the row's page has their buckets. @returns where that ends */
  #addPaged(row: number, values: Float64Array, start: number, end: number): number {
    const base = row * stride;
    const rows = this.#rows;
    if (base >= rows.length) return start;
    const size = rows[base + sizeAt]!;
    let min = rows[base + minAt]!;
    let max = rows[base + maxAt]!;
    if (size <= 0 || min === max) return start;
    const firstKey = rows[base + keyAt]!;
    const page = rows[base + placeAt]!;
    const { counts } = this.#buckets.pages;
    let total = rows[base + totalAt]!;
    let at = start;
    for (; at < end; at++) {
      const value = values[at]!;
      const key = bucketKey(value);
      const slot = key - firstKey;
      // The first bucket is one of positive values: NaN and 0, whose key is 0, are not on any page.
      if (slot < 0 || slot >= size) break;
      if (value < min) min = value;
      else if (value > max) max = value;
      total += value;
      const count = counts[page + slot]! + 1;
      counts[page + slot] = count;
      if (count === countBase) this.#buckets.histogram(row).addToBucket(key, countBase);
    }
    rows[base + minAt] = min;
    rows[base + maxAt] = max;
    rows[base + totalAt] = total;
    rows[base + eventsAt]! += at - start;
    rows[base + countAt]! += at - start;
    this.#events += at - start;
    return at;
  }

  #reach(row: number): void {
    const capacity = Math.max(row + 1, (this.#rows.length / stride) * 2);
    const rows = new Float64Array(capacity * stride);
    rows.set(this.#rows);
    this.#rows = rows;
    const touched = new Int32Array(capacity);
    touched.set(this.#touched);
    this.#touched = touched;
  }

  /**
   * Gives out every row that has gathered something, in the order in which they began, and empties it.
   * @param take gets what is right only during the call, and must not add
   */
  drain(take: (row: number, gathered: Gathered) => void): void {
    let lately = 0;
    for (let index = 0; index < this.#touchedCount; index++) {
      const row = this.#touched[index]!;
      // Emptied on its own meanwhile.
      if (!this.has(row)) continue;
      lately += Math.max(0, this.#rows[row * stride + sizeAt]!);
      take(row, this.show(row));
      this.empty(row);
    }
    this.#touchedCount = 0;
    this.#settle(lately);
  }

  /** Whether a row has gathered something. */
  has(row: number): boolean {
    return this.#rows[row * stride + eventsAt]! > 0;
  }

  /** What a row has gathered; right only until anything else is done here. */
  show(row: number): Gathered {
    const at = row * stride;
    const rows = this.#rows;
    const shown = this.#shown;
    shown.events = rows[at + eventsAt]!;
    shown.count = rows[at + countAt]!;
    shown.min = rows[at + minAt]!;
    shown.max = rows[at + maxAt]!;
    // Of one value, the product is nearer to the truth than the sum.
    shown.total = shown.min === shown.max ? shown.min * shown.count : rows[at + totalAt]!;
    this.#buckets.show(rows, row, shown);
    shown.bySecond.length = 0;
    if (this.#closedSeconds > 0) this.#showSeconds(row, shown);
    return shown;
  }

  #showSeconds(row: number, shown: GatheredRow): void {
    const { bySecond } = shown;
    this.#closed.show(row, bySecond);
    if (shown.min === shown.max) return;
    for (let index = 0; index < bySecond.length; index++) shown.total += bySecond.totals[index]!;
  }

  /** Empties one row. `settle` is to be called before anything is added. */
  empty(row: number): void {
    const at = row * stride;
    const rows = this.#rows;
    this.#events -= rows[at + eventsAt]!;
    this.#buckets.empty(rows, row);
    if (this.#closedSeconds > 0) this.#closed.forget(row);
    rows.fill(0, at, at + placeAt);
  }

  /** Rows were emptied one by one. */
  settle(): void {
    let left = 0;
    let lately = 0;
    for (let index = 0; index < this.#touchedCount; index++) {
      const row = this.#touched[index]!;
      lately += Math.max(0, this.#rows[row * stride + sizeAt]!);
      if (this.has(row)) this.#touched[left++] = row;
    }
    this.#touchedCount = left;
    if (left === 0) this.#settle(lately);
  }

  /** All rows are empty. @param lately counts on the pages of those that were not */
  #settle(lately: number): void {
    this.#shown.rest = undefined;
    this.#closed.clear();
    this.#closedSeconds = 0;
    if (this.#buckets.pages.isCrowdedBy(lately)) this.#buckets.forget(this.#rows);
  }
}
