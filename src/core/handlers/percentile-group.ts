import type { ByteReader } from '../bytes.js';
import { coarseOf } from '../cumulative/histogram.js';
import { CumulativeStreams, encodeStreams, mergedStreams, newestSec } from '../cumulative/streams.js';
import type { TabType } from '../ids.js';
import { coarseCount } from '../sketch/coarse.js';
import { Histogram } from '../sketch/histogram.js';
import type { Cascade } from '../window/cascade.js';
import { CellExaminer, CellMerger, encodeOneCell } from '../window/cascade-codec.js';
import {
  cellFor,
  cellWindow,
  decodeCellCascade,
  encodeCellCascade,
  newCellCascade,
} from '../window/cell-cascade.js';
import { type CellRing, CellRings } from '../window/cell-ring.js';
import { sketchLayout } from '../window/layout.js';
import { histogramFigures, totalsFigures } from './figures.js';
import type { Handler, JsonValue } from './handler.js';
import {
  boundsJson,
  histogramJson,
  percentilesJson,
  percentilesLine,
  rateOf,
  totalsJson,
} from './histogram-view.js';
import { blockText, saturated, shownPercentiles } from './number-format.js';
import { parseNumber } from './number-value.js';
import { neverHad } from './upgrade.js';

const histogramCells = new CellRings<Histogram>({
  newCell: () => new Histogram(),
  merge: (into, from) => into.merge(from),
  weightOf: (cell) => cell.count,
});

const histogramMerger = new CellMerger<CellRing<Histogram>>((ring, index, input) =>
  ring === undefined ? Histogram.examine(input) : ring.cellFor(index).mergeDecoded(input),
);

const histogramExaminer = new CellExaminer((input) => Histogram.examine(input));

export interface PercentileGroupState {
  readonly recent: Cascade<CellRing<Histogram>>;
  /** All time; the windows have the distribution. */
  count: number;
  total: number;
  /** Of senders that add up themselves; undefined where there never was one. */
  streams: CumulativeStreams | undefined;
}

/** Count, total and percentiles of the last 1m, 10m, 1h and 1d. Also keeps count and total of all time, shown in detail. */
export const percentileGroup: Handler<PercentileGroupState, number> = {
  type: 'PercentileGroup' as TabType,
  version: 2,
  tabState: 'kept',

  parse: parseNumber,

  newState: () => ({
    recent: newCellCascade(sketchLayout, histogramCells),
    count: 0,
    total: 0,
    streams: undefined,
  }),

  fold(state, value, { timestampSec, weight = 1 }) {
    state.count += weight;
    state.total += value * weight;
    cellFor(state.recent, timestampSec)?.add(value, weight);
  },

  foldHistogram(state, histogram, { timestampSec }) {
    if (coarseCount(histogram) === 0) return;
    const all = new Histogram();
    all.addCoarse(histogram);
    state.count += all.count;
    state.total += all.total;
    cellFor(state.recent, timestampSec)?.merge(all);
  },

  foldGathered(state, numbers, { timestampSec }) {
    if (numbers.count === 0) return;
    state.count += numbers.count;
    state.total += numbers.total;
    cellFor(state.recent, timestampSec)?.absorb(numbers);
  },

  gatherPeriodSec: sketchLayout[0].widthSec,

  encodeGathered(gathered, timestampSec, out) {
    out.count(gathered.count);
    out.number(gathered.total);
    encodeOneCell(sketchLayout, timestampSec, out, () => gathered.encode(out));
    encodeStreams(undefined, out);
  },

  foldCumulative(state, point) {
    state.streams ??= new CumulativeStreams();
    state.streams.put(point);
  },

  settle(state, view) {
    state.streams?.settle(view, (added, timestampSec) => {
      const meta = { timestampSec, sequence: 0 };
      if (typeof added !== 'number') percentileGroup.foldHistogram!(state, coarseOf(added), meta);
      else if (added !== 0) percentileGroup.fold(state, added, meta);
    });
  },

  reduce(into, from) {
    into.count += from.count;
    into.total += from.total;
    into.recent.merge(from.recent);
    into.streams = mergedStreams(into.streams, from.streams);
  },

  reduceEncoded(into, input) {
    into.count += input.count();
    into.total += input.number();
    histogramMerger.merge(into.recent, input);
    into.streams = mergedStreams(into.streams, CumulativeStreams.decode(input));
  },

  aggregate(into, from) {
    percentileGroup.reduce(into, from);
  },

  clampFuture: ({ recent, streams }, limitSec, presentSec) =>
    recent.clampFuture(limitSec, presentSec) + (streams?.clampFuture(limitSec, presentSec) ?? 0),

  render(state, form, { nowSec }) {
    const windows = sketchLayout.map(
      ({ label }, number) => [label, cellWindow(state.recent, number, nowSec, histogramCells)] as const,
    );
    if (form === 'text') return blockText(windows.map(([label, { sum }]) => [label, percentilesLine(sum)]));
    if (form === 'json')
      return Object.fromEntries(windows.map(([label, { sum }]) => [label, percentilesJson(sum)]));
    const detailed = windows.map(([label, { sum, bounds, cells }], number): [string, JsonValue] => {
      const series = {
        width: sketchLayout[number]!.widthSec,
        from: bounds.fromSec,
        count: cells.map((cell) => cell?.count ?? 0),
        total: cells.map((cell) => saturated(cell?.total ?? 0)),
        pct: cells.map((cell) => cell?.percentiles(shownPercentiles) ?? []),
      };
      return [label, { ...histogramJson(sum), ...boundsJson(bounds, sum.count), cells: series }];
    });
    return { ...Object.fromEntries(detailed), all: totalsJson(state.count, state.total) };
  },

  figures({ recent, count, total }, { nowSec }) {
    const windows = sketchLayout.map(({ label }, number) => {
      const { sum, bounds } = cellWindow(recent, number, nowSec, histogramCells);
      return { window: label, rate: rateOf(sum.count, bounds), ...histogramFigures(sum) };
    });
    return { all: totalsFigures(count, total), windows };
  },

  shouldPrune: ({ recent, streams }, nowSec, idleSec) =>
    nowSec - Math.max(recent.newestSec, newestSec(streams)) >= idleSec,

  encode({ recent, count, total, streams }, out) {
    out.count(count);
    out.number(total);
    encodeCellCascade(recent, out, (cell, into) => cell.encode(into));
    encodeStreams(streams, out);
  },

  decode: (input) => ({ ...decodeFigures(input), streams: CumulativeStreams.decode(input) }),

  examine(input) {
    input.count();
    input.skipNumber();
    const newest = histogramExaminer.examine(sketchLayout, input);
    return Math.max(newest, newestSec(CumulativeStreams.decode(input)));
  },

  upgrade: (input, fromVersion) =>
    fromVersion === 1 ? decodeFigures(input) : neverHad('PercentileGroup')(input, fromVersion),
};

/** All that version 1 had. */
function decodeFigures(input: ByteReader): PercentileGroupState {
  const count = input.count();
  const total = input.number();
  const recent = decodeCellCascade(sketchLayout, histogramCells, input, Histogram.decode);
  return { recent, count, total, streams: undefined };
}
