import type { ByteWriter } from '../bytes.js';
import { encodeBin, encodeCounts, encodeList } from '../sketch/bins-codec.js';
import { encodeFigures } from '../sketch/figures-codec.js';
import { Histogram } from '../sketch/histogram.js';
import { bucketIndex, finestScale, indexOfKey } from '../sketch/scale.js';
import { keyOfEntry, keysPerList, sortEntries, weightOfEntry } from './key-lists.js';

/** Counts and totals second by second, ascending: the first `length` entries of each array. */
export interface GatheredSeconds {
  length: number;
  readonly seconds: number[];
  readonly counts: number[];
  readonly totals: number[];
}

/** Numbers that were gathered for one row, see `NumberColumns`. */
export interface Gathered {
  /** How many events, each counting as one whatever it weighs. */
  readonly events: number;
  /** The sum of their weights. */
  readonly count: number;
  readonly total: number;
  readonly min: number;
  /** The same as the minimum where one value came, whatever the number of events. */
  readonly max: number;
  /** The seconds that it is of, where they were told apart, see `NumberColumns.close`; else all of it is of one moment. */
  readonly bySecond: Readonly<GatheredSeconds>;
  /** All of it, made anew. */
  histogram(): Histogram;
  /** Writes what the histogram's own `encode` writes, without making one. */
  encode(out: ByteWriter): void;
}

const noCounts = new Uint8Array(0);
const noEntries = new Int32Array(0);
/** Shared by all calls: a list lies here between its entries and its bytes. */
const listIndices = new Int32Array(keysPerList);
const listCounts = new Float64Array(keysPerList);

/** What a row holds, in one object for all rows one after the other: it is right only until the next row's turn. */
export class GatheredRow implements Gathered {
  events = 0;
  count = 0;
  total = 0;
  min = 0;
  max = 0;
  readonly bySecond: GatheredSeconds = { length: 0, seconds: [], counts: [], totals: [] };
  // The figures of a histogram that are the same for all that is gathered.
  readonly scale = finestScale;
  readonly coarseCount = 0;
  readonly coarseRatio = 1;
  /** Its list, from `start` on, of so many entries; none where it has a page. */
  entries = noEntries;
  listLength = 0;
  /** Its page, from `start` on: counts of neighbouring buckets of positive values, the first of which is `firstKey`. */
  counts = noCounts;
  start = 0;
  /** 0 for a row without a page. */
  pageSize = 0;
  firstKey = 0;
  /** What list or page do not hold, or undefined where they hold everything. */
  rest: Histogram | undefined;

  get zeros(): number {
    return this.min === 0 && this.max === 0 ? this.count : 0;
  }

  histogram(): Histogram {
    const histogram = new Histogram();
    if (this.rest !== undefined) histogram.merge(this.rest);
    const { count, total, min, max, start, pageSize } = this;
    if (min === max) {
      histogram.add(min, count);
    } else {
      for (let at = start; at < start + this.listLength; at++) {
        histogram.addToBucket(keyOfEntry(this.entries[at]!), weightOfEntry(this.entries[at]!));
      }
      if (pageSize > 0) histogram.addBuckets(this.firstKey, this.counts, start, start + pageSize);
      histogram.count = count;
      histogram.min = min;
      histogram.max = max;
    }
    histogram.total = total;
    return histogram;
  }

  encode(out: ByteWriter): void {
    const { count, min, max, start, pageSize, listLength } = this;
    const isPositiveList = listLength > 0 && min > 0;
    if (min !== max && (this.rest !== undefined || (pageSize === 0 && !isPositiveList))) {
      this.histogram().encode(out);
      return;
    }
    encodeFigures(this, out);
    if (min !== max) {
      if (isPositiveList) this.#encodeList(out);
      else encodeCounts(indexOfKey(this.firstKey), this.counts, start, start + pageSize, out);
      out.varint(0);
      return;
    }
    if (min > 0) encodeBin(bucketIndex(min), count, out);
    else out.varint(0);
    if (min < 0) encodeBin(bucketIndex(-min), count, out);
    else out.varint(0);
  }

  #encodeList(out: ByteWriter): void {
    const { entries, start, listLength } = this;
    sortEntries(entries, start, listLength);
    let used = 0;
    for (let at = start; at < start + listLength; at++) {
      const index = indexOfKey(keyOfEntry(entries[at]!));
      const weight = weightOfEntry(entries[at]!);
      if (used > 0 && listIndices[used - 1] === index) {
        listCounts[used - 1]! += weight;
      } else {
        listIndices[used] = index;
        listCounts[used++] = weight;
      }
    }
    encodeList(listIndices, listCounts, used, out);
  }
}
