import { TabaError } from '../errors.js';
import type { TabType } from '../ids.js';
import { Distinct } from '../sketch/distinct.js';
import { type Hash64, murmur3 } from '../sketch/murmur3.js';
import type { Cascade } from '../window/cascade.js';
import {
  cellFor,
  cellWindow,
  decodeCellCascade,
  encodeCellCascade,
  newCellCascade,
} from '../window/cell-cascade.js';
import { type CellRing, CellRings } from '../window/cell-ring.js';
import { sketchLayout } from '../window/layout.js';
import { maxGaugeValueBytes } from './gauge-value.js';
import type { Handler, JsonValue } from './handler.js';
import { rateOf } from './histogram-view.js';
import { lineText } from './number-format.js';
import { shown } from './number-value.js';
import { neverHad } from './upgrade.js';

const textEncoder = new TextEncoder();

const distinctCells = new CellRings<Distinct>({
  newCell: () => new Distinct(),
  merge: (into, from) => into.merge(from),
  weightOf: (cell) => cell.events,
});

export interface UniqueCounterState {
  readonly recent: Cascade<CellRing<Distinct>>;
  readonly all: Distinct;
}

/** How many different strings came in the last 1m, 10m, 1h, 1d, and ever. Strings are kept as hashes of their UTF-8. */
export const uniqueCounter: Handler<UniqueCounterState, Hash64> = {
  type: 'UniqueCounter' as TabType,
  version: 1,
  tabState: 'kept',

  parse(payload) {
    if (typeof payload !== 'string') throw new TabaError('bad_value', `${shown(payload)} is not a string`);
    const bytes = textEncoder.encode(payload);
    if (bytes.length > maxGaugeValueBytes) {
      throw new TabaError(
        'bad_value',
        `the value has ${bytes.length} bytes; ${maxGaugeValueBytes} are allowed`,
      );
    }
    return murmur3(bytes);
  },

  newState: () => ({ recent: newCellCascade(sketchLayout, distinctCells), all: new Distinct() }),

  fold({ recent, all }, hash, { timestampSec }) {
    all.add(hash);
    cellFor(recent, timestampSec)?.add(hash);
  },

  reduce(into, from) {
    into.recent.merge(from.recent);
    into.all.merge(from.all);
  },

  aggregate(into, from) {
    uniqueCounter.reduce(into, from);
  },

  clampFuture: ({ recent }, limitSec, presentSec) => recent.clampFuture(limitSec, presentSec),

  render({ recent, all }, form, { nowSec }) {
    const windows = sketchLayout.map(
      ({ label }, number) => [label, cellWindow(recent, number, nowSec, distinctCells)] as const,
    );
    const counts = windows.map(([label, { sum }]): [string, number] => [label, sum.count()]);
    counts.push(['all', all.count()]);
    if (form === 'text') return lineText(counts.map(([label, count]) => [label, String(count)]));
    if (form === 'json') return Object.fromEntries(counts);
    const detailed = windows.map(([label, { sum, bounds, cells }], number): [string, JsonValue] => [
      label,
      {
        ...distinctJson(sum),
        from: bounds.fromSec,
        to: bounds.toSec,
        rate: rateOf(sum.events, bounds),
        cells: {
          width: sketchLayout[number]!.widthSec,
          from: bounds.fromSec,
          distinct: cells.map((cell) => cell?.count() ?? 0),
          count: cells.map((cell) => cell?.events ?? 0),
        },
      },
    ]);
    return { ...Object.fromEntries(detailed), all: distinctJson(all) };
  },

  figures({ recent, all }, { nowSec }) {
    const windows = sketchLayout.map(({ label }, number) => {
      const { sum, bounds } = cellWindow(recent, number, nowSec, distinctCells);
      const { events } = sum;
      return { window: label, count: events, rate: rateOf(events, bounds), distinct: sum.count() };
    });
    return { all: { count: all.events, distinct: all.count() }, windows };
  },

  shouldPrune: ({ recent }, nowSec, idleSec) => nowSec - recent.newestSec >= idleSec,

  encode({ recent, all }, out) {
    encodeCellCascade(recent, out, (cell, into) => cell.encode(into));
    all.encode(out);
  },

  decode: (input) => ({
    recent: decodeCellCascade(sketchLayout, distinctCells, input, Distinct.decode),
    all: Distinct.decode(input),
  }),

  upgrade: neverHad('UniqueCounter'),
};

/** `distinct` of `count` events; `exact` says whether it is estimated. */
function distinctJson(cell: Distinct): { readonly [key: string]: JsonValue } {
  return { distinct: cell.count(), count: cell.events, exact: cell.exact };
}
