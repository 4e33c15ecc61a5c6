import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { compareValues, decodeValue, encodeValue, type GaugeValue } from './gauge-value.js';
import { decodeHolders, encodeHolders, type Holders, mergeHolders } from './holders.js';

/** What was set last, by whatever order the merges came in. */
export interface Latest {
  readonly value: GaugeValue;
  readonly timestampSec: number;
  readonly sequence: number;
  /** Until when it holds; Infinity for a gauge without an expiry. */
  readonly expirySec: number;
}

/** The State of both gauges: the latest value in that of a client, holders in an aggregate. */
export interface LatestState {
  latest: Latest | undefined;
  readonly holders: Holders;
}

export function newLatestState(): LatestState {
  return { latest: undefined, holders: new Map() };
}

/** Keeps the later of both: by timestamp, then sequence, then value and expiry, so that no two differ and tie. */
export function setLatest(state: LatestState, latest: Latest): void {
  if (state.latest === undefined || compareLatest(latest, state.latest) > 0) state.latest = latest;
}

function compareLatest(a: Latest, b: Latest): number {
  return (
    a.timestampSec - b.timestampSec ||
    a.sequence - b.sequence ||
    compareValues(a.value, b.value) ||
    (a.expirySec === b.expirySec ? 0 : a.expirySec - b.expirySec)
  );
}

export function reduceLatest(into: LatestState, from: LatestState): void {
  if (from.latest !== undefined) setLatest(into, from.latest);
  mergeHolders(into.holders, from.holders);
}

export function clampLatest(state: LatestState, limitSec: number, presentSec: number): number {
  if (state.latest === undefined || state.latest.timestampSec <= limitSec) return 0;
  state.latest = { ...state.latest, timestampSec: presentSec };
  return 1;
}

/** 0, or 1 and timestamp, sequence, value and expiry; then the holders. */
export function encodeLatestState({ latest, holders }: LatestState, out: ByteWriter): void {
  out.u8(latest === undefined ? 0 : 1);
  if (latest !== undefined) {
    out.number(latest.timestampSec);
    out.varint(latest.sequence);
    encodeValue(latest.value, out);
    out.number(latest.expirySec);
  }
  encodeHolders(holders, out);
}

/** @throws TabaError `corrupt` */
export function decodeLatestState(input: ByteReader): LatestState {
  const present = input.u8();
  if (present > 1) throw new TabaError('corrupt', `a gauge that begins with ${present}`);
  const state = newLatestState();
  if (present === 1) {
    const timestampSec = input.number();
    const sequence = input.varint();
    state.latest = { timestampSec, sequence, value: decodeValue(input), expirySec: input.number() };
  }
  mergeHolders(state.holders, decodeHolders(input));
  return state;
}
