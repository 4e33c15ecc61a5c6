/**
 * Parts as bytes: the payload of Blocks, of an SDK's flushes and of spool records alike.
 *
 * Numbers are little-endian; varint, string, bytes and count are those of core/bytes.ts.
 *
 *     format version  u8            1
 *     clients         varint n      then n strings, ascending
 *     types           varint n      then n times: tab type string, ascending · Handler version u8, 1 to 255
 *     tabs            varint n      then n times:
 *         name        string        ascending
 *         type        varint        index into types
 *         Parts       varint m      1 or more, then m times:
 *             client  varint        index into clients, ascending
 *             events  count         how many events the Part stands for in the books
 *             Part    bytes         what the Handler's `encode` wrote
 *     checksum        u32           xxHash32 (seed 0) of everything before it
 *
 * "Ascending" is by bytes (types: by UTF-16 code units) and without repeats, so equal Parts give equal bytes whatever order they came in, and one
 * (tab, client) stands in a payload once. Names and client ids are of the name set (core/names.ts), so a payload that was
 * read needs no further check of them.
 *
 * Any damage to the layout is fatal to the whole payload: `corrupt`, before anything was taken out of it. A single Part
 * that its Handler cannot decode, or whose type is unknown, is a fault of that Part alone, see `decodePart`. Nothing is
 * allocated for a number that the bytes at hand cannot hold. A later version gets another format version.
 */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { TabaError } from '../core/errors.js';
import type { Handler } from '../core/handlers/handler.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { isName } from '../core/names.js';
import type { PartEntry } from '../core/parts.js';
import { xxHash32 } from '../core/xxhash32.js';
import { checkedContent, decodeBody, type HandlerLookup, unknownFormat } from './state.js';

export const partsFormatVersion = 1;
const maxTypeBytes = 255;

/** A `PartMap`, or anything else that lists each (tab, client) once. */
export type PartSource = Iterable<PartEntry> | { entries(): Iterable<PartEntry> };

/** One Part of a payload that was read, not yet decoded. `bytes` is a view into the payload. */
export interface PartRecord {
  readonly tab: TabName;
  readonly type: TabType;
  readonly client: ClientId;
  readonly events: number;
  /** Version of the Handler that wrote `bytes`. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** @throws TabaError `unknown_type` when a Part's type has no Handler */
export function encodeParts(source: PartSource, registry: HandlerLookup): Uint8Array {
  const tabs = new Map<TabName, PartEntry[]>();
  const clients = new Set<ClientId>();
  const types = new Set<TabType>();
  for (const entry of Symbol.iterator in source ? source : source.entries()) {
    const ofTab = tabs.get(entry.tab);
    if (ofTab === undefined) {
      tabs.set(entry.tab, [entry]);
      types.add(entry.type);
    } else {
      if (ofTab[0]!.type !== entry.type) throw new RangeError(`${entry.tab} is listed with two types`);
      ofTab.push(entry);
    }
    clients.add(entry.client);
  }

  const out = new ByteWriter(1024);
  out.u8(partsFormatVersion);
  const clientIndex = writeTable(out, clients, () => {});
  const handlers: Handler[] = [];
  const typeIndex = writeTable(out, types, (type) => {
    const handler = handlerOf(registry, type);
    handlers.push(handler);
    out.u8(handler.version);
  });
  out.varint(tabs.size);
  // The name set is ASCII: the order of strings is the order of bytes.
  for (const tab of [...tabs.keys()].sort()) {
    const entries = tabs.get(tab)!;
    if (entries.length > 1) entries.sort((a, b) => (a.client < b.client ? -1 : 1));
    const type = typeIndex.get(entries[0]!.type)!;
    out.string(tab);
    out.varint(type);
    out.varint(entries.length);
    writeEntries(out, entries, handlers[type]!, clientIndex);
  }
  out.u32(xxHash32(out.peek()));
  return out.finish();
}

function writeEntries(
  out: ByteWriter,
  entries: readonly PartEntry[],
  handler: Handler,
  clientIndex: ReadonlyMap<ClientId, number>,
): void {
  let last: ClientId | undefined;
  for (const { tab, client, events, state } of entries) {
    if (client === last) throw new RangeError(`(${tab}, ${client}) is listed twice`);
    last = client;
    out.varint(clientIndex.get(client)!);
    out.count(events);
    partWriter.clear();
    handler.encode(state, partWriter);
    out.bytes(partWriter.peek());
  }
}

/** One Part at a time, copied out at once. */
const partWriter = new ByteWriter(1024);

/** Writes the values in ascending order; returns the index of each. */
function writeTable<T extends string>(
  out: ByteWriter,
  values: ReadonlySet<T>,
  rest: (value: T) => void,
): ReadonlyMap<T, number> {
  const index = new Map<T, number>();
  out.varint(values.size);
  for (const value of [...values].sort()) {
    index.set(value, index.size);
    out.string(value);
    rest(value);
  }
  return index;
}

/**
 * Checks the checksum and the whole layout, and lists the Parts without decoding them.
 *
 * @returns the Parts in the order of the payload; their bytes are views into it
 * @throws TabaError `corrupt`
 */
export function readParts(payload: Uint8Array): PartRecord[] {
  const input = new ByteReader(checkedContent(payload, 'a payload of Parts'));
  const formatVersion = input.u8();
  if (formatVersion !== partsFormatVersion) throw unknownFormat('payload of Parts', formatVersion);
  const clients = readTable(input, 2, () => readName(input, 'client id') as ClientId);
  const versions: number[] = [];
  const types = readTable(input, 3, () => {
    const type = input.string();
    if (type.length === 0 || type.length > maxTypeBytes) throw malformed(input, 'a tab type of this length');
    const version = input.u8();
    if (version === 0) throw malformed(input, 'Handler version 0');
    versions.push(version);
    return type as TabType;
  });

  const records: PartRecord[] = [];
  let lastTab = '';
  for (let tabsLeft = readCount(input, 7); tabsLeft > 0; tabsLeft--) {
    const tab = readName(input, 'tab name') as TabName;
    if (tab <= lastTab) throw malformed(input, `tab ${tab} after ${lastTab}`);
    lastTab = tab;
    const typeIndex = input.varint();
    const type = types[typeIndex];
    if (type === undefined) throw malformed(input, `type ${typeIndex} of ${types.length}`);
    const version = versions[typeIndex]!;
    const parts = readCount(input, 3);
    if (parts === 0) throw malformed(input, `tab ${tab} without Parts`);
    let lastClient = -1;
    for (let partsLeft = parts; partsLeft > 0; partsLeft--) {
      const clientIndex = input.varint();
      const client = clients[clientIndex];
      if (client === undefined) throw malformed(input, `client ${clientIndex} of ${clients.length}`);
      if (clientIndex <= lastClient) throw malformed(input, `client ${clientIndex} after ${lastClient}`);
      lastClient = clientIndex;
      const events = input.count();
      if (!(events >= 0 && events < Number.POSITIVE_INFINITY)) throw malformed(input, `${events} events`);
      records.push({ tab, type, client, events, version, bytes: input.bytes() });
    }
  }
  input.end();
  return records;
}

/**
 * A Part of its own: it shares no memory with the payload.
 *
 * @throws TabaError `unknown_type`, `corrupt`
 */
export function decodePart(record: PartRecord, registry: HandlerLookup): unknown {
  return decodeBody(handlerOf(registry, record.type), record.bytes, record.version);
}

function handlerOf(registry: HandlerLookup, type: TabType): Handler {
  const handler = registry.get(type);
  if (handler === undefined)
    throw new TabaError('unknown_type', `no handler for the tab type ${JSON.stringify(type)}`);
  return handler;
}

/** A count of things that take at least `leastBytes` each; more than the rest can hold is refused here. */
function readCount(input: ByteReader, leastBytes: number): number {
  const count = input.varint();
  if (count * leastBytes > input.remaining) {
    throw malformed(input, `${count} entries in ${input.remaining} bytes`);
  }
  return count;
}

function readTable<T extends string>(input: ByteReader, leastBytes: number, read: () => T): T[] {
  const values: T[] = [];
  for (let left = readCount(input, leastBytes); left > 0; left--) {
    const value = read();
    const before = values.at(-1);
    if (before !== undefined && value <= before) throw malformed(input, `${value} after ${before}`);
    values.push(value);
  }
  return values;
}

function readName(input: ByteReader, what: string): string {
  const bytes = input.bytes();
  if (!isName(bytes)) throw malformed(input, `an illegal ${what} of ${bytes.length} bytes`);
  return asciiText(bytes);
}

/** Shorter names are put together faster here than a TextDecoder starts up. */
function asciiText(bytes: Uint8Array): string {
  if (bytes.length > 64) return textDecoder.decode(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

const textDecoder = new TextDecoder();

function malformed(input: ByteReader, what: string): TabaError {
  return new TabaError('corrupt', `a payload of Parts has ${what} before byte ${input.offset}`);
}
