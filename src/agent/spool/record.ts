import { crc32 } from 'node:zlib';
import type { Block } from '../../core/block.js';
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { TabaError } from '../../core/errors.js';
import type { BucketIndex, ProducerId, Seq, TabName } from '../../core/ids.js';

/**
 * The records of an agent's spool, as bytes.
 *
 * A spool is one file, `spool.log`: records, one after the other, appended and never changed. Numbers are little-endian; varint, count, string
 * and bytes are those of core/bytes.ts.
 *
 *     offset  size
 *          0     4   marker 54 53 50 31 ("TSP1"): where to look for the next record behind a damaged one
 *          4     4   length of the body in bytes, at most 2^30
 *          8     4   CRC-32 of the body (zlib's)
 *         12         body: kind u8 · tally (three varints) · fields of the kind
 *
 * The tally holds what the spool had seen before this record, over the whole life of the folder: records, sealed
 * records, accepted events. Behind a damaged stretch the next whole record therefore says exactly how many of each were
 * in it: losses are reported as figures, not as guesses.
 *
 *     kind  name      fields
 *        1  begin     format version u8 · instance id string · bucket count varint (0: not known yet)
 *        2  accepted  session string ('' when none) · flush number varint · events count · Parts bytes (wire/parts.ts)
 *        3  sealed    bucket varint · producer string · birth f64 · number varint · retires string ('' when none) · sealed at
 *                     f64 · events count · payload bytes · rest bytes
 *        4  settled   bucket varint · producer string · number varint
 *        5  buckets   bucket count varint
 *        6  session   session string · last flush number varint
 *        7  open      as `sealed`, without `rest`: a numbered Block that compaction carried over
 *        8  discarded bucket varint
 *        9  requeued  bucket varint · producer string · number varint
 *       10  gauges    how many varint · for each: tab string · value f64
 *       11  keyed     key string · digest string · taken at f64 · events count · Parts bytes
 *       12  keys      how many varint · for each: key string · digest string · taken at f64
 *
 * `sealed` is one atomic step: the Block exists, and the bucket's un-numbered Parts that were accepted before it are now
 * exactly `rest` (empty unless the bucket's Parts needed more than one Block). `settled`: the Block will never be
 * sent again. `requeued`: it was never counted, and its Parts are un-numbered again. `discarded` empties a bucket's un-numbered
 * Parts. `gauges` are last values, by which signed ones are changed. `keyed` is as `accepted`, of a body
 * under an Idempotency-Key; `keys` are those that compaction carried over, the oldest first. A file begins with `begin`; compaction writes a new file of the same folder with what is still of use.
 *
 * Reading: a record whose marker, length or checksum is wrong is damaged. When no whole record follows, it is the torn
 * end of a write that never finished: nothing in it was ever answered for, and it is cut off. Otherwise the damage is
 * reported, and reading goes on at the next whole record. A later version adds kinds and format versions; it reads these.
 */
export const spoolFormatVersion = 1;
const marker = 0x31505354;
const headerBytes = 12;
const maxBodyBytes = 2 ** 30;

export type SpoolRecord =
  | { readonly kind: 'begin'; readonly instance: string; readonly bucketCount: number }
  | {
      readonly kind: 'accepted';
      readonly session: string;
      readonly flush: number;
      readonly events: number;
      readonly parts: Uint8Array;
    }
  | { readonly kind: 'sealed'; readonly block: Block; readonly rest: Uint8Array }
  | ({ readonly kind: 'settled' } & BlockKey)
  | ({ readonly kind: 'requeued' } & BlockKey)
  | { readonly kind: 'buckets'; readonly bucketCount: number }
  | { readonly kind: 'session'; readonly session: string; readonly flush: number }
  | { readonly kind: 'open'; readonly block: Block }
  | { readonly kind: 'discarded'; readonly bucket: BucketIndex }
  | { readonly kind: 'gauges'; readonly gauges: readonly GaugeValue[] }
  | {
      readonly kind: 'keyed';
      readonly body: KeyedBody;
      readonly events: number;
      readonly parts: Uint8Array;
    }
  | { readonly kind: 'keys'; readonly bodies: readonly KeyedBody[] };

/** A flush of an SDK (R9). */
export interface NumberedFlush {
  readonly session: string;
  readonly number: number;
}

/** A body under an Idempotency-Key. */
export interface KeyedBody {
  readonly key: string;
  /** Of key and body. */
  readonly digest: string;
  readonly takenAtMs: number;
}

/** What Parts came in with, which is not to be taken again. */
export type Origin = NumberedFlush | KeyedBody;

/** The last value of a gauge. */
export type GaugeValue = readonly [tab: TabName, value: number];

/** Which Block. */
export type BlockKey = Pick<Block, 'bucket' | 'producer' | 'seq'>;

/** What a spool had seen before a record. */
export interface Tally {
  readonly records: number;
  readonly seals: number;
  readonly events: number;
}

export const emptyTally: Tally = { records: 0, seals: 0, events: 0 };

/** The tally after `record`. */
export function tallied(tally: Tally, record: SpoolRecord): Tally {
  return {
    records: tally.records + 1,
    seals: tally.seals + (record.kind === 'sealed' ? 1 : 0),
    events: tally.events + (record.kind === 'accepted' || record.kind === 'keyed' ? record.events : 0),
  };
}

const kindCodes = {
  begin: 1,
  accepted: 2,
  sealed: 3,
  settled: 4,
  buckets: 5,
  session: 6,
  open: 7,
  discarded: 8,
  requeued: 9,
  gauges: 10,
  keyed: 11,
  keys: 12,
} as const satisfies Record<SpoolRecord['kind'], number>;

export function encodeRecord(record: SpoolRecord, tally: Tally): Uint8Array {
  const body = new ByteWriter(64);
  body.u8(kindCodes[record.kind]);
  body.varint(tally.records);
  body.varint(tally.seals);
  body.count(tally.events);
  writeFields(body, record);
  const bytes = body.peek();
  const framed = new ByteWriter(headerBytes + bytes.length);
  framed.u32(marker);
  framed.u32(bytes.length);
  framed.u32(crc32(bytes));
  framed.raw(bytes);
  return framed.finish();
}

function writeFields(out: ByteWriter, record: SpoolRecord): void {
  switch (record.kind) {
    case 'begin':
      out.u8(spoolFormatVersion);
      out.string(record.instance);
      out.varint(record.bucketCount);
      return;
    case 'accepted':
      out.string(record.session);
      out.varint(record.flush);
      out.count(record.events);
      out.bytes(record.parts);
      return;
    case 'sealed':
      writeBlock(out, record.block);
      out.bytes(record.rest);
      return;
    case 'settled':
    case 'requeued':
      out.varint(record.bucket);
      out.string(record.producer);
      out.varint(record.seq);
      return;
    case 'buckets':
      out.varint(record.bucketCount);
      return;
    case 'session':
      out.string(record.session);
      out.varint(record.flush);
      return;
    case 'open':
      writeBlock(out, record.block);
      return;
    case 'discarded':
      out.varint(record.bucket);
      return;
    case 'gauges':
      out.varint(record.gauges.length);
      for (const [tab, value] of record.gauges) {
        out.string(tab);
        out.f64(value);
      }
      return;
    case 'keyed':
      writeBody(out, record.body);
      out.count(record.events);
      out.bytes(record.parts);
      return;
    case 'keys':
      out.varint(record.bodies.length);
      for (const body of record.bodies) writeBody(out, body);
      return;
  }
}

function writeBody(out: ByteWriter, { key, digest, takenAtMs }: KeyedBody): void {
  out.string(key);
  out.string(digest);
  out.f64(takenAtMs);
}

function readBody(input: ByteReader): KeyedBody {
  return { key: input.string(), digest: input.string(), takenAtMs: input.f64() };
}

function writeBlock(out: ByteWriter, block: Block): void {
  out.varint(block.bucket);
  out.string(block.producer);
  out.f64(block.birthMs);
  out.varint(block.seq);
  out.string(block.retires ?? '');
  out.f64(block.sealedAtMs);
  out.count(block.events);
  out.bytes(block.payload);
}

function readBlock(input: ByteReader): Block {
  const bucket = input.varint() as BucketIndex;
  const producer = input.string() as ProducerId;
  const birthMs = input.f64();
  const seq = input.varint() as Seq;
  const retires = input.string() as ProducerId;
  const sealedAtMs = input.f64();
  const events = input.count();
  // A copy: a view would keep the whole file in memory for as long as the Block waits (and a Buffer's slice is a view).
  const payload = new Uint8Array(input.bytes());
  const block = { bucket, producer, birthMs, seq, sealedAtMs, events, payload };
  return retires === ('' as ProducerId) ? block : { ...block, retires };
}

function readKey(input: ByteReader): BlockKey {
  return {
    bucket: input.varint() as BucketIndex,
    producer: input.string() as ProducerId,
    seq: input.varint() as Seq,
  };
}

/** A whole record, what came before it, and where the next one begins. */
export interface ReadRecord {
  readonly record: SpoolRecord;
  readonly tally: Tally;
  readonly end: number;
}

/**
 * Reads the record that begins at `offset`.
 * @returns undefined when there is no whole, undamaged record
 * @throws TabaError `store_mismatch` for a whole record that a newer version wrote
 */
export function readRecord(file: Uint8Array, offset: number): ReadRecord | undefined {
  if (offset + headerBytes > file.length) return undefined;
  const header = new ByteReader(file, offset);
  if (header.u32() !== marker) return undefined;
  const length = header.u32();
  const checksum = header.u32();
  const start = offset + headerBytes;
  if (length > maxBodyBytes || start + length > file.length) return undefined;
  const body = file.subarray(start, start + length);
  if (crc32(body) !== checksum) return undefined;
  const input = new ByteReader(body);
  const kind = input.u8();
  const tally = { records: input.varint(), seals: input.varint(), events: input.count() };
  const record = readFields(kind, input);
  input.end();
  return { record, tally, end: start + length };
}

function readFields(kind: number, input: ByteReader): SpoolRecord {
  switch (kind) {
    case kindCodes.begin: {
      const version = input.u8();
      if (version !== spoolFormatVersion) {
        throw new TabaError(
          'store_mismatch',
          `the spool has format version ${version}; this is for ${spoolFormatVersion}`,
        );
      }
      return { kind: 'begin', instance: input.string(), bucketCount: input.varint() };
    }
    case kindCodes.accepted:
      return {
        kind: 'accepted',
        session: input.string(),
        flush: input.varint(),
        events: input.count(),
        parts: input.bytes(),
      };
    case kindCodes.sealed:
      return { kind: 'sealed', block: readBlock(input), rest: input.bytes() };
    case kindCodes.settled:
      return { kind: 'settled', ...readKey(input) };
    case kindCodes.requeued:
      return { kind: 'requeued', ...readKey(input) };
    case kindCodes.buckets:
      return { kind: 'buckets', bucketCount: input.varint() };
    case kindCodes.session:
      return { kind: 'session', session: input.string(), flush: input.varint() };
    case kindCodes.open:
      return { kind: 'open', block: readBlock(input) };
    case kindCodes.discarded:
      return { kind: 'discarded', bucket: input.varint() as BucketIndex };
    case kindCodes.gauges:
      return {
        kind: 'gauges',
        gauges: Array.from({ length: input.varint() }, () => [input.string() as TabName, input.f64()]),
      };
    case kindCodes.keyed:
      return { kind: 'keyed', body: readBody(input), events: input.count(), parts: input.bytes() };
    case kindCodes.keys:
      return { kind: 'keys', bodies: Array.from({ length: input.varint() }, () => readBody(input)) };
    default:
      throw new TabaError(
        'store_mismatch',
        `the spool has a record of kind ${kind}, which a newer version wrote`,
      );
  }
}

/** Where the next whole record begins at or behind `from`; undefined when none does. */
export function findRecord(file: Uint8Array, from: number): number | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (let at = bytes.indexOf('TSP1', from); at !== -1; at = bytes.indexOf('TSP1', at + 1)) {
    if (readRecord(file, at) !== undefined) return at;
  }
  return undefined;
}
