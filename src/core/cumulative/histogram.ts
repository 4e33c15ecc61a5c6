import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import type { CoarseHistogram, CoarseRange } from '../sketch/coarse.js';
import { finestScale, lowerBoundary } from '../sketch/scale.js';

/** Counts of neighbouring buckets, the first of which has the index `offset`. */
export interface BucketRun {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** A histogram with boundaries of its own: bucket i holds (bounds[i - 1], bounds[i]], the first and the last one have no end. */
export interface ExplicitHistogram {
  readonly kind: 'explicit';
  /** Ascending. */
  readonly bounds: readonly number[];
  /** One more than there are bounds. */
  readonly counts: readonly number[];
  /** Sum of the values, where the sender knows it. */
  readonly total: number | undefined;
}

/** A base-2 exponential histogram, at most as fine as ours: bucket i holds (2^(i/2^scale), 2^((i+1)/2^scale)]. */
export interface ExponentialHistogram {
  readonly kind: 'exponential';
  readonly scale: number;
  /** Values from -zeroThreshold to zeroThreshold. */
  readonly zeros: number;
  readonly zeroThreshold: number;
  readonly positive: BucketRun;
  readonly negative: BucketRun;
  readonly total: number | undefined;
}

/** A histogram as another system counts it. Smallest and largest values are no part of it: they have no difference. */
export type CumulativeHistogram = ExplicitHistogram | ExponentialHistogram;

/** Coarser than this, a bucket holds all doubles of a sign. */
const coarsestScale = -11;

/** As ranges that a sketch can take in. */
export function coarseOf(histogram: CumulativeHistogram): CoarseHistogram {
  const ranges = histogram.kind === 'explicit' ? explicitRanges(histogram) : exponentialRanges(histogram);
  return histogram.total === undefined ? { ranges } : { ranges, total: histogram.total };
}

function explicitRanges({ bounds, counts }: ExplicitHistogram): CoarseRange[] {
  return counts.map((count, at) => ({
    low: bounds[at - 1] ?? Number.NEGATIVE_INFINITY,
    high: bounds[at] ?? Number.POSITIVE_INFINITY,
    count,
  }));
}

function exponentialRanges(histogram: ExponentialHistogram): CoarseRange[] {
  const { scale, zeros, zeroThreshold, positive, negative } = histogram;
  const end = (index: number): number => Math.min(lowerBoundary(index, scale), Number.MAX_VALUE);
  return [
    ...negative.counts.map((count, at) => {
      const index = negative.offset + at;
      return { low: -end(index + 1), high: -end(index), count };
    }),
    { low: -zeroThreshold, high: zeroThreshold, count: zeros },
    ...positive.counts.map((count, at) => {
      const index = positive.offset + at;
      return { low: end(index), high: end(index + 1), count };
    }),
  ];
}

/**
 * What came between two histograms of one stream.
 * @returns undefined where `earlier` cannot have become `later`: the stream began again
 */
export function histogramSince(
  later: CumulativeHistogram,
  earlier: CumulativeHistogram,
): CumulativeHistogram | undefined {
  if (later.kind === 'explicit') {
    return earlier.kind === 'explicit' ? explicitSince(later, earlier) : undefined;
  }
  return earlier.kind === 'exponential' ? exponentialSince(later, earlier) : undefined;
}

function explicitSince(later: ExplicitHistogram, earlier: ExplicitHistogram): ExplicitHistogram | undefined {
  const { bounds, counts } = later;
  if (bounds.length !== earlier.bounds.length || bounds.some((bound, at) => bound !== earlier.bounds[at])) {
    return undefined;
  }
  const since = counts.map((count, at) => count - earlier.counts[at]!);
  if (since.some((count) => count < 0)) return undefined;
  return { kind: 'explicit', bounds, counts: since, total: difference(later.total, earlier.total) };
}

function exponentialSince(
  later: ExponentialHistogram,
  earlier: ExponentialHistogram,
): ExponentialHistogram | undefined {
  const scale = Math.min(later.scale, earlier.scale);
  const zeroThreshold = Math.max(later.zeroThreshold, earlier.zeroThreshold);
  const [after, before] = [later, earlier].map((one) => widened(atScale(one, scale), zeroThreshold)) as [
    ExponentialHistogram,
    ExponentialHistogram,
  ];
  const zeros = after.zeros - before.zeros;
  const positive = runSince(after.positive, before.positive);
  const negative = runSince(after.negative, before.negative);
  if (zeros < 0 || positive === undefined || negative === undefined) return undefined;
  const total = difference(later.total, earlier.total);
  return { kind: 'exponential', scale, zeros, zeroThreshold, positive, negative, total };
}

function difference(later: number | undefined, earlier: number | undefined): number | undefined {
  return later === undefined || earlier === undefined ? undefined : later - earlier;
}

function runSince(later: BucketRun, earlier: BucketRun): BucketRun | undefined {
  const counts = later.counts.slice();
  for (const [at, count] of earlier.counts.entries()) {
    if (count === 0) continue;
    const slot = earlier.offset + at - later.offset;
    const left = (counts[slot] ?? 0) - count;
    if (left < 0) return undefined;
    counts[slot] = left;
  }
  return { offset: later.offset, counts };
}

/** The same with buckets as wide as those of `scale`, which is no finer than its own. */
export function atScale(histogram: ExponentialHistogram, scale: number): ExponentialHistogram {
  const shift = histogram.scale - scale;
  if (shift <= 0) return histogram;
  const { positive, negative } = histogram;
  return { ...histogram, scale, positive: shifted(positive, shift), negative: shifted(negative, shift) };
}

function shifted({ offset, counts }: BucketRun, shift: number): BucketRun {
  if (counts.length === 0) return { offset: 0, counts };
  // Arithmetic, not by bits: a scale may be coarser by more than an integer has bits.
  const width = 2 ** shift;
  const first = Math.floor(offset / width);
  const joined: number[] = new Array(Math.floor((offset + counts.length - 1) / width) - first + 1).fill(0);
  for (const [at, count] of counts.entries()) joined[Math.floor((offset + at) / width) - first]! += count;
  return { offset: first, counts: joined };
}

/** The same where everything up to `zeroThreshold` counts as zero. */
function widened(histogram: ExponentialHistogram, zeroThreshold: number): ExponentialHistogram {
  if (histogram.zeroThreshold === zeroThreshold) return histogram;
  let { zeros } = histogram;
  const kept = ({ offset, counts }: BucketRun): BucketRun => ({
    offset,
    counts: counts.map((count, at) => {
      if (lowerBoundary(offset + at + 1, histogram.scale) > zeroThreshold) return count;
      zeros += count;
      return 0;
    }),
  });
  const [positive, negative] = [kept(histogram.positive), kept(histogram.negative)];
  return { ...histogram, zeros, zeroThreshold, positive, negative };
}

/**
 * Layout: kind u8 (1 explicit, 2 exponential); total as u8 0 or 1 and number; then, explicit: varint number of bounds,
 * bounds as numbers, counts; exponential: scale signed varint, zeros, threshold f64, and twice offset signed varint,
 * varint number of counts, counts.
 */
export function encodeHistogram(histogram: CumulativeHistogram, out: ByteWriter): void {
  out.u8(histogram.kind === 'explicit' ? 1 : 2);
  out.u8(histogram.total === undefined ? 0 : 1);
  if (histogram.total !== undefined) out.number(histogram.total);
  if (histogram.kind === 'explicit') {
    out.varint(histogram.bounds.length);
    for (const bound of histogram.bounds) out.number(bound);
    for (const count of histogram.counts) out.count(count);
    return;
  }
  out.signedVarint(histogram.scale);
  out.count(histogram.zeros);
  out.f64(histogram.zeroThreshold);
  for (const { offset, counts } of [histogram.positive, histogram.negative]) {
    out.signedVarint(offset);
    out.varint(counts.length);
    for (const count of counts) out.count(count);
  }
}

/** @param kind its first byte, which was read already @throws TabaError `corrupt` */
export function decodeHistogram(input: ByteReader, kind: number): CumulativeHistogram {
  if (kind !== 1 && kind !== 2) throw new TabaError('corrupt', `a cumulative histogram of kind ${kind}`);
  const total = input.u8() === 0 ? undefined : input.number();
  if (kind === 1) {
    const length = lengthOf(input);
    const bounds = Array.from({ length }, () => input.number());
    const counts = Array.from({ length: length + 1 }, () => input.count());
    return { kind: 'explicit', bounds, counts, total };
  }
  const scale = input.signedVarint();
  if (scale > finestScale || scale < coarsestScale) {
    throw new TabaError('corrupt', `a cumulative histogram of scale ${scale}`);
  }
  const zeros = input.count();
  const zeroThreshold = input.f64();
  const [positive, negative] = [decodeRun(input), decodeRun(input)];
  return { kind: 'exponential', scale, zeros, zeroThreshold, positive, negative, total };
}

function decodeRun(input: ByteReader): BucketRun {
  const offset = input.signedVarint();
  const length = lengthOf(input);
  return { offset, counts: Array.from({ length }, () => input.count()) };
}

/** How many numbers follow, which take a byte each at least. */
function lengthOf(input: ByteReader): number {
  const length = input.varint();
  if (length > input.remaining) {
    throw new TabaError('corrupt', `${length} counts in ${input.remaining} bytes`);
  }
  return length;
}

/** Brings a scale that another system chose to one that we have. */
export function scaleHere(scale: number): number {
  return Math.max(coarsestScale, Math.min(scale, finestScale));
}
