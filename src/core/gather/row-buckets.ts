import { Histogram } from '../sketch/histogram.js';
import { CountPages, maxPageKeys } from './count-pages.js';
import type { GatheredRow } from './gathered.js';
import { KeyLists, keyOfEntry, keysPerList, listEntry, weightOfEntry } from './key-lists.js';
import { isList, keyAt, maxAt, minAt, placeAt, sizeAt, stride } from './row.js';

/** A larger weight would only be carried over from a page. */
const maxPageWeight = 256;

interface Page {
  readonly start: number;
  readonly size: number;
  /** Of the bucket that its first count is of. */
  readonly firstKey: number;
}

/**
 * The buckets of the rows of `NumberColumns` that have seen different values: on a short list first, on a page once that is full, and
 * in a histogram what neither holds. Where a row's buckets are is in the row, see row.ts, which every call gets with its rows.
 */
export class RowBuckets {
  readonly lists = new KeyLists();
  readonly pages: CountPages;
  /** Of rows whose values are of a kind that neither list nor page holds, and of those that come too often for them. */
  readonly #histograms = new Map<number, Histogram>();

  /** @param maxCounts on all pages together, a byte each */
  constructor(maxCounts: number) {
    this.pages = new CountPages(maxCounts);
  }

  add(rows: Float64Array, row: number, key: number, weight: number): void {
    // Lists and pages hold small whole weights.
    const fits = Number.isInteger(weight) && weight < maxPageWeight;
    if (fits && this.#addToList(rows, row, key, weight)) return;
    // Pages hold positive values.
    if (!fits || key <= 0 || !this.#hasPage(rows, row, key)) {
      this.histogram(row).addToBucket(key, weight);
      return;
    }
    const at = row * stride;
    const carried = this.pages.add(rows[at + placeAt]! + key - rows[at + keyAt]!, weight);
    if (carried > 0) this.histogram(row).addToBucket(key, carried);
  }

  /** What is too much for a row's list or page. */
  histogram(row: number): Histogram {
    let histogram = this.#histograms.get(row);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.#histograms.set(row, histogram);
    }
    return histogram;
  }

  /** @returns whether the row has a list with room, made when it has nothing yet */
  #addToList(rows: Float64Array, row: number, key: number, weight: number): boolean {
    const at = row * stride;
    if (rows[at + sizeAt] === 0) {
      rows[at + placeAt] = this.lists.make();
      rows[at + keyAt] = 0;
      rows[at + sizeAt] = isList;
    }
    const length = rows[at + keyAt]!;
    if (rows[at + sizeAt] !== isList || length === keysPerList) return false;
    this.lists.entries[rows[at + placeAt]! + length] = listEntry(key, weight);
    rows[at + keyAt] = length + 1;
    return true;
  }

  /** @returns whether the row's page, made or grown if need be, holds this bucket */
  #hasPage(rows: Float64Array, row: number, key: number): boolean {
    const at = row * stride;
    const [start, first, size] = [rows[at + placeAt]!, rows[at + keyAt]!, rows[at + sizeAt]!];
    if (size === isList) return this.#exchangeList(rows, row, key);
    if (key >= first && key < first + size) return true;
    const page = this.#newPage(Math.min(first, key), Math.max(first + size, key + 1));
    if (page === undefined) return false;
    this.pages.move(start, size, page.start + first - page.firstKey);
    setPage(rows, at, page);
    return true;
  }

  /** A full list goes to a page which has room for one more bucket, or into the row's histogram. @returns whether there is a page now */
  #exchangeList(rows: Float64Array, row: number, key: number): boolean {
    const at = row * stride;
    const start = rows[at + placeAt]!;
    const list = this.lists.entries.subarray(start, start + rows[at + keyAt]!);
    let from = key;
    let to = key + 1;
    for (const entry of list) {
      const one = keyOfEntry(entry);
      if (one <= 0) continue;
      from = Math.min(from, one);
      to = Math.max(to, one + 1);
    }
    const page = this.#newPage(from, to);
    if (page === undefined) {
      for (const entry of list) this.histogram(row).addToBucket(keyOfEntry(entry), weightOfEntry(entry));
      rows[at + keyAt] = 0;
      return false;
    }
    this.lists.giveBack(start);
    setPage(rows, at, page);
    for (const entry of list) this.add(rows, row, keyOfEntry(entry), weightOfEntry(entry));
    return true;
  }

  /** An empty page for the buckets `from` to before `to`; undefined where there is none so wide. */
  #newPage(from: number, to: number): Page | undefined {
    if (to - from > maxPageKeys) return undefined;
    const page = this.pages.make(to - from);
    if (page === undefined) return undefined;
    // Room on both sides, but not below the first bucket of positive values.
    return { ...page, firstKey: Math.max(1, from - ((page.size - (to - from)) >> 1)) };
  }

  show(rows: Float64Array, row: number, shown: GatheredRow): void {
    const at = row * stride;
    const hasList = rows[at + sizeAt] === isList;
    shown.entries = this.lists.entries;
    shown.listLength = hasList ? rows[at + keyAt]! : 0;
    shown.counts = this.pages.counts;
    shown.start = rows[at + placeAt]!;
    shown.pageSize = hasList ? 0 : rows[at + sizeAt]!;
    shown.firstKey = rows[at + keyAt]!;
    shown.rest = this.#histograms.size === 0 ? undefined : this.#histograms.get(row);
  }

  /** Keeps the row's list or page, and nothing on it. */
  empty(rows: Float64Array, row: number): void {
    const at = row * stride;
    const size = rows[at + sizeAt]!;
    if (size === isList) rows[at + keyAt] = 0;
    else if (size > 0 && rows[at + minAt] !== rows[at + maxAt]) this.pages.empty(rows[at + placeAt]!, size);
    if (this.#histograms.size > 0) this.#histograms.delete(row);
  }

  /** Takes all rows, which are empty, their lists and pages: those that were busy once must not keep the room from those that are busy now. */
  forget(rows: Float64Array): void {
    this.pages.clear();
    this.lists.clear();
    for (let at = sizeAt; at < rows.length; at += stride) rows[at] = 0;
  }
}

function setPage(rows: Float64Array, at: number, { start, firstKey, size }: Page): void {
  rows[at + placeAt] = start;
  rows[at + keyAt] = firstKey;
  rows[at + sizeAt] = size;
}
