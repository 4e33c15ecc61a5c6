import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { compareValues, decodeValue, encodeValue, type GaugeValue } from './gauge-value.js';
import type { JsonValue, RenderForm } from './handler.js';
import { blockText } from './number-format.js';

/** The aggregate of a gauge: how many clients hold each value. */
export type Holders = Map<GaugeValue, number>;

export function addHolders(into: Holders, value: GaugeValue, clients: number): void {
  into.set(value, (into.get(value) ?? 0) + clients);
}

export function mergeHolders(into: Holders, from: Holders): void {
  for (const [value, clients] of from) addHolders(into, value, clients);
}

/** The value that most clients hold first; values of one text (1 and "1") are one key. */
export function renderHolders(holders: Holders, form: RenderForm): JsonValue {
  const byText = new Map<string, number>();
  const ordered = [...holders].sort((a, b) => b[1] - a[1] || compareValues(a[0], b[0]));
  for (const [value, clients] of ordered)
    byText.set(String(value), (byText.get(String(value)) ?? 0) + clients);
  if (form === 'text') return blockText([...byText].map(([text, clients]) => [text, String(clients)]));
  const json = Object.fromEntries(byText);
  if (form === 'json') return json;
  return { values: ordered.map(([value, clients]) => ({ value, clients })) };
}

export function encodeHolders(holders: Holders, out: ByteWriter): void {
  const ordered = [...holders].sort((a, b) => compareValues(a[0], b[0]));
  out.varint(ordered.length);
  for (const [value, clients] of ordered) {
    encodeValue(value, out);
    out.varint(clients);
  }
}

/** @throws TabaError `corrupt` */
export function decodeHolders(input: ByteReader): Holders {
  const holders: Holders = new Map();
  for (let left = input.varint(); left > 0; left--) {
    const value = decodeValue(input);
    if (holders.has(value)) throw new TabaError('corrupt', 'a gauge value that comes twice');
    holders.set(value, input.varint());
  }
  return holders;
}
