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
import { ByteReader } from '../core/bytes.js';
import { TabaError } from '../core/errors.js';
import type { Handler } from '../core/handlers/handler.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { isName } from '../core/names.js';
import { type PartEntry, PartMap, type PartsOfTab } from '../core/parts.js';
import { Listing } from './listing.js';
import { NameCache } from './name-cache.js';
import { PartsWriter, partsFormatVersion } from './parts-writer.js';
import { checkedContent, decodeBody, examineBody, type HandlerLookup, unknownFormat } from './state.js';

const maxTypeBytes = 255;

/** A `PartMap`, or anything else that lists each (tab, client) once. */
export type PartSource = Iterable<PartEntry> | Pick<PartMap, 'byTab'>;

/** One Part of a payload that was read, not yet decoded: it lies from `start` up to `end`. */
export interface PartRecord {
  readonly tab: TabName;
  readonly type: TabType;
  readonly client: ClientId;
  readonly events: number;
  /** Version of the Handler that wrote it. */
  readonly version: number;
  readonly payload: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** @throws TabaError `unknown_type` when a Part's type has no Handler */
export function encodeParts(source: PartSource, registry: HandlerLookup): Uint8Array {
  const tabs = Symbol.iterator in source ? grouped(source, registry) : [...source.byTab()];
  // The name set is ASCII: the order of strings is the order of bytes.
  tabs.sort((a, b) => (a.name < b.name ? -1 : 1));
  const clients = new Listing<ClientId>();
  const types = new Listing<TabType>();
  for (const tab of tabs) {
    types.add(tab.handler.type);
    for (const client of tab.clients.keys()) clients.add(client);
  }
  const listedClients = clients.close();
  const handlers = types.close().map((type) => handlerOf(registry, type));
  writer.clear();
  for (const { name, handler, clients: parts } of tabs) {
    const type = types.indexOf(handler.type);
    writer.beginTab(name, type, parts.size);
    // Where a tab has about as many clients as all tabs, asking for each of these is cheaper than sorting its own.
    const isWide = parts.size * 2 > listedClients.length;
    for (const client of isWide ? listedClients : [...parts.keys()].sort()) {
      const part = parts.get(client);
      if (part !== undefined) writer.part(handlers[type]!, clients.indexOf(client), part.events, part.state);
    }
  }
  return writer.finish(listedClients, handlers);
}

const writer = new PartsWriter();

/** Listed Parts by tab. */
function grouped(entries: Iterable<PartEntry>, registry: HandlerLookup): PartsOfTab[] {
  const tabs = new Map<TabName, { name: TabName; handler: Handler; clients: Map<ClientId, Counted> }>();
  for (const { tab, type, client, state, events } of entries) {
    const known = tabs.get(tab) ?? { name: tab, handler: handlerOf(registry, type), clients: new Map() };
    if (known.handler.type !== type) throw new RangeError(`${tab} is listed with two types`);
    if (known.clients.has(client)) throw new RangeError(`(${tab}, ${client}) is listed twice`);
    known.clients.set(client, { state, events });
    tabs.set(tab, known);
  }
  return [...tabs.values()];
}

type Counted = Pick<PartEntry, 'state' | 'events'>;

/**
 * Checks the checksum and the whole layout, and lists the Parts without decoding them.
 *
 * @returns the Parts in the order of the payload, which must stay as it is while they are in use
 * @throws TabaError `corrupt`
 */
export function readParts(payload: Uint8Array): PartRecord[] {
  const content = checkedContent(payload, 'a payload of Parts');
  const input = new ByteReader(content);
  const nameReader = new NameReader(input, content);
  const formatVersion = input.u8();
  if (formatVersion !== partsFormatVersion) throw unknownFormat('payload of Parts', formatVersion);
  const clients = readTable(input, 2, () => nameReader.read('client id') as ClientId);
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
    const tab = nameReader.read('tab name') as TabName;
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
      const length = input.varint();
      const start = input.skip(length);
      records.push({ tab, type, client, events, version, payload, start, end: start + length });
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
  const { type, version, payload, start, end } = record;
  return decodeBody(handlerOf(registry, type), payload, version, start, end);
}

/** All Parts of a payload, of their own. @throws TabaError `unknown_type`, `corrupt` */
export function decodeParts(payload: Uint8Array, registry: HandlerRegistry): PartMap {
  const parts = new PartMap(registry);
  for (const record of readParts(payload)) {
    parts.put(record.tab, record.type, record.client, decodePart(record, registry), record.events);
  }
  return parts;
}

/**
 * Finds out whether a Part decodes, without doing it.
 *
 * @returns second of its newest event, see `Handler.examine`; undefined where only decoding tells
 * @throws TabaError `unknown_type`, `corrupt`
 */
export function examinePart(record: PartRecord, registry: HandlerLookup): number | undefined {
  const { type, version, payload, start, end } = record;
  return examineBody(handlerOf(registry, type), payload, version, start, end);
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

/** Of payloads that were read. */
const names = new NameCache();

/** Reads names of the name set. */
class NameReader {
  readonly #input: ByteReader;
  readonly #bytes: Buffer;

  /** @param content what `input` reads, from its beginning */
  constructor(input: ByteReader, content: Uint8Array) {
    this.#input = input;
    this.#bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  }

  read(what: string): string {
    const length = this.#input.varint();
    const start = this.#input.skip(length);
    const end = start + length;
    const known = names.find(this.#bytes, start, end);
    if (known !== undefined) return known;
    if (!isName(this.#bytes, start, end)) {
      throw malformed(this.#input, `an illegal ${what} of ${length} bytes`);
    }
    const name = this.#bytes.toString('latin1', start, end);
    names.keep(name, this.#bytes, start, end);
    return name;
  }
}

function malformed(input: ByteReader, what: string): TabaError {
  return new TabaError('corrupt', `a payload of Parts has ${what} before byte ${input.offset}`);
}
