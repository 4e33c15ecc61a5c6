/** `count` values somewhere from `low` to `high`. */
export interface CoarseRange {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/**
 * A histogram that was made elsewhere, with boundaries of its own: what OTLP calls a histogram with explicit bounds, or
 * an exponential one. Ranges without a lower or an upper end have the infinities there.
 */
export interface CoarseHistogram {
  readonly ranges: readonly CoarseRange[];
  /** Sum of the values where the sender knows it. */
  readonly total?: number;
  /** Smallest and largest value where the sender knows them. */
  readonly min?: number;
  readonly max?: number;
}

export interface FiniteRange extends CoarseRange {
  /** Whether values may lie beyond it: nobody knows where it ends. */
  readonly isOpen: boolean;
}

/** The ranges that hold something, with finite ends, narrowed to what the sender says about minimum and maximum. */
export function finiteRanges({ ranges, min, max }: CoarseHistogram): FiniteRange[] {
  const finite: FiniteRange[] = [];
  for (const range of ranges) {
    if (!(range.count > 0)) continue;
    let low = Math.max(range.low, min ?? Number.NEGATIVE_INFINITY);
    let high = Math.min(range.high, max ?? Number.POSITIVE_INFINITY);
    if (low > high) ({ low, high } = range); // the sender contradicts itself: its boundaries count
    const isOpen = low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY;
    if (low === Number.NEGATIVE_INFINITY) low = Math.min(high, 0);
    if (high === Number.POSITIVE_INFINITY) high = Math.max(low, 0);
    finite.push({ low, high, count: range.count, isOpen });
  }
  return finite;
}

/** How many values a coarse histogram stands for. */
export function coarseCount({ ranges }: CoarseHistogram): number {
  let count = 0;
  for (const range of ranges) if (range.count > 0) count += range.count;
  return count;
}

/** Sum of the values: the sender's own, else as if every value were in the middle of its range. */
export function coarseTotal(histogram: CoarseHistogram): number {
  if (histogram.total !== undefined) return histogram.total;
  let total = 0;
  for (const { low, high, count } of finiteRanges(histogram)) total += (low + (high - low) / 2) * count;
  return total;
}
