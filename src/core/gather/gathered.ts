import type { ByteWriter } from '../bytes.js';
import { encodeBin, encodeCounts } from '../sketch/bins-codec.js';
import { encodeFigures, Histogram } from '../sketch/histogram.js';
import { bucketIndex, finestScale, indexOfKey } from '../sketch/scale.js';

/** Numbers of one moment that were gathered for one row, see `NumberColumns`. */
export interface Gathered {
  /** How many events, each counting as one whatever it weighs. */
  readonly events: number;
  /** The sum of their weights. */
  readonly count: number;
  readonly total: number;
  readonly min: number;
  /** The same as the minimum where one value came, whatever the number of events. */
  readonly max: number;
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
  /** Its page, from `pageStart` on: counts of neighbouring buckets of positive values, the first of which is `firstKey`. */
  counts = noCounts;
  pageStart = 0;
  /** 0 for a row without a page. */
  pageSize = 0;
  firstKey = 0;
  /** What the page does not hold, or undefined where it holds everything. */
  rest: Histogram | undefined;

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
    const { count, total, min, max, pageStart, pageSize } = this;
    if (min !== max && (this.rest !== undefined || pageSize === 0)) {
      this.histogram().encode(out);
      return;
    }
    const zeros = min === 0 && max === 0 ? count : 0;
    encodeFigures({ count, total, min, max, scale: finestScale, zeros, coarseCount: 0, coarseRatio: 1 }, out);
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
