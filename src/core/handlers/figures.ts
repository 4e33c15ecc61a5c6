import type { GaugeValue } from './gauge-value.js';
import type { Holders } from './holders.js';
import { saturated, shownPercentiles } from './number-format.js';

/** What a State says about one span of time. What a type does not have is absent. */
export interface SpanFigures {
  /** Events; not whole where some stand for several. */
  readonly count?: number;
  /** The sum of their values. */
  readonly total?: number;
  /** How many different values. */
  readonly distinct?: number;
  /** Those that every rendering shows, in its order; none while there are no values. */
  readonly percentiles?: readonly number[];
}

export interface WindowFigures extends SpanFigures {
  /** `1m`, `10m`, `1h` or `1d` */
  readonly window: string;
  /** Events a second over what the window really covers. */
  readonly rate?: number;
}

/** A State as numbers for systems that watch numbers. Plain JSON: finite numbers only. */
export interface Figures {
  /** Since the beginning. */
  readonly all?: SpanFigures;
  readonly windows?: readonly WindowFigures[];
  /** Of gauges: how many clients hold each value. */
  readonly holders?: readonly (readonly [value: GaugeValue, clients: number])[];
}

/** A count and a total as figures. */
export function totalsFigures(count: number, total: number): SpanFigures {
  return { count, total: saturated(total) };
}

/** A histogram as figures. */
export function histogramFigures(histogram: {
  readonly count: number;
  readonly total: number;
  percentiles(ranks: readonly number[]): readonly number[];
}): SpanFigures {
  const { count, total } = histogram;
  return { ...totalsFigures(count, total), percentiles: histogram.percentiles(shownPercentiles) };
}

export function holdersFigures(holders: Holders): Figures {
  return { holders: [...holders] };
}
