import { crc32 } from 'node:zlib';
import { ByteReader } from '../../core/bytes.js';

/**
 * The bytes of the log: segment headers and records. All integers little-endian, strings and varints as in core/bytes.
 *
 * A store is a folder of segments, `segment-0000000001.log` and so on, numbered without gaps from the oldest that is
 * kept. A segment is a header and records, one behind the other:
 *
 *     header, 64 bytes                           record
 *      0  8  "TABALOG\n"                          0  4  mark (of this store, from the header)
 *      8  4  format version, 1                    4  4  length of the head
 *     12  4  number of the segment                8  4  length of the content
 *     16  4  number of buckets                   12  4  crc32 of bytes 4 to 12 and of the head
 *     20  8  bucket hash, ASCII, zero-padded     16     head: what the record says, see records.ts
 *     28  4  mark: random, one per store                content: entries, pages, items; the head has the
 *     32  8  end of the segment before (f64)                     length and the crc32 of each
 *     40  8  when the store was made, ms UTC (f64); 0 where that is not known
 *     48 12  zero
 *     60  4  crc32 of bytes 0 to 60
 *
 * One write of the port is one record, so it is there as a whole or not at all. Every byte is under exactly one
 * checksum. Head and content have checksums of their own so that damaged content can be named by tab and client and
 * costs one item; after a damaged head the next record is found by its mark. The mark is random because content comes
 * from outside: nobody who sends events can write something that passes for a record.
 *
 * The end of the segment before is where its last durable commit ended. What lies beyond was written by a commit that
 * failed, and is never read again. Likewise it tells when a sealed segment has lost its end.
 *
 * Promise between versions: a higher format version is refused, a lower one is read for ever.
 */
export const formatVersion = 1;
export const hashName = 'xxh32';
export const headerBytes = 64;
export const recordHeaderBytes = 16;
/** Lengths above are damage. A head lists the pages of one write, at most some ten thousand with names of 1 KB. */
export const maxHeadBytes = 2 ** 28;
export const maxContentBytes = 2 ** 31 - 1;

const magic = Buffer.from('TABALOG\n', 'latin1');

export interface SegmentHeader {
  readonly version: number;
  readonly segment: number;
  readonly bucketCount: number;
  readonly hash: string;
  readonly mark: number;
  readonly previousEnd: number;
  readonly createdAtMs: number;
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(header.version, 8);
  bytes.writeUInt32LE(header.segment, 12);
  bytes.writeUInt32LE(header.bucketCount, 16);
  bytes.write(header.hash, 20, 8, 'latin1');
  bytes.writeUInt32LE(header.mark, 28);
  bytes.writeDoubleLE(header.previousEnd, 32);
  bytes.writeDoubleLE(header.createdAtMs, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** @returns undefined when these bytes are not a header */
export function decodeHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, 8).equals(magic)) return undefined;
  if (crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60)) return undefined;
  return {
    version: bytes.readUInt32LE(8),
    segment: bytes.readUInt32LE(12),
    bucketCount: bytes.readUInt32LE(16),
    hash: bytes.toString('latin1', 20, 28).replace(/\0+$/, ''),
    mark: bytes.readUInt32LE(28),
    previousEnd: bytes.readDoubleLE(32),
    createdAtMs: bytes.readDoubleLE(40),
  };
}

export function segmentName(segment: number): string {
  return `segment-${String(segment).padStart(10, '0')}.log`;
}

/** @returns undefined when the file is not a segment */
export function segmentNumber(name: string): number | undefined {
  const found = /^segment-(\d{10,})\.log$/.exec(name);
  return found ? Number(found[1]) : undefined;
}

/** Gathers records into one buffer that is used again for every commit. */
export class RecordBuffer {
  readonly #mark: number;
  #bytes: Buffer;
  #length = 0;

  constructor(mark: number, capacity: number) {
    this.#mark = mark;
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds a record: its head, and its contents one behind the other.
   * @returns the offset in this buffer at which the contents begin
   */
  add(head: Uint8Array, contents: readonly Uint8Array[]): number {
    let contentLength = 0;
    for (const content of contents) contentLength += content.length;
    this.#reserve(recordHeaderBytes + head.length + contentLength);
    const bytes = this.#bytes;
    const start = this.#length;
    bytes.writeUInt32LE(this.#mark, start);
    bytes.writeUInt32LE(head.length, start + 4);
    bytes.writeUInt32LE(contentLength, start + 8);
    bytes.writeUInt32LE(crc32(head, crc32(bytes.subarray(start + 4, start + 12))), start + 12);
    bytes.set(head, start + recordHeaderBytes);
    const contentStart = start + recordHeaderBytes + head.length;
    let at = contentStart;
    for (const content of contents) {
      bytes.set(content, at);
      at += content.length;
    }
    this.#length = at;
    return contentStart;
  }

  /** A view of what was gathered, valid until `clear`. */
  peek(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was gathered; gives back memory that only an unusual commit needed. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > 2 ** 23) this.#bytes = Buffer.allocUnsafe(2 ** 20);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** A record found in a segment: its head passed its checksum, its content has not been looked at. */
export interface FoundRecord {
  readonly offset: number;
  readonly head: ByteReader;
  readonly contentOffset: number;
  readonly end: number;
}

/** Bytes of a segment, at any offset; what a reader of records needs. `bytes` may be shorter at the end of the file. */
export interface ByteSource {
  readonly size: number;
  /** A view, valid until the next call. */
  bytes(offset: number, length: number): Buffer;
}

/** @returns the record at `offset`, or undefined when none begins there that lies before the end of the source whole */
export function readRecord(source: ByteSource, offset: number, mark: number): FoundRecord | undefined {
  const header = source.bytes(offset, recordHeaderBytes);
  if (header.length < recordHeaderBytes || header.readUInt32LE(0) !== mark) return undefined;
  const headLength = header.readUInt32LE(4);
  const contentLength = header.readUInt32LE(8);
  const checksum = header.readUInt32LE(12);
  const contentOffset = offset + recordHeaderBytes + headLength;
  if (headLength > maxHeadBytes || contentOffset + contentLength > source.size) return undefined;
  const lengths = crc32(header.subarray(4, 12));
  // A copy: the names in the head are kept beyond the next read.
  const head = Buffer.from(source.bytes(offset + recordHeaderBytes, headLength));
  if (head.length < headLength || crc32(head, lengths) !== checksum) return undefined;
  return { offset, head: new ByteReader(head), contentOffset, end: contentOffset + contentLength };
}
