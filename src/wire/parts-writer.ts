import { ByteWriter } from '../core/bytes.js';
import { EncodedState } from '../core/handlers/encoded-state.js';
import type { Handler } from '../core/handlers/handler.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { xxHash32 } from '../core/xxhash32.js';

export const partsFormatVersion = 1;

/** A tab's name as it stands in a payload: a varint length, then the bytes. */
export function encodedName(name: TabName): Uint8Array {
  const out = new ByteWriter(name.length + 2);
  out.string(name);
  return out.finish();
}

/** A buffer that was needed once for much does not stay. */
const keptBytes = 2 ** 20;
/** For one Part at a time, whose length stands before it. */
const partWriter = new ByteWriter(1024);

/** Payloads up to this size, as of Blocks, lie several in one piece: memory for each alone would cost more than the encoding. */
const shortBytes = 4096;
const pieceBytes = shortBytes * 8;
const shortWriter = new ByteWriter(shortBytes);
let piece = new Uint8Array(pieceBytes);
let pieceUsed = 0;

function copiedToPiece(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (pieceUsed + length > pieceBytes) {
    piece = new Uint8Array(pieceBytes);
    pieceUsed = 0;
  }
  const copy = new Uint8Array(piece.buffer, pieceUsed, length);
  copy.set(bytes);
  pieceUsed += length;
  return copy;
}

/** Writes a payload of Parts tab by tab (layout: parts.ts); the caller sees to the order. One after the other may be written with it. */
export class PartsWriter {
  #tabs = new ByteWriter(1024);
  #count = 0;

  /** Bytes of the tabs so far. */
  get length(): number {
    return this.#tabs.length;
  }

  /** @param name itself, or what `encodedName` made of it @param type index of its type @param parts how many Parts follow */
  beginTab(name: TabName | Uint8Array, type: number, parts: number): void {
    if (typeof name === 'string') this.#tabs.string(name);
    else this.#tabs.raw(name);
    this.#tabs.varint(type);
    this.#tabs.varint(parts);
    this.#count++;
  }

  /** @param client index of its client @param state the State itself, or an `EncodedState` in its place */
  part(handler: Handler, client: number, events: number, state: unknown): void {
    if (state instanceof EncodedState) {
      this.#tabs.varint(client);
      this.#tabs.count(events);
      this.#tabs.bytes(state.bytes, state.start, state.end);
      return;
    }
    this.encodedPart(client, events, (out) => handler.encode(state, out));
  }

  /** @param encode writes the State */
  encodedPart(client: number, events: number, encode: (out: ByteWriter) => void): void {
    this.#tabs.varint(client);
    this.#tabs.count(events);
    partWriter.clear();
    encode(partWriter);
    this.#tabs.bytesOf(partWriter);
  }

  /** Takes back the last tab, which began at `length`. */
  takeBack(length: number): void {
    this.#tabs.truncate(length);
    this.#count--;
  }

  /**
   * The payload; the next tab begins another one.
   * @param clients ascending @param handlers of the types, ascending by type
   */
  finish(clients: readonly ClientId[], handlers: readonly Handler[]): Uint8Array {
    const capacity = this.#tabs.length + headBytes(clients, handlers);
    const isShort = capacity <= shortBytes;
    const out = isShort ? shortWriter : new ByteWriter(capacity);
    out.clear();
    out.u8(partsFormatVersion);
    out.varint(clients.length);
    for (const client of clients) out.string(client);
    out.varint(handlers.length);
    for (const { type, version } of handlers) {
      out.string(type);
      out.u8(version);
    }
    out.varint(this.#count);
    out.raw(this.#tabs.peek());
    out.u32(xxHash32(out.peek()));
    this.clear();
    return isShort ? copiedToPiece(out.peek()) : out.peek();
  }

  /** Forgets what was written. */
  clear(): void {
    if (this.#tabs.length > keptBytes) this.#tabs = new ByteWriter(keptBytes);
    this.#tabs.clear();
    this.#count = 0;
  }
}

/** More than a payload of these clients and types needs beside its tabs; types may be longer than their characters. */
export function headBytes(clients: readonly ClientId[], handlers: readonly { type: TabType }[]): number {
  let bytes = 32;
  for (const client of clients) bytes += client.length + 2;
  for (const { type } of handlers) bytes += type.length * 3 + 3;
  return bytes;
}
