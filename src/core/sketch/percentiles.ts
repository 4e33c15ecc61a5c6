import type { BinWalk } from './bins.js';
import type { HistogramFigures } from './figures-codec.js';
import { lowerBoundary, upperBoundary } from './scale.js';
import { shortestDecimal } from './shortest-decimal.js';

/** The bins of one sign, however they are kept. */
export interface WalkedBins {
  /**
   * Goes on with a walk, ascending or descending, to the bin that holds the value at index `rank`, and stays before it.
   * @returns the bin, or undefined when the walk has passed them all
   */
  seek(walk: BinWalk, rank: number, ascending: boolean): number | undefined;
}

/** A walk over all values of a histogram in ascending order. */
interface ValueWalk extends BinWalk {
  among: 'negatives' | 'zeros' | 'positives';
}

/** The walk of whoever works out percentiles at the moment: nobody else can come in between. */
const theWalk: ValueWalk = { at: 0, seen: 0, among: 'negatives' };

/** Back to the beginning. */
function startWalk(): ValueWalk {
  theWalk.at = 0;
  theWalk.seen = 0;
  theWalk.among = 'negatives';
  return theWalk;
}

/** The percentiles of a histogram, see `Histogram.percentiles`. */
export function percentilesOf(
  figures: HistogramFigures,
  negative: WalkedBins,
  positive: WalkedBins,
  ps: readonly number[],
): number[] {
  const { count, min, max } = figures;
  if (count === 0) return [];
  const last = count - 1;
  // One walk over all buckets for as long as the ranks ascend; boundaries are worked out for those that hold one of them.
  const walk = startWalk();
  let walkedTo = 0;
  // A copy has just the length that it needs, and no function is called for each.
  const values = ps.slice();
  for (let place = 0; place < values.length; place++) {
    const rank = Math.min(Math.floor(values[place]! * count), last);
    if (rank <= 0) {
      values[place] = min;
    } else if (rank === last) {
      values[place] = max;
    } else {
      if (rank < walkedTo) startWalk();
      walkedTo = rank;
      values[place] = valueAt(rank, walk, figures, negative, positive);
    }
  }
  return values;
}

/** The value at index `rank` of all in ascending order, to which `walk` has not come yet. */
function valueAt(
  rank: number,
  walk: ValueWalk,
  figures: HistogramFigures,
  negative: WalkedBins,
  positive: WalkedBins,
): number {
  const { scale } = figures;
  if (walk.among === 'negatives') {
    const key = negative.seek(walk, rank, false);
    if (key !== undefined) return within(-upperBoundary(key, scale), -lowerBoundary(key, scale), figures);
    walk.among = 'zeros';
  }
  if (walk.among === 'zeros') {
    if (walk.seen + figures.zeros > rank) return within(0, 0, figures);
    walk.seen += figures.zeros;
    walk.at = 0;
    walk.among = 'positives';
  }
  const key = positive.seek(walk, rank, true);
  // Fractional counts may come to a little less than their sum.
  if (key === undefined) return figures.max;
  return within(lowerBoundary(key, scale), upperBoundary(key, scale), figures);
}

function within(low: number, high: number, { min, max }: HistogramFigures): number {
  if (low >= 0) return shortestDecimal(Math.max(low, min), Math.min(high, max), min > low);
  return -shortestDecimal(Math.max(-high, -max), Math.min(-low, -min), max < high);
}
