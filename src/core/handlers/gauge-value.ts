import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { shown } from './number-value.js';

/** What a gauge holds: 1.10 and "1.10" are two values, though both are shown under the key of their text. */
export type GaugeValue = string | number;

export const maxGaugeValueBytes = 1024;

const textEncoder = new TextEncoder();

/** @throws TabaError `bad_value` */
export function parseGaugeValue(payload: unknown): GaugeValue {
  if (typeof payload === 'number' && Number.isFinite(payload)) return payload + 0;
  if (typeof payload !== 'string') {
    throw new TabaError('bad_value', `${shown(payload)} is neither a string nor a finite number`);
  }
  // UTF-16 units take at most 3 bytes each: most values need no look at their bytes.
  if (payload.length * 3 > maxGaugeValueBytes) {
    const length = textEncoder.encode(payload).length;
    if (length > maxGaugeValueBytes) {
      throw new TabaError('bad_value', `the value has ${length} bytes; ${maxGaugeValueBytes} are allowed`);
    }
  }
  return payload;
}

/** A value and until when (seconds UTC) it holds. */
export interface ExpiringValue {
  readonly value: GaugeValue;
  readonly expirySec: number;
}

/** @throws TabaError `bad_value` */
export function parseExpiringValue(payload: unknown): ExpiringValue {
  if (!Array.isArray(payload) || payload.length !== 2) {
    throw new TabaError('bad_value', `${shown(payload)} is not a pair [value, expiry in seconds UTC]`);
  }
  const [value, expirySec] = payload as [unknown, unknown];
  if (typeof expirySec !== 'number' || !Number.isFinite(expirySec) || expirySec < 0) {
    throw new TabaError('bad_value', `the expiry ${shown(expirySec)} is not a number of seconds UTC`);
  }
  return { value: parseGaugeValue(value), expirySec };
}

/** A total order of values, for ties that nothing else decides: numbers, then strings. */
export function compareValues(a: GaugeValue, b: GaugeValue): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A string is 0, its length and UTF-8; a number is 1 and a number. */
export function encodeValue(value: GaugeValue, out: ByteWriter): void {
  if (typeof value === 'string') {
    out.u8(0);
    out.string(value);
  } else {
    out.u8(1);
    out.number(value);
  }
}

/** @throws TabaError `corrupt` */
export function decodeValue(input: ByteReader): GaugeValue {
  const kind = input.u8();
  if (kind === 0) return input.string();
  if (kind === 1) return input.number();
  throw new TabaError('corrupt', `a value of kind ${kind}`);
}
