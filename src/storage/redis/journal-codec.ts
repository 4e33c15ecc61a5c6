import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { TabaError } from '../../core/errors.js';
import { readAside, readEntry, writeAside, writeEntry } from '../item-codec.js';
import type { JournalEntry, SetAside } from '../store.js';

/**
 * A journal entry, or a set-aside item, as one value in Redis:
 *
 *     format 1 (u8) · checksum of all that follows, CRC-32 (u32) · fields, see item-codec.ts · content, to the end
 *
 * Redis keeps what it is given; the checksum finds what memory, disks and people did to it.
 */
const format = 1;
const headBytes = 5;

export function encodeEntry(entry: JournalEntry): Uint8Array {
  return encode((out) => writeEntry(out, entry), entry.payload);
}

/** @throws TabaError corrupt */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  const from = open(bytes);
  return { ...readEntry(from), payload: rest(bytes, from) };
}

export function encodeAside(item: SetAside): Uint8Array {
  return encode((out) => writeAside(out, item), item.bytes);
}

/** @throws TabaError corrupt */
export function decodeAside(bytes: Uint8Array): SetAside {
  const from = open(bytes);
  return { ...readAside(from), bytes: rest(bytes, from) };
}

function encode(write: (out: ByteWriter) => void, content: Uint8Array): Uint8Array {
  const out = new ByteWriter(256 + content.length);
  write(out);
  out.raw(content);
  const body = out.finish();
  const whole = new Uint8Array(headBytes + body.length);
  whole[0] = format;
  new DataView(whole.buffer).setUint32(1, crc32(body), true);
  whole.set(body, headBytes);
  return whole;
}

function open(bytes: Uint8Array): ByteReader {
  if (bytes.length < headBytes) throw new TabaError('corrupt', `${bytes.length} bytes are no stored item`);
  if (bytes[0] !== format) throw new TabaError('corrupt', `a stored item of format ${bytes[0]}`);
  const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
  if (crc32(bytes.subarray(headBytes)) !== checksum) {
    throw new TabaError('corrupt', 'the checksum of a stored item does not match');
  }
  return new ByteReader(bytes, headBytes);
}

function rest(bytes: Uint8Array, from: ByteReader): Uint8Array {
  // Not slice: that of a Buffer is a view, and would keep the whole reply alive.
  return new Uint8Array(bytes.subarray(bytes.length - from.remaining));
}
