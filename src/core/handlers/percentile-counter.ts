import type { TabType } from '../ids.js';
import { coarseCount } from '../sketch/coarse.js';
import { Histogram } from '../sketch/histogram.js';
import { HistogramReading } from '../sketch/histogram-reading.js';
import { sumHistograms } from '../sketch/histogram-sum.js';
import { histogramFigures } from './figures.js';
import type { Handler } from './handler.js';
import { histogramJson, percentilesJson, percentilesLine } from './histogram-view.js';
import { readNewest } from './newest-second.js';
import { parseNumber } from './number-value.js';
import { neverHad } from './upgrade.js';

export interface PercentileCounterState {
  readonly all: Histogram;
  /** Second of the newest event, -1 while there is none. */
  newestSec: number;
}

/** Of the State that is being shown, where that is encoded. */
const allReading = new HistogramReading();

/** Count, total and percentiles of all time. */
export const percentileCounter: Handler<PercentileCounterState, number> = {
  type: 'PercentileCounter' as TabType,
  version: 1,
  tabState: 'kept',

  parse: parseNumber,

  newState: () => ({ all: new Histogram(), newestSec: -1 }),

  fold(state, value, { timestampSec, weight = 1 }) {
    state.all.add(value, weight);
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },

  foldHistogram(state, histogram, { timestampSec }) {
    if (coarseCount(histogram) === 0) return;
    state.all.addCoarse(histogram);
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },

  foldGathered(state, numbers, { timestampSec }) {
    if (numbers.count === 0) return;
    state.all.absorb(numbers);
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },

  gatherPeriodSec: 60,

  encodeGathered(gathered, timestampSec, out) {
    gathered.encode(out);
    out.signedVarint(Math.floor(timestampSec));
  },

  reduce(into, from) {
    into.all.merge(from.all);
    into.newestSec = Math.max(into.newestSec, from.newestSec);
  },

  reduceEncoded(into, input) {
    into.all.mergeDecoded(input);
    into.newestSec = Math.max(into.newestSec, input.signedVarint());
  },

  sumEncoded(inputs, out) {
    if (!sumHistograms(inputs, out)) return false;
    out.signedVarint(readNewest(inputs));
    return true;
  },

  aggregate(into, from) {
    percentileCounter.reduce(into, from);
  },

  clampFuture(state, limitSec, presentSec) {
    if (state.newestSec <= limitSec) return 0;
    state.newestSec = Math.floor(presentSec);
    return 1;
  },

  render({ all }, form) {
    if (form === 'text') return percentilesLine(all);
    return form === 'json' ? percentilesJson(all) : histogramJson(all);
  },

  renderEncoded(input, form) {
    if (form === 'detailed') return undefined;
    allReading.read(input);
    return form === 'text' ? percentilesLine(allReading) : percentilesJson(allReading);
  },

  figures: ({ all }) => ({ all: histogramFigures(all) }),

  figuresEncoded(input) {
    allReading.read(input);
    return { all: histogramFigures(allReading) };
  },

  shouldPrune: ({ newestSec }, nowSec, idleSec) => nowSec - newestSec >= idleSec,

  encode({ all, newestSec }, out) {
    all.encode(out);
    out.signedVarint(newestSec);
  },

  decode: (input) => ({ all: Histogram.decode(input), newestSec: input.signedVarint() }),

  examine(input) {
    Histogram.examine(input);
    return input.signedVarint();
  },

  upgrade: neverHad('PercentileCounter'),
};
