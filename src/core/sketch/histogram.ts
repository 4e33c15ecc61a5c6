import type { ByteReader, ByteWriter } from '../bytes.js';
import { Bins, maxBinsPerSign, noBins } from './bins.js';
import { addDecodedBins, decodeBins, encodeBins, examineBins } from './bins-codec.js';
import { type CoarseHistogram, coarseTotal, finiteRanges } from './coarse.js';
import {
  addFigures,
  decodeFigures,
  encodeFigures,
  examineFigures,
  type HistogramFigures,
  noFigures,
} from './figures-codec.js';
import { percentilesOf } from './percentiles.js';
import { bucketIndex, finestScale, indexOfKey, lowerBoundary, upperBoundary } from './scale.js';

/** A histogram that came in with wider buckets is spread evenly over so many points of each of its ranges. */
const pointsPerRange = 64;

/** One bucket: `count` values in (low, high], or [low, high) below zero, or exactly 0. */
export type HistogramBucket = readonly [low: number, high: number, count: number];

/**
 * Base-2 exponential histogram (the data model of OpenTelemetry): counts by bucket and sign, a count of zeros, the exact
 * minimum, maximum and total. Starts at scale 7, where a bucket is 0.54 % wide. Merging adds counts, and the scale
 * depends on nothing but which buckets are in use, so the order and grouping of merges do not matter; a total does
 * within the rounding of doubles.
 *
 * Counts are doubles: exact to 2^53, and fractions where events carry weights. A total beyond the doubles becomes an
 * infinity (or NaN, once both infinities met) and stays one: see `saturated` in handlers/number-format.ts.
 */
export class Histogram {
  scale = finestScale;
  count = 0;
  total = 0;
  /** Infinity while empty. */
  min = Number.POSITIVE_INFINITY;
  /** -Infinity while empty. */
  max = Number.NEGATIVE_INFINITY;
  zeros = 0;
  /** How many of the values came in as ranges wider than our buckets. */
  coarseCount = 0;
  /** Upper end by lower end of the widest such range, at least 1; Infinity if one contains 0. */
  coarseRatio = 1;
  #positive = noBins;
  #negative = noBins;

  /** Adds a finite value that stands for `weight` (above 0) of them. */
  add(value: number, weight = 1): void {
    this.count += weight;
    this.total += value * weight;
    this.#place(value, weight);
  }

  /** The value into its bucket, minimum and maximum; not into count and total. */
  #place(signed: number, weight: number): void {
    // Adding 0 turns -0 into 0: which of them came first must not show.
    const value = signed + 0;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (value > 0) this.#addToBins(this.#writablePositive(), bucketIndex(value), weight);
    else if (value < 0) this.#addToBins(this.#writableNegative(), bucketIndex(-value), weight);
    else this.zeros += weight;
  }

  #addToBins(bins: Bins, index: number, weight: number): void {
    bins.add(index >> (finestScale - this.scale), weight);
    if (bins.used > maxBinsPerSign) this.#fit();
  }

  #writablePositive(): Bins {
    if (this.#positive === noBins) this.#positive = new Bins();
    return this.#positive;
  }

  #writableNegative(): Bins {
    if (this.#negative === noBins) this.#negative = new Bins();
    return this.#negative;
  }

  /** Adds `weight` values to the bucket of a key (see `bucketKey`) alone: count, total, minimum and maximum are the caller's. */
  addToBucket(key: number, weight: number): void {
    if (key === 0) {
      this.zeros += weight;
      return;
    }
    const bins = key > 0 ? this.#writablePositive() : this.#writableNegative();
    this.#addToBins(bins, indexOfKey(key), weight);
  }

  /**
   * Adds neighbouring buckets of positive values, the first of which has the key `firstKey`: `counts[from]` to before
   * `counts[to]`. Count, total, minimum and maximum are the caller's.
   */
  addBuckets(firstKey: number, counts: Uint8Array, from: number, to: number): void {
    const first = indexOfKey(firstKey);
    if (this.#positive === noBins && this.scale === finestScale) {
      this.#positive = Bins.ofCounts(first, counts, from, to);
      return;
    }
    for (let at = from; at < to; at++) {
      if (counts[at] !== 0) this.#addToBins(this.#writablePositive(), first + at - from, counts[at]!);
    }
  }

  /** Adds a histogram with other boundaries. Our scale stays as it is, however coarse that one may be. */
  addCoarse(histogram: CoarseHistogram): void {
    const ranges = finiteRanges(histogram);
    this.total += coarseTotal(histogram);
    for (const { low, high, count, isOpen } of ranges) this.addRange(low, high, count, isOpen);
    if (ranges.length === 0) return;
    if (histogram.min !== undefined) this.min = Math.min(this.min, histogram.min);
    if (histogram.max !== undefined) this.max = Math.max(this.max, histogram.max);
  }

  /**
   * Adds `count` values that lie from `low` to `high` (finite), spread evenly; leaves the total alone.
   * @param isOpen whether they may lie beyond that as well
   */
  addRange(low: number, high: number, count: number, isOpen = false): void {
    this.count += count;
    const ratio = widthOf(low, high);
    if (isOpen || ratio > 1) {
      this.coarseCount += count;
      this.coarseRatio = isOpen ? Number.POSITIVE_INFINITY : Math.max(this.coarseRatio, ratio);
    }
    const points = ratio > 1 ? Math.max(1, Math.min(pointsPerRange, Math.floor(count))) : 1;
    const whole = Number.isInteger(count);
    let placed = 0;
    for (let point = 0; point < points; point++) {
      const share = (point + 0.5) / points;
      const upTo = whole ? Math.floor((count * (point + 1)) / points) : (count * (point + 1)) / points;
      // Our bucket boundaries exclude the lower end: a range that lies in one bucket is best known by its upper end.
      this.#place(points === 1 && ratio === 1 ? high : low * (1 - share) + high * share, upTo - placed);
      placed = upTo;
    }
  }

  /** Adds all that `from` holds. */
  merge(from: Histogram): void {
    const shift = this.#mergeFigures(from);
    if (from.#positive.used > 0) this.#writablePositive().merge(from.#positive, shift);
    if (from.#negative.used > 0) this.#writableNegative().merge(from.#negative, shift);
    this.#fit();
  }

  /**
   * Adds all that `decode` would read.
   * @returns its count
   * @throws TabaError `corrupt`, in the middle of it: only for bytes that were examined before
   */
  mergeDecoded(input: ByteReader): number {
    if (!decodeFigures(readFigures, input)) return 0;
    const { count } = readFigures;
    const shift = this.#mergeFigures(readFigures);
    this.#positive = addDecodedBins(this.#positive, shift, input);
    this.#negative = addDecodedBins(this.#negative, shift, input);
    this.#fit();
    return count;
  }

  /** @returns by how many scales the bins to be added are finer */
  #mergeFigures(from: HistogramFigures): number {
    while (this.scale > from.scale) this.#coarsen();
    addFigures(this, from);
    return from.scale - this.scale;
  }

  /** As `merge`, without a copy: `from` must not be used any more. */
  absorb(from: Histogram): void {
    if (this.count > 0) {
      this.merge(from);
      return;
    }
    this.scale = from.scale;
    this.count = from.count;
    this.total = from.total;
    this.min = from.min;
    this.max = from.max;
    this.zeros = from.zeros;
    this.coarseCount = from.coarseCount;
    this.coarseRatio = from.coarseRatio;
    this.#positive = from.#positive;
    this.#negative = from.#negative;
  }

  #fit(): void {
    while (Math.max(this.#positive.used, this.#negative.used) > maxBinsPerSign) this.#coarsen();
  }

  #coarsen(): void {
    this.scale--;
    if (this.#positive.used > 0) this.#positive.coarsen();
    if (this.#negative.used > 0) this.#negative.coarsen();
  }

  /** How far from the truth a percentile can be, relative to it, as long as no values came in coarse. */
  get errorBound(): number {
    return 2 ** (1 / 2 ** this.scale) - 1;
  }

  /** What is in use, in ascending order of values. */
  buckets(): HistogramBucket[] {
    const buckets: HistogramBucket[] = [];
    const { scale } = this;
    const keys = new Int32Array(Math.max(this.#negative.used, this.#positive.used));
    const counts = new Float64Array(keys.length);
    for (let slot = this.#negative.copyTo(keys, counts) - 1; slot >= 0; slot--) {
      const key = keys[slot]!;
      buckets.push([-upperBoundary(key, scale), -lowerBoundary(key, scale), counts[slot]!]);
    }
    if (this.zeros > 0) buckets.push([0, 0, this.zeros]);
    const positives = this.#positive.copyTo(keys, counts);
    for (let slot = 0; slot < positives; slot++) {
      const key = keys[slot]!;
      buckets.push([lowerBoundary(key, scale), upperBoundary(key, scale), counts[slot]!]);
    }
    return buckets;
  }

  /**
   * Of the values in ascending order, the one at index floor(p * count) for each `p`: the shortest decimal within its
   * bucket, so within `errorBound` of the truth, and never outside of minimum and maximum. Empty if the histogram is.
   */
  percentiles(ps: readonly number[]): number[] {
    return percentilesOf(this, this.#negative, this.#positive, ps);
  }

  /**
   * Layout: count; if that is above 0: total, min, max, scale (1 byte), zeros, coarse count and, if that is above 0, the
   * ratio as f64; then the positive and the negative bins, each as the number of runs of neighbours in use, and per
   * run: the gap to the previous run's end (signed from 0 for the first), its length, its counts.
   */
  encode(out: ByteWriter): void {
    if (this.count === 0) {
      out.count(0);
      return;
    }
    encodeFigures(this, out);
    encodeBins(this.#positive, out);
    encodeBins(this.#negative, out);
  }

  /** @throws TabaError `corrupt` */
  static decode(input: ByteReader): Histogram {
    const histogram = new Histogram();
    if (!decodeFigures(histogram, input)) return histogram;
    histogram.#positive = decodeBins(input);
    histogram.#negative = decodeBins(input);
    return histogram;
  }

  /** Reads what `encode` wrote without making anything of it. @returns its count @throws TabaError `corrupt`, where `decode` would */
  static examine(input: ByteReader): number {
    const count = examineFigures(input);
    if (count === 0) return 0;
    examineBins(input);
    examineBins(input);
    return count;
  }
}

/** Upper by lower end of a range that does not lie within one bucket of the finest scale; 1 for one that does. */
function widthOf(low: number, high: number): number {
  if (low === high) return 1;
  if (low < 0 && high > 0) return Number.POSITIVE_INFINITY;
  const small = Math.min(Math.abs(low), Math.abs(high));
  const large = Math.max(Math.abs(low), Math.abs(high));
  if (small === 0) return Number.POSITIVE_INFINITY;
  return lowerBoundary(bucketIndex(large), finestScale) <= small ? 1 : large / small;
}

/** Shared by all calls that need them for a moment. */
const readFigures = noFigures();
