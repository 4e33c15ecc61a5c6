import type { TabType } from '../ids.js';
import { coarseCount, coarseTotal } from '../sketch/coarse.js';
import { totalsFigures } from './figures.js';
import type { Handler } from './handler.js';
import { saturationJson, totalsJson } from './histogram-view.js';
import { readNewest } from './newest-second.js';
import { average, countText, lineText, valueText } from './number-format.js';
import { parseNumber } from './number-value.js';
import { neverHad } from './upgrade.js';

export interface TotalsCounterState {
  count: number;
  total: number;
  /** Second of the newest event, -1 while there is none. */
  newestSec: number;
}

/** Count, total and average of all time. */
export const totalsCounter: Handler<TotalsCounterState, number> = {
  type: 'TotalsCounter' as TabType,
  version: 1,
  tabState: 'kept',

  parse: parseNumber,

  newState: () => ({ count: 0, total: 0, newestSec: -1 }),

  fold(state, value, { timestampSec, weight = 1 }) {
    state.count += weight;
    state.total += value * weight;
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },

  foldHistogram(state, histogram, { timestampSec }) {
    const count = coarseCount(histogram);
    if (count === 0) return;
    state.count += count;
    state.total += coarseTotal(histogram);
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },

  foldGathered(state, numbers, { timestampSec }) {
    if (numbers.count === 0) return;
    state.count += numbers.count;
    state.total += numbers.total;
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },

  gatherPeriodSec: 60,

  encodeGathered({ count, total }, timestampSec, out) {
    out.count(count);
    out.number(total);
    out.signedVarint(Math.floor(timestampSec));
  },

  reduce(into, from) {
    into.count += from.count;
    into.total += from.total;
    into.newestSec = Math.max(into.newestSec, from.newestSec);
  },

  reduceEncoded(into, input) {
    into.count += input.count();
    into.total += input.number();
    into.newestSec = Math.max(into.newestSec, input.signedVarint());
  },

  sumEncoded(inputs, out) {
    out.count(inputs.reduce((sum, input) => sum + input.count(), 0));
    out.number(inputs.reduce((sum, input) => sum + input.number(), 0));
    out.signedVarint(readNewest(inputs));
    return true;
  },

  aggregate(into, from) {
    totalsCounter.reduce(into, from);
  },

  clampFuture(state, limitSec, presentSec) {
    if (state.newestSec <= limitSec) return 0;
    state.newestSec = Math.floor(presentSec);
    return 1;
  },

  render({ count, total }, form) {
    if (form === 'text') {
      return lineText([
        ['count', countText(count)],
        ['total', valueText(total)],
        ['average', valueText(average(total, count))],
      ]);
    }
    return { ...totalsJson(count, total), ...(form === 'detailed' ? saturationJson(total) : {}) };
  },

  figures: ({ count, total }) => ({ all: totalsFigures(count, total) }),

  shouldPrune: ({ newestSec }, nowSec, idleSec) => nowSec - newestSec >= idleSec,

  encode({ count, total, newestSec }, out) {
    out.count(count);
    out.number(total);
    out.signedVarint(newestSec);
  },

  decode: (input) => ({ count: input.count(), total: input.number(), newestSec: input.signedVarint() }),

  examine(input) {
    input.count();
    input.skipNumber();
    return input.signedVarint();
  },

  upgrade: neverHad('TotalsCounter'),
};
