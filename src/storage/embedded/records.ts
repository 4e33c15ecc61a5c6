import { crc32 } from 'node:zlib';
import { type ByteReader, ByteWriter } from '../../core/bytes.js';
import { TabaError } from '../../core/errors.js';
import type { BucketIndex, ClientId, Position, ProducerId, Seq, TabName, TabType } from '../../core/ids.js';
import type { BucketFacts } from '../bucket-model.js';
import {
  type AsideFields,
  type EntryFields,
  readAside,
  readEntry,
  writeAside,
  writeEntry,
} from '../item-codec.js';
import type { PageKey, ProducerRow } from '../store.js';

/**
 * The heads of the log's records. The first byte is the kind; a record is about one bucket, but for `commit`.
 *
 *     1 commit   last record of every commit: bytes (of its records before this one), number of the oldest segment kept
 *     2 append   an entry of the journal; sets its producer's last number        content: the payload
 *     3 aside    an item set aside; one of a whole Block sets the last number    content: its bytes
 *     4 pages    pages written and deleted                                       content: theirs, in order
 *     5 trim     up to a position
 *     6 forget   producers, horizon
 *     7 facts    what earlier records said of the bucket: positions, horizon, producers
 *     8 moved entry, 9 moved aside: as 2 and 3, but they say nothing of producers
 *
 * 7, 8 and 9 are written by the compaction only, which also moves pages as `pages`. Replaying the log from its oldest
 * segment gives the state, whatever was compacted away: the compaction takes the oldest segment, and restates at the end of the
 * log everything that still holds. So a deletion need not be kept: what it deletes lies before it, and goes first.
 */
export const kinds = {
  commit: 1,
  append: 2,
  aside: 3,
  pages: 4,
  trim: 5,
  forget: 6,
  facts: 7,
  movedEntry: 8,
  movedAside: 9,
} as const;

/** Where an item's content is within its record, and its checksum as a signed 32-bit integer. */
export interface Content {
  readonly bytes: number;
  readonly crc: number;
}

/** A place in the log. */
export interface Origin {
  readonly segment: number;
  readonly offset: number;
}

export type PageItem =
  | (PageKey & { readonly type: TabType; readonly position: Position; readonly content: Content })
  | (PageKey & { readonly deleted: true; readonly position: Position });

export type LogRecord =
  | { readonly kind: 'commit'; readonly bytes: number; readonly oldest: number }
  | {
      readonly kind: 'entry';
      readonly bucket: BucketIndex;
      readonly moved: boolean;
      readonly entry: EntryFields;
      readonly content: Content;
    }
  | {
      readonly kind: 'aside';
      readonly bucket: BucketIndex;
      readonly item: AsideFields;
      /** Where it was written first, if it was moved since: what makes it one item however often the log has it. */
      readonly origin?: Origin;
      readonly content: Content;
    }
  | { readonly kind: 'pages'; readonly bucket: BucketIndex; readonly items: readonly PageItem[] }
  | { readonly kind: 'trim'; readonly bucket: BucketIndex; readonly upTo: Position }
  | {
      readonly kind: 'forget';
      readonly bucket: BucketIndex;
      readonly producers: readonly ProducerId[];
      readonly horizonMs: number;
    }
  | {
      readonly kind: 'facts';
      readonly bucket: BucketIndex;
      readonly facts: BucketFacts;
      readonly producers: readonly ProducerRow[];
    };

export function contentOf(bytes: Uint8Array): Content {
  return { bytes: bytes.length, crc: crc32(bytes) | 0 };
}

/** The contents that follow the head of a record, in order. */
export function contentsOf(record: LogRecord): readonly Content[] {
  switch (record.kind) {
    case 'entry':
    case 'aside':
      return [record.content];
    case 'pages':
      return record.items.flatMap((item) => ('deleted' in item ? [] : [item.content]));
    default:
      return [];
  }
}

const scratch = new ByteWriter(4096);

/** @throws RangeError when a number is none that the log can hold */
export function encodeHead(record: LogRecord): Uint8Array {
  scratch.clear();
  writeHead(scratch, record);
  return scratch.finish();
}

function writeHead(out: ByteWriter, record: LogRecord): void {
  switch (record.kind) {
    case 'commit':
      out.u8(kinds.commit);
      out.varint(record.bytes);
      out.varint(record.oldest);
      return;
    case 'entry':
      out.u8(record.moved ? kinds.movedEntry : kinds.append);
      out.varint(record.bucket);
      writeEntry(out, record.entry);
      writeContent(out, record.content);
      return;
    case 'aside':
      out.u8(record.origin === undefined ? kinds.aside : kinds.movedAside);
      out.varint(record.bucket);
      if (record.origin !== undefined) {
        out.varint(record.origin.segment);
        out.varint(record.origin.offset);
      }
      writeAside(out, record.item);
      writeContent(out, record.content);
      return;
    case 'pages':
      out.u8(kinds.pages);
      out.varint(record.bucket);
      out.varint(record.items.length);
      for (const item of record.items) writePageItem(out, item);
      return;
    case 'trim':
      out.u8(kinds.trim);
      out.varint(record.bucket);
      out.varint(record.upTo);
      return;
    case 'forget':
      out.u8(kinds.forget);
      out.varint(record.bucket);
      out.f64(record.horizonMs);
      out.varint(record.producers.length);
      for (const producer of record.producers) out.string(producer);
      return;
    case 'facts':
      out.u8(kinds.facts);
      out.varint(record.bucket);
      out.varint(record.facts.lastPosition);
      out.varint(record.facts.trimmedUpTo);
      out.f64(record.facts.forgetHorizonMs);
      out.varint(record.producers.length);
      for (const row of record.producers) {
        out.string(row.producer);
        out.f64(row.birthMs);
        out.varint(row.lastSeq);
        out.f64(row.lastAtMs);
      }
  }
}

/** @throws TabaError corrupt when the head does not have the layout of its kind */
export function readHead(from: ByteReader): LogRecord {
  const record = readKind(from);
  from.end();
  return record;
}

function readKind(from: ByteReader): LogRecord {
  const kind = from.u8();
  if (kind === kinds.commit) return { kind: 'commit', bytes: from.varint(), oldest: from.varint() };
  const bucket = from.varint() as BucketIndex;
  switch (kind) {
    case kinds.append:
    case kinds.movedEntry: {
      const entry = readEntry(from);
      return { kind: 'entry', bucket, moved: kind === kinds.movedEntry, entry, content: readContent(from) };
    }
    case kinds.aside: {
      const item = readAside(from);
      return { kind: 'aside', bucket, item, content: readContent(from) };
    }
    case kinds.movedAside: {
      const origin = { segment: from.varint(), offset: from.varint() };
      const item = readAside(from);
      return { kind: 'aside', bucket, origin, item, content: readContent(from) };
    }
    case kinds.pages:
      return { kind: 'pages', bucket, items: readList(from, readPageItem) };
    case kinds.trim:
      return { kind: 'trim', bucket, upTo: from.varint() as Position };
    case kinds.forget: {
      const horizonMs = from.f64();
      const producers = readList(from, (reader) => reader.string() as ProducerId);
      return { kind: 'forget', bucket, horizonMs, producers };
    }
    case kinds.facts: {
      const lastPosition = from.varint() as Position;
      const trimmedUpTo = from.varint() as Position;
      const facts = { lastPosition, trimmedUpTo, forgetHorizonMs: from.f64() };
      return { kind: 'facts', bucket, facts, producers: readList(from, readRow) };
    }
    default:
      throw new TabaError('corrupt', `no record has the kind ${kind}`);
  }
}

function readList<T>(from: ByteReader, read: (from: ByteReader) => T): T[] {
  const list: T[] = [];
  for (let left = from.varint(); left > 0; left--) list.push(read(from));
  return list;
}

function writeContent(out: ByteWriter, content: Content): void {
  out.varint(content.bytes);
  out.u32(content.crc >>> 0);
}

function readContent(from: ByteReader): Content {
  const bytes = from.varint();
  return { bytes, crc: from.u32() | 0 };
}

function writePageItem(out: ByteWriter, item: PageItem): void {
  out.string(item.tab);
  out.string(item.client);
  out.varint(item.position);
  if ('deleted' in item) {
    out.u8(0);
    return;
  }
  out.u8(1);
  out.string(item.type);
  writeContent(out, item.content);
}

function readPageItem(from: ByteReader): PageItem {
  const tab = from.string() as TabName;
  const client = from.string() as ClientId | '';
  const position = from.varint() as Position;
  if (from.u8() === 0) return { tab, client, position, deleted: true };
  return { tab, client, position, type: from.string() as TabType, content: readContent(from) };
}

function readRow(from: ByteReader): ProducerRow {
  const producer = from.string() as ProducerId;
  const birthMs = from.f64();
  const lastSeq = from.varint() as Seq;
  return { producer, birthMs, lastSeq, lastAtMs: from.f64() };
}
