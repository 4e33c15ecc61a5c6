import type { ByteWriter } from '../bytes.js';
import { encodeBin, encodeCounts } from '../sketch/bins-codec.js';
import { encodeFigures, Histogram } from '../sketch/histogram.js';
import { bucketIndex, finestScale, indexOfKey } from '../sketch/scale.js';

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
  /** Its page, from `pageStart` on: counts of neighbouring buckets of positive values, the first of which is `firstKey`. */
  counts = noCounts;
  pageStart = 0;
  /** 0 for a row without a page. */
  pageSize = 0;
  firstKey = 0;
  /** What the page does not hold, or undefined where it holds everything. */
  rest: Histogram | undefined;

  get zeros(): number {
    return this.min === 0 && this.max === 0 ? this.count : 0;
  }

  histogram(): Histogram {
    const histogram = new Histogram();
    if (this.rest !== undefined) histogram.merge(this.rest);
    const { count, total, min, max, pageStart, pageSize } = this;
    if (min === max) {
      histogram.add(min, count);
    } else {
      if (pageSize > 0) histogram.addBuckets(this.firstKey, this.counts, pageStart, pageStart + pageSize);
      histogram.count = count;
      histogram.min = min;
      histogram.max = max;
    }
    histogram.total = total;
    return histogram;
  }

  encode(out: ByteWriter): void {
    const { count, min, max, pageStart, pageSize } = this;
    if (min !== max && (this.rest !== undefined || pageSize === 0)) {
      this.histogram().encode(out);
      return;
    }
    encodeFigures(this, out);
    if (min !== max) {
      encodeCounts(indexOfKey(this.firstKey), this.counts, pageStart, pageStart + pageSize, out);
      out.varint(0);
      return;
    }
    if (min > 0) encodeBin(bucketIndex(min), count, out);
    else out.varint(0);
    if (min < 0) encodeBin(bucketIndex(-min), count, out);
    else out.varint(0);
  }
}
