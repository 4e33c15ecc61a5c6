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

const nothingSet = 0;
const withoutExpiry = 1;
const withExpiry = 2;

/** 0 (nothing set), or 1 and timestamp, sequence, value, or 2 and the same and an expiry; then the holders. */
export function encodeLatestState({ latest, holders }: LatestState, out: ByteWriter): void {
  if (latest === undefined) {
    out.u8(nothingSet);
  } else {
    const expires = Number.isFinite(latest.expirySec);
    out.u8(expires ? withExpiry : withoutExpiry);
    out.number(latest.timestampSec);
    out.varint(latest.sequence);
    encodeValue(latest.value, out);
    if (expires) out.number(latest.expirySec);
  }
  encodeHolders(holders, out);
}

/** @throws TabaError `corrupt` */
export function decodeLatestState(input: ByteReader): LatestState {
  const kind = input.u8();
  if (kind > withExpiry) throw new TabaError('corrupt', `a gauge that begins with ${kind}`);
  const state = newLatestState();
  if (kind !== nothingSet) {
    const timestampSec = input.number();
    const sequence = input.varint();
    const value = decodeValue(input);
    const expirySec = kind === withExpiry ? input.number() : Number.POSITIVE_INFINITY;
    state.latest = { timestampSec, sequence, value, expirySec };
  }
  mergeHolders(state.holders, decodeHolders(input));
  return state;
}
