import type { ByteReader } from '../bytes.js';
import { coarseOf } from '../cumulative/histogram.js';
import {
  CumulativeStreams,
  encodeStreams,
  hasNoStreams,
  mergedStreams,
  newestSec,
} from '../cumulative/streams.js';
import type { TabType } from '../ids.js';
import { coarseCount, coarseTotal } from '../sketch/coarse.js';
import { Histogram } from '../sketch/histogram.js';
import { HistogramReading } from '../sketch/histogram-reading.js';
import { sumHistograms } from '../sketch/histogram-sum.js';
import type { Cascade } from '../window/cascade.js';
import { encodeFinestCells, encodeOneCell } from '../window/cascade-codec.js';
import { counterLayout } from '../window/layout.js';
import {
  decodeNumberCascade,
  encodeNumberCascade,
  newNumberCascade,
  numberExaminer,
  numberMerger,
  numberWindow,
  WindowSums,
} from '../window/number-cascade.js';
import { NumberCellsSum } from '../window/number-cells-sum.js';
import type { NumberRing } from '../window/number-ring.js';
import { type Figures, histogramFigures, totalsFigures } from './figures.js';
import type { Handler, JsonValue, RenderView } from './handler.js';
import {
  boundsJson,
  histogramJson,
  percentilesJson,
  rateOf,
  type ShownHistogram,
  saturationJson,
  totalsJson,
} from './histogram-view.js';
import {
  blockText,
  countText,
  lineText,
  percentilesText,
  shownPercentiles,
  valueText,
} from './number-format.js';
import { parseNumber } from './number-value.js';
import { neverHad } from './upgrade.js';

export interface CounterGroupState {
  readonly recent: Cascade<NumberRing>;
  /** Everything since the beginning. */
  readonly all: Histogram;
  /** Of senders that add up themselves; undefined where there never was one. */
  streams: CumulativeStreams | undefined;
}

/** For all of them. */
const cellsSum = new NumberCellsSum(counterLayout);

/** Rolling count and total over 1m, 10m, 1h and 1d, and percentiles of all time. */
export const counterGroup: Handler<CounterGroupState, number> = {
  type: 'CounterGroup' as TabType,
  version: 2,
  tabState: 'kept',

  parse: parseNumber,

  newState: () => ({ recent: newNumberCascade(counterLayout), all: new Histogram(), streams: undefined }),

  fold({ recent, all }, value, { timestampSec, weight = 1 }) {
    all.add(value, weight);
    addToWindows(recent, timestampSec, weight, value * weight);
  },

  foldHistogram({ recent, all }, histogram, { timestampSec }) {
    const count = coarseCount(histogram);
    if (count === 0) return;
    all.addCoarse(histogram);
    addToWindows(recent, timestampSec, count, coarseTotal(histogram));
  },

  foldGathered({ recent, all }, numbers, { timestampSec }) {
    if (numbers.count === 0) return;
    const { count, total } = numbers;
    all.absorb(numbers);
    addToWindows(recent, timestampSec, count, total);
  },

  gatherPeriodSec: 60,

  encodeGathered(gathered, timestampSec, out) {
    const { seconds, counts, totals, length } = gathered.bySecond;
    if (length === 0) {
      encodeOneCell(counterLayout, timestampSec, out, () => {
        out.count(gathered.count);
        out.number(gathered.total);
      });
    } else {
      encodeFinestCells(counterLayout, seconds, length, out, (index) => {
        out.count(counts[index]!);
        out.number(totals[index]!);
      });
    }
    gathered.encode(out);
    encodeStreams(undefined, out);
  },

  foldCumulative(state, point) {
    state.streams ??= new CumulativeStreams();
    state.streams.put(point);
  },

  settle(state, view) {
    state.streams?.settle(view, (added, timestampSec) => {
      const meta = { timestampSec, sequence: 0 };
      if (typeof added !== 'number') counterGroup.foldHistogram!(state, coarseOf(added), meta);
      else if (added !== 0) counterGroup.fold(state, added, meta);
    });
  },

  reduce(into, from) {
    into.recent.merge(from.recent);
    into.all.merge(from.all);
    into.streams = mergedStreams(into.streams, from.streams);
  },

  reduceEncoded(into, input) {
    numberMerger.merge(into.recent, input);
    into.all.mergeDecoded(input);
    into.streams = mergedStreams(into.streams, CumulativeStreams.decode(input));
  },

  sumEncoded(inputs, out) {
    cellsSum.write(inputs, out);
    if (!sumHistograms(inputs, out) || !inputs.every(hasNoStreams)) return false;
    encodeStreams(undefined, out);
    return true;
  },

  aggregate(into, from) {
    counterGroup.reduce(into, from);
  },

  clampFuture: ({ recent, streams }, limitSec, presentSec) =>
    recent.clampFuture(limitSec, presentSec) + (streams?.clampFuture(limitSec, presentSec) ?? 0),

  render({ recent, all }, form, view) {
    if (form === 'detailed') return detailed(recent, all, view);
    windowSums.fill(recent, view.nowSec);
    return renderers[form](all);
  },

  renderEncoded(input, form, { nowSec }) {
    if (form === 'detailed') return undefined;
    windowSums.fillFrom(input, nowSec);
    allReading.read(input);
    return renderers[form](allReading);
  },

  figures({ recent, all }, { nowSec }) {
    windowSums.fill(recent, nowSec);
    return figuresOf(all, nowSec);
  },

  figuresEncoded(input, { nowSec }) {
    windowSums.fillFrom(input, nowSec);
    allReading.read(input);
    return figuresOf(allReading, nowSec);
  },

  shouldPrune: ({ recent, streams }, nowSec, idleSec) =>
    nowSec - Math.max(recent.newestSec, newestSec(streams)) >= idleSec,

  encode({ recent, all, streams }, out) {
    encodeNumberCascade(recent, out);
    all.encode(out);
    encodeStreams(streams, out);
  },

  decode: (input) => ({ ...decodeFigures(input), streams: CumulativeStreams.decode(input) }),

  examine(input) {
    const newest = numberExaminer.examine(counterLayout, input);
    Histogram.examine(input);
    return CumulativeStreams.decode(input) === undefined ? newest : undefined;
  },

  upgrade: (input, fromVersion) =>
    fromVersion === 1 ? decodeFigures(input) : neverHad('CounterGroup')(input, fromVersion),
};

/** All that version 1 had. */
function decodeFigures(input: ByteReader): CounterGroupState {
  const recent = decodeNumberCascade(counterLayout, input);
  return { recent, all: Histogram.decode(input), streams: undefined };
}

function addToWindows(recent: Cascade<NumberRing>, timestampSec: number, count: number, total: number): void {
  const ring = recent.ringFor(timestampSec);
  if (ring >= 0) recent.writable(ring).add(recent.indexOf(ring, timestampSec), count, total);
}

/** Of the State that is being rendered. */
const windowSums = new WindowSums(counterLayout);
/** Likewise, where that is encoded. */
const allReading = new HistogramReading();

/** Those windows, and beside them what is of all time. */
const renderers = {
  text(all) {
    const rows: [string, string][] = counterLayout.map(({ label }, number) => {
      return [
        label,
        lineText([
          ['count', countText(windowSums.counts[number]!)],
          ['total', valueText(windowSums.totals[number]!)],
        ]),
      ];
    });
    return blockText([...rows, ['pct', percentilesText(all.percentiles(shownPercentiles))]]);
  },

  json(all) {
    // Member by member: an object of entries takes as long to make as what is in it.
    const rendering: Record<string, JsonValue> = {};
    for (let number = 0; number < counterLayout.length; number++) {
      rendering[counterLayout[number]!.label] = totalsJson(
        windowSums.counts[number]!,
        windowSums.totals[number]!,
      );
    }
    rendering.pct = percentilesJson(all);
    return rendering;
  },
} satisfies Record<'text' | 'json', (all: ShownHistogram) => JsonValue>;

function detailed(recent: Cascade<NumberRing>, all: Histogram, { nowSec }: RenderView): JsonValue {
  const windows = counterLayout.map(({ label }, number) => {
    const { count, total, bounds, cells } = numberWindow(recent, number, nowSec);
    return [
      label,
      { ...totalsJson(count, total), ...saturationJson(total), ...boundsJson(bounds, count), cells },
    ];
  });
  return { ...Object.fromEntries(windows), pct: histogramJson(all) };
}

function figuresOf(all: ShownHistogram, nowSec: number): Figures {
  const windows = counterLayout.map(({ label }, number) => {
    const count = windowSums.counts[number]!;
    const rate = rateOf(count, windowSums.bounds(number, nowSec));
    return { window: label, rate, ...totalsFigures(count, windowSums.totals[number]!) };
  });
  return { all: histogramFigures(all), windows };
}
