import type { TabType } from '../ids.js';
import { holdersFigures } from './figures.js';
import { renderGauge } from './gauge.js';
import { type ExpiringValue, parseExpiringValue } from './gauge-value.js';
import type { Handler } from './handler.js';
import { addHolders, type Holders, mergeHolders } from './holders.js';
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

/** A gauge whose every value says until when it holds. The latest set counts, even if an earlier one expires later. */
export const expiryGauge: Handler<LatestState, ExpiringValue> = {
  type: 'ExpiryGauge' as TabType,
  version: 1,
  tabState: 'derived',

  parse: parseExpiringValue,
  newState: newLatestState,

  fold(state, { value, expirySec }, { timestampSec, sequence }) {
    setLatest(state, { value, timestampSec, sequence, expirySec });
  },
  reduce: reduceLatest,
  aggregate(into, from, nowSec) {
    mergeHolders(into.holders, holdersOf(from, nowSec));
  },
  clampFuture: clampLatest,

  render: (state, form, { nowSec }) => renderGauge(state, holdersOf(state, nowSec), form),
  figures: (state, { nowSec }) => holdersFigures(holdersOf(state, nowSec)),
  shouldPrune: ({ latest, holders }, nowSec) =>
    latest === undefined ? holders.size === 0 : latest.expirySec <= nowSec,

  encode: encodeLatestState,
  decode: decodeLatestState,
  upgrade: neverHad('ExpiryGauge'),
};

function holdersOf({ latest, holders }: LatestState, nowSec: number): Holders {
  if (latest === undefined || latest.expirySec <= nowSec) return holders;
  const all = new Map(holders);
  addHolders(all, latest.value, 1);
  return all;
}
