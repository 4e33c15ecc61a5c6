import type { TabType } from '../ids.js';
import { holdersFigures } from './figures.js';
import { type GaugeValue, parseGaugeValue } from './gauge-value.js';
import type { Handler, JsonValue, RenderForm } from './handler.js';
import { addHolders, type Holders, mergeHolders, renderHolders } from './holders.js';
import {
  clampLatest,
  decodeLatestState,
  encodeLatestState,
  type LatestState,
  newLatestState,
  reduceLatest,
  setLatest,
} from './latest.js';
import { neverHad } from './upgrade.js';

/** A value that nobody has set for so long is forgotten, whatever the pruning settings are. */
export const gaugeMemorySec = 48 * 3600;

/** The latest value per client; the aggregate counts the clients that hold each value. */
export const gauge: Handler<LatestState, GaugeValue> = {
  type: 'Gauge' as TabType,
  version: 1,
  tabState: 'derived',

  parse: parseGaugeValue,
  newState: newLatestState,

  fold(state, value, { timestampSec, sequence }) {
    setLatest(state, { value, timestampSec, sequence, expirySec: Number.POSITIVE_INFINITY });
  },
  reduce: reduceLatest,
  aggregate(into, from, nowSec) {
    mergeHolders(into.holders, holdersOf(from, nowSec));
  },
  clampFuture: clampLatest,

  render: (state, form, { nowSec }) => renderGauge(state, holdersOf(state, nowSec), form),
  figures: (state, { nowSec }) => holdersFigures(holdersOf(state, nowSec)),
  shouldPrune({ latest, holders }, nowSec, idleSec) {
    if (latest === undefined) return holders.size === 0;
    return nowSec - latest.timestampSec >= Math.min(idleSec, gaugeMemorySec);
  },

  encode: encodeLatestState,
  decode: decodeLatestState,
  upgrade: neverHad('Gauge'),
};

function holdersOf({ latest, holders }: LatestState, nowSec: number): Holders {
  if (latest === undefined || nowSec - latest.timestampSec >= gaugeMemorySec) return holders;
  const all = new Map(holders);
  addHolders(all, latest.value, 1);
  return all;
}

/** Value by number of clients; in detail also what a client set last, and when. */
export function renderGauge({ latest }: LatestState, holders: Holders, form: RenderForm): JsonValue {
  const rendering = renderHolders(holders, form);
  if (form !== 'detailed' || latest === undefined) return rendering;
  const { value, timestampSec, expirySec } = latest;
  const expiry = Number.isFinite(expirySec) ? { expiry: expirySec } : {};
  return { ...(rendering as object), latest: { value, timestamp: timestampSec, ...expiry } };
}
