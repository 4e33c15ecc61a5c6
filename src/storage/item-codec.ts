import type { ByteReader, ByteWriter } from '../core/bytes.js';
import type { ClientId, Position, ProducerId, Seq, TabName } from '../core/ids.js';
import type { JournalEntry, SetAside } from './store.js';

/**
 * Journal entries and set-aside items as bytes, without their contents: what every engine that writes bytes has in
 * common. Fields in the order below; numbers that count as varints, times as doubles, texts with their length. Engines keep
 * what they wrote for years, so that this never changes; whatever is new goes into a record of another kind.
 */
export type EntryFields = Omit<JournalEntry, 'payload'>;
export type AsideFields = Omit<SetAside, 'bytes'>;

export function fieldsOf(entry: JournalEntry): EntryFields {
  const { position, producer, birthMs, seq, atMs, sealedAtMs, retires } = entry;
  const fields = { position, producer, birthMs, seq, atMs, sealedAtMs };
  return retires === undefined ? fields : { ...fields, retires };
}

export function writeEntry(out: ByteWriter, entry: EntryFields): void {
  out.varint(entry.position);
  out.string(entry.producer);
  out.f64(entry.birthMs);
  out.varint(entry.seq);
  out.string(entry.retires ?? '');
  out.f64(entry.atMs);
  out.f64(entry.sealedAtMs);
}

export function readEntry(from: ByteReader): EntryFields {
  const position = from.varint() as Position;
  const producer = from.string() as ProducerId;
  const birthMs = from.f64();
  const seq = from.varint() as Seq;
  const retires = from.string() as ProducerId;
  const fields = { position, producer, birthMs, seq, atMs: from.f64(), sealedAtMs: from.f64() };
  return retires.length === 0 ? fields : { ...fields, retires };
}

export function writeAside(out: ByteWriter, item: AsideFields): void {
  out.string(item.producer);
  out.f64(item.birthMs);
  out.varint(item.seq);
  out.varint(item.position);
  out.string(item.tab);
  out.string(item.client);
  out.varint(item.events);
  out.string(item.reason);
  out.f64(item.atMs);
}

export function readAside(from: ByteReader): AsideFields {
  return {
    producer: from.string() as ProducerId,
    birthMs: from.f64(),
    seq: from.varint() as Seq,
    position: from.varint() as Position,
    tab: from.string() as TabName | '',
    client: from.string() as ClientId | '',
    events: from.varint(),
    reason: from.string(),
    atMs: from.f64(),
  };
}
