import { atScale, type CumulativeHistogram, scaleHere } from '../../core/cumulative/histogram.js';

/** The buckets of a histogram with explicit bounds, as they came. */
export interface ExplicitBuckets {
  readonly count: number;
  readonly total: number | undefined;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** @returns undefined where buckets, bounds and count contradict each other */
export function explicitHistogram({
  count,
  total,
  bounds,
  counts,
}: ExplicitBuckets): CumulativeHistogram | undefined {
  // A histogram without buckets has a count and a sum only.
  const present = counts.length === 0 && bounds.length === 0 ? [count] : counts;
  if (present.length !== bounds.length + 1) return undefined;
  if (bounds.some((bound, at) => !Number.isFinite(bound) || bound <= (bounds[at - 1] ?? -Infinity))) {
    return undefined;
  }
  return present.every(isCount) && sumOf(present) === count
    ? { kind: 'explicit', bounds, counts: present, total }
    : undefined;
}

/** Neighbouring buckets, the first of which has the index `offset`. */
export interface Buckets {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** The buckets of an exponential histogram, as they came. */
export interface ExponentialBuckets {
  readonly count: number;
  readonly total: number | undefined;
  readonly scale: number;
  readonly zeros: number;
  readonly zeroThreshold: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
}

/** At a scale that Taba has. @returns undefined where buckets and count contradict each other */
export function exponentialHistogram(buckets: ExponentialBuckets): CumulativeHistogram | undefined {
  const { count, total, scale, zeros, zeroThreshold, positive, negative } = buckets;
  if (!(zeroThreshold >= 0 && zeroThreshold < Infinity)) return undefined;
  if (![scale, positive.offset, negative.offset].every(isInt32)) return undefined;
  if (![zeros, ...positive.counts, ...negative.counts].every(isCount)) return undefined;
  if (zeros + sumOf(positive.counts) + sumOf(negative.counts) !== count) return undefined;
  // A scale coarser than the coarsest one of ours has two buckets a sign, as that one has.
  const known = Math.max(scale, scaleHere(scale));
  return atScale(
    { kind: 'exponential', scale: known, zeros, zeroThreshold, positive, negative, total },
    scaleHere(scale),
  );
}

/** As the schema has them: JSON may say what no State could write down. */
function isInt32(value: number): boolean {
  return (value | 0) === value;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function sumOf(counts: readonly number[]): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
