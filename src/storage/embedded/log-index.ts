import type { BucketIndex, ClientId, Position, TabName, TabType } from '../../core/ids.js';
import {
  BucketModel,
  rowAfter,
  type Stored,
  type StoredAside,
  type StoredPage,
  Tally,
} from '../bucket-model.js';
import type { AsideFields, EntryFields } from '../item-codec.js';
import type { PageKey } from '../store.js';
import type { Content, LogRecord, Origin } from './records.js';
import type { Segment } from './segment.js';

/** Where content is in the log. */
export interface Located extends Stored, Content {
  readonly segment: Segment;
  readonly offset: number;
}

export interface LocatedEntry extends Located {
  readonly fields: EntryFields;
}

export interface LocatedPage extends Located, StoredPage {}

export interface LocatedAside extends StoredAside {
  readonly fields: AsideFields;
  readonly origin: Origin;
  at: Located;
}

export type LogBucket = BucketModel<LocatedEntry, LocatedPage, LocatedAside>;

/** Rough size of what the compaction restates of a bucket, and of each of its producers. */
const factsBytes = 64;
const producerBytes = 72;
const maxSharedClients = 4096;

/** What is in the log and still holds, with its place: all the engine keeps in memory. */
export class LogIndex {
  readonly buckets: LogBucket[] = [];
  readonly tally = new Tally();
  /** Per bucket, the oldest segment whose records its facts rest on; undefined before the first record. */
  readonly statedIn: (number | undefined)[];
  readonly #asides = new Map<string, LocatedAside>();
  /** One string per tab type, however often the log names it. */
  readonly #types = new Map<string, TabType>();
  /** Likewise for clients, as long as these are not too many to be kept here: many tabs have the same ones. */
  readonly #clients = new Map<string, PageKey['client']>();

  constructor(bucketCount: number) {
    this.statedIn = new Array<number | undefined>(bucketCount).fill(undefined);
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      this.buckets.push(new BucketModel(bucket as BucketIndex, this.tally));
    }
  }

  /** Bytes that a log of nothing but what holds would have, roughly. */
  liveBytes(): number {
    const { journalBytes, pageBytes, asideBytes, journalEntries, pages } = this.tally;
    let bytes = journalBytes + pageBytes + asideBytes + (journalEntries + pages) * 128;
    for (const bucket of this.buckets) {
      if (this.statedIn[bucket.bucket] !== undefined)
        bytes += factsBytes + bucket.producers.size * producerBytes;
    }
    return bytes;
  }

  asides(): Iterable<LocatedAside> {
    return this.#asides.values();
  }

  /**
   * Takes a durable record, live or at replay.
   * @param contentOffset where in the segment its contents begin
   * @param damaged contents that have lost their checksum: what they were is left out, that they were is not
   */
  apply(record: LogRecord, segment: Segment, contentOffset: number, damaged?: ReadonlySet<Content>): void {
    if (record.kind === 'commit') return;
    const bucket = this.buckets[record.bucket];
    if (bucket === undefined) return;
    this.statedIn[record.bucket] ??= segment.number;
    switch (record.kind) {
      case 'entry': {
        const { entry, content } = record;
        bucket.reached(entry.position);
        if (!damaged?.has(content)) {
          bucket.putEntry(entry.position, { ...content, segment, offset: contentOffset, fields: entry });
        }
        if (!record.moved) bucket.setProducer(rowAfter(entry), entry.retires);
        return;
      }
      case 'aside': {
        const { item, content } = record;
        if (!damaged?.has(content)) {
          this.#putAside(bucket, item, { ...content, segment, offset: contentOffset }, record.origin);
        }
        if (record.origin === undefined && item.position === 0) bucket.setProducer(rowAfter(item));
        return;
      }
      case 'pages': {
        let offset = contentOffset;
        for (const item of record.items) {
          if ('deleted' in item) {
            bucket.deletePage(item, item.position);
            continue;
          }
          const { content, position } = item;
          if (!damaged?.has(content)) {
            const type = this.#type(item.type);
            const { bytes, crc } = content;
            const owner = this.#client(item.client);
            bucket.putPage(item.tab, { owner, type, position, segment, offset, bytes, crc });
          }
          offset += content.bytes;
        }
        return;
      }
      case 'trim':
        bucket.reached(record.upTo);
        bucket.trim(record.upTo);
        return;
      case 'forget':
        bucket.forget(record.producers, record.horizonMs);
        return;
      case 'facts':
        bucket.takeFacts(record.facts);
        for (const row of record.producers) bucket.setProducer(row);
        this.statedIn[record.bucket] = segment.number;
    }
  }

  /** The page, if the index finds it at just this place. */
  pageAt(bucket: LogBucket, key: PageKey, segment: Segment, offset: number): LocatedPage | undefined {
    const page = bucket.getPage(key);
    return page?.segment === segment && page.offset === offset ? page : undefined;
  }

  /** The entry, if the index finds it at just this place. */
  entryAt(bucket: LogBucket, position: Position, segment: Segment, offset: number): LocatedEntry | undefined {
    const entry = bucket.getEntry(position);
    return entry?.segment === segment && entry.offset === offset ? entry : undefined;
  }

  #putAside(bucket: LogBucket, fields: AsideFields, at: Located, moved: Origin | undefined): void {
    const origin = moved ?? { segment: at.segment.number, offset: at.offset };
    const name = `${origin.segment}/${origin.offset}`;
    const known = this.#asides.get(name);
    if (known !== undefined) {
      known.at = at;
      return;
    }
    const key: { position: Position; tab: TabName | ''; client: ClientId | '' } = fields;
    const item = {
      position: key.position,
      tab: key.tab,
      client: key.client,
      bytes: at.bytes,
      fields,
      origin,
      at,
    };
    this.#asides.set(name, item);
    bucket.putAside(item);
  }

  #type(type: TabType): TabType {
    const known = this.#types.get(type);
    if (known !== undefined) return known;
    this.#types.set(type, type);
    return type;
  }

  #client(client: PageKey['client']): PageKey['client'] {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    if (this.#clients.size >= maxSharedClients) this.#clients.clear();
    this.#clients.set(client, client);
    return client;
  }
}

/** Set-aside items in the order in which they were set aside. */
export function byOrigin(a: LocatedAside, b: LocatedAside): number {
  return a.origin.segment - b.origin.segment || a.origin.offset - b.origin.offset;
}
