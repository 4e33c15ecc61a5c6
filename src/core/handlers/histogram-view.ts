import type { Histogram } from '../sketch/histogram.js';
import type { WindowBounds } from '../window/cascade.js';
import type { JsonValue } from './handler.js';
import {
  average,
  countText,
  lineText,
  percentilesText,
  saturated,
  shownPercentiles,
  valueText,
} from './number-format.js';

type JsonObject = { readonly [key: string]: JsonValue };

/** What of a histogram is shown to programs and people; the detailed form has more. */
export type ShownHistogram = Pick<Histogram, 'count' | 'total' | 'percentiles'>;

/** Count, total and average as programs get them. */
export function totalsJson(count: number, total: number): JsonObject {
  return { count, total: saturated(total), average: average(total, count) };
}

/** What the detailed form adds to a total that left the doubles. */
export function saturationJson(total: number): JsonObject {
  return Number.isFinite(total) ? {} : { saturated: true };
}

/** Events a second over what a window really covers. */
export function rateOf(count: number, { fromSec, toSec }: WindowBounds): number {
  return count / (toSec - fromSec);
}

export function boundsJson(bounds: WindowBounds, count: number): JsonObject {
  return { from: bounds.fromSec, to: bounds.toSec, rate: rateOf(count, bounds) };
}

/**
 * A histogram as programs get it in detail: percentiles also by name, minimum and maximum (null while empty), the bound
 * of the percentiles' relative error, and the buckets as [low, high, count]. Values that came in as ranges of their
 * own are counted in `coarse`; where one of them is the answer, `error_bound` of `coarse` holds instead (null: none).
 */
export function histogramJson(histogram: Histogram): JsonObject {
  const pct = histogram.percentiles(shownPercentiles);
  const empty = histogram.count === 0;
  const { coarseCount, coarseRatio } = histogram;
  const bound = Number.isFinite(coarseRatio) ? coarseRatio - 1 : null;
  return {
    ...totalsJson(histogram.count, histogram.total),
    ...saturationJson(histogram.total),
    min: empty ? null : histogram.min,
    max: empty ? null : histogram.max,
    pct,
    percentiles: Object.fromEntries(pct.map((value, at) => [`p${shownPercentiles[at]! * 100}`, value])),
    error_bound: histogram.errorBound,
    ...(coarseCount > 0 ? { coarse: { count: coarseCount, error_bound: bound } } : {}),
    histogram: histogram.buckets(),
  };
}

/** Count, total and the seven percentiles (none while empty), as programs get them. */
export function percentilesJson(histogram: ShownHistogram): JsonObject {
  const { count, total } = histogram;
  return { count, total: saturated(total), pct: histogram.percentiles(shownPercentiles) };
}

/** The same on one line, for people. */
export function percentilesLine(histogram: ShownHistogram): string {
  return lineText([
    ['count', countText(histogram.count)],
    ['total', valueText(histogram.total)],
    ['pct', percentilesText(histogram.percentiles(shownPercentiles))],
  ]);
}
