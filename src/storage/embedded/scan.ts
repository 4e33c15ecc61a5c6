import { crc32 } from 'node:zlib';
import type { ByteReader } from '../../core/bytes.js';
import { type ByteSource, readRecord } from './format.js';
import { type Content, contentsOf, type LogRecord, readHead } from './records.js';

/** What a walk through a segment comes by. */
export type Found =
  | {
      readonly kind: 'record';
      readonly record: LogRecord;
      readonly offset: number;
      readonly contentOffset: number;
      readonly end: number;
      /** The contents that have lost their checksum; undefined when none has, or none was looked at. */
      readonly damaged: ReadonlySet<Content> | undefined;
    }
  | { readonly kind: 'unreadable'; readonly offset: number; readonly end: number };

/** Walks from `offset` to the end of the source, over unreadable bytes to the next record's mark. */
export function* scan(
  source: ByteSource,
  mark: number,
  offset: number,
  checkContents: boolean,
): Generator<Found> {
  let at = offset;
  while (at < source.size) {
    const found = recordAt(source, at, mark, checkContents);
    if (found !== undefined) {
      yield found;
      at = found.end;
      continue;
    }
    const next = nextRecord(source, at + 1, mark);
    yield { kind: 'unreadable', offset: at, end: next };
    at = next;
  }
}

function recordAt(
  source: ByteSource,
  offset: number,
  mark: number,
  checkContents: boolean,
): (Found & { kind: 'record' }) | undefined {
  const found = readRecord(source, offset, mark);
  if (found === undefined) return undefined;
  const record = tryReadHead(found.head);
  if (record === undefined) return undefined;
  const { contentOffset, end } = found;
  const damaged = checkContents ? damagedContents(source, contentOffset, record) : undefined;
  return { kind: 'record', record, offset, contentOffset, end, damaged };
}

function tryReadHead(head: ByteReader): LogRecord | undefined {
  try {
    return readHead(head);
  } catch {
    return undefined;
  }
}

function damagedContents(source: ByteSource, start: number, record: LogRecord): Set<Content> | undefined {
  let damaged: Set<Content> | undefined;
  let offset = start;
  for (const content of contentsOf(record)) {
    const bytes = source.bytes(offset, content.bytes);
    if (bytes.length < content.bytes || (crc32(bytes) | 0) !== content.crc) {
      damaged ??= new Set();
      damaged.add(content);
    }
    offset += content.bytes;
  }
  return damaged;
}

const stride = 2 ** 20;

/** @returns the offset of the next readable record, or the end */
function nextRecord(source: ByteSource, from: number, mark: number): number {
  const needle = Buffer.alloc(4);
  needle.writeUInt32LE(mark);
  let at = from;
  while (at < source.size) {
    const found = source.bytes(at, stride).indexOf(needle);
    if (found < 0) {
      at += stride - 3;
      continue;
    }
    if (recordAt(source, at + found, mark, false) !== undefined) return at + found;
    at += found + 1;
  }
  return source.size;
}
