/**
 * Events as JSON, for people with curl and for languages without a client: one object, an array of objects, or
 * objects one a line (NDJSON).
 *
 *     {"name": "bids_won", "value": 1, "type": "CounterGroup", "client": "host-1", "timestamp": 1396980134.25, "expiry": 1396980194}
 *
 * Only `name` and `value` must be there. `type` is CounterGroup, `client` the node's own, `timestamp` (seconds UTC) the
 * present, unless given. `expiry` (seconds UTC) belongs to the types whose values expire, ExpiryGauge and Buffer, and is
 * required there. An unknown field is a fault: it is a misspelt one.
 *
 * What begins with `[` is an array. What begins with `{` is one object if the body is JSON as a whole, else NDJSON: a line
 * that is not JSON is then a fault of that line alone. Blank lines count for nothing, `\r\n` is welcome. An array that is not
 * JSON, a single object that is not JSON, and a body that is cut off in its last line are fatal to the whole.
 */
import { type ErrorCode, TabaError } from '../core/errors.js';
import { isCutOff } from './cut-off.js';
import type { ItemSink, RawEvent } from './item-sink.js';

const fields = new Set(['name', 'value', 'type', 'client', 'timestamp', 'expiry']);
const defaultType = 'CounterGroup';
const expiringTypes = new Set(['ExpiryGauge', 'Buffer']);

/** @throws TabaError `bad_framing` */
export function parseJsonEvents(body: Uint8Array, sink: ItemSink): void {
  const text = decoded(body);
  const start = text.search(/[^ \t\r\n]/);
  if (start < 0) throw framing('the body is empty');
  if (text[start] === '[') {
    const items = parsed(text);
    if (items === undefined) throw framing('the array is not JSON, or cut off');
    for (const item of items.value as unknown[]) give(item, '', sink);
    return;
  }
  const single = text.includes('\n', start) ? undefined : parsed(text);
  if (single !== undefined) give(single.value, '', sink);
  else parseLines(text, sink);
}

function parseLines(text: string, sink: ItemSink): void {
  const whole = parsed(text);
  // An object that somebody laid out over several lines.
  if (whole !== undefined) {
    give(whole.value, '', sink);
    return;
  }
  const lines = text.split('\n');
  const filled = lines.flatMap((line, index) => (line.trim() === '' ? [] : [index]));
  if (filled.length === 1) throw framing('the body is not JSON, or cut off');
  for (const index of filled) {
    const item = parsed(lines[index]!);
    if (item !== undefined) {
      give(item.value, `line ${index + 1}: `, sink);
      continue;
    }
    if (index === lines.length - 1 && isCutOff(lines[index]!)) throw framing(`line ${index + 1} is cut off`);
    sink.fault('bad_event', `line ${index + 1}: not JSON`);
  }
}

function give(item: unknown, where: string, sink: ItemSink): void {
  let event: RawEvent;
  try {
    event = eventOf(item);
  } catch (error) {
    if (!(error instanceof TabaError)) throw error;
    sink.fault(error.code, `${where}${error.message}`);
    return;
  }
  sink.event(event);
}

/** @throws TabaError `bad_event`, `bad_value` and others that name a field */
function eventOf(item: unknown): RawEvent {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw fault('bad_event', 'not an object {"name": …, "value": …}');
  }
  for (const field of Object.keys(item)) {
    if (!fields.has(field)) {
      throw fault('bad_event', `unknown field ${shown(field)}; there are ${[...fields].join(', ')}`);
    }
  }
  const { name, value, type = defaultType, client, timestamp, expiry } = item as Record<string, unknown>;
  if (name === undefined) throw fault('bad_event', 'the field name is missing');
  if (typeof name !== 'string') throw fault('bad_name', `name is ${shown(name)}, not a string`);
  if (value === undefined) throw fault('bad_event', 'the field value is missing');
  if (typeof type !== 'string') throw fault('unknown_type', `type is ${shown(type)}, not a string`);
  if (client !== undefined && typeof client !== 'string') {
    throw fault('bad_client', `client is ${shown(client)}, not a string`);
  }
  if (timestamp === null) throw fault('bad_timestamp', 'timestamp is null, not a number of seconds');
  return { client, tab: name, type, timestampSec: timestamp, payload: payloadOf(type, value, expiry) };
}

function payloadOf(type: string, value: unknown, expiry: unknown): unknown {
  if (expiringTypes.has(type)) {
    if (expiry === undefined) {
      throw fault('bad_value', `the field expiry is missing: a ${type} needs one, in seconds UTC`);
    }
    return [value, expiry];
  }
  if (expiry !== undefined) throw fault('bad_value', `a ${type} has no expiry`);
  return value;
}

function decoded(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw framing('the body is not UTF-8');
  }
}

/** The JSON value, in a box because it may be anything; undefined if the text is no JSON. */
function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    // Nested so deeply that it can be read, but not be written.
    text = 'nested too deeply';
  }
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function fault(code: ErrorCode, message: string): TabaError {
  return new TabaError(code, message);
}

function framing(message: string): TabaError {
  return new TabaError('bad_framing', message);
}
