import { crc32 } from 'node:zlib';
import type { Chain } from './chain.js';
import { headerBytes, type RecordBuffer } from './format.js';
import type { Located, LocatedAside, LogBucket, LogIndex } from './log-index.js';
import { encodeHead, type LogRecord, type PageItem } from './records.js';
import { scan } from './scan.js';
import { type Segment, WindowedSource } from './segment.js';

/** What is looked through before others have their turn: about a millisecond. */
const bytesPerSlice = 2 ** 17;

/** A record that was added to a commit, and where in it its contents begin. */
export interface Placed {
  readonly record: LogRecord;
  readonly contentStart: number;
}

/** What a commit does for the compaction, to be confirmed once it is durable. */
export interface Step {
  readonly placed: readonly Placed[];
  /** Whether the oldest segment holds nothing any more once this commit is durable. */
  readonly finished: boolean;
  readonly nextOffset: number;
  readonly nextBucket: number;
}

/**
 * Takes back the room of what does not hold any more: what still holds of the oldest segment is written again at the end of
 * the log, in steps that ride along with the commits; then the segment is removed.
 *
 * Always the oldest, not the one with the least left: so nothing must be remembered about deletions (the deleted lies before its
 * deletion, and goes first), and the log's order stays the order of its truths. The price is that cold pages are copied
 * once per turn of the log; with a log of at most twice what holds (and a few segments), at most one byte is copied per byte written.
 *
 * A step is planned only while no write is under way, and goes to the front of its commit, so the index is exactly the state at
 * that place of the log.
 */
export class Compaction {
  readonly #index: LogIndex;
  readonly #chain: Chain;
  readonly #mark: number;
  readonly #slackBytes: number;
  readonly #damaged: (line: string) => void;
  #source: WindowedSource | undefined;
  #sourceOf: Segment | undefined;
  #asides = new Map<number, LocatedAside>();
  #offset = 0;
  #bucket = 0;

  constructor(options: {
    index: LogIndex;
    chain: Chain;
    mark: number;
    maxSegmentBytes: number;
    damaged: (line: string) => void;
  }) {
    this.#index = options.index;
    this.#chain = options.chain;
    this.#mark = options.mark;
    this.#slackBytes = 2 * options.maxSegmentBytes;
    this.#damaged = options.damaged;
  }

  wanted(): boolean {
    if (this.#chain.segments.length < 2) return false;
    return this.#chain.bytesOnDisk() > 2 * this.#index.liveBytes() + this.#slackBytes;
  }

  /**
   * Adds to `buffer` what still holds of about `budgetBytes` of the oldest segment. Comes back in between, so that others
   * may have their turn: no write may be under way until it has ended.
   */
  *plan(buffer: RecordBuffer, budgetBytes: number): Generator<void, Step> {
    const segment = this.#chain.segments[0]!;
    if (this.#sourceOf !== segment) this.#begin(segment);
    const placed: Placed[] = [];
    const start = this.#offset;
    let offset = start;
    let pausedAt = start;
    for (const found of scan(this.#source!, this.#mark, offset, false)) {
      if (found.kind === 'record') this.#move(buffer, placed, segment, found.record, found.contentOffset);
      offset = found.end;
      if (offset - start >= budgetBytes) break;
      if (offset - pausedAt < bytesPerSlice) continue;
      pausedAt = offset;
      yield;
    }
    let bucket = this.#bucket;
    if (offset >= segment.end) bucket = this.#restate(buffer, placed, segment, budgetBytes);
    const finished = bucket >= this.#index.buckets.length;
    return { placed, finished, nextOffset: offset, nextBucket: bucket };
  }

  /** The step's commit is durable, and its records are in the index. */
  confirm(step: Step): void {
    this.#offset = step.nextOffset;
    this.#bucket = step.nextBucket;
  }

  #begin(segment: Segment): void {
    this.#sourceOf = segment;
    this.#source = new WindowedSource(segment.file, segment.end);
    this.#offset = headerBytes;
    this.#bucket = 0;
    this.#asides = new Map();
    for (const aside of this.#index.asides()) {
      if (aside.at.segment === segment) this.#asides.set(aside.at.offset, aside);
    }
  }

  #move(buffer: RecordBuffer, placed: Placed[], segment: Segment, record: LogRecord, offset: number): void {
    if (record.kind === 'entry') {
      const bucket = this.#index.buckets[record.bucket]!;
      const live = this.#index.entryAt(bucket, record.entry.position, segment, offset);
      const bytes = live && this.#content(live, () => bucket.dropEntry(record.entry.position));
      if (bytes) this.#place(buffer, placed, { ...record, moved: true }, [bytes]);
    } else if (record.kind === 'aside') {
      const live = this.#asides.get(offset);
      const bytes = live && this.#content(live.at, () => undefined);
      if (bytes) this.#place(buffer, placed, { ...record, origin: live.origin }, [bytes]);
    } else if (record.kind === 'pages') {
      this.#movePages(buffer, placed, segment, record, offset);
    }
  }

  #movePages(
    buffer: RecordBuffer,
    placed: Placed[],
    segment: Segment,
    record: LogRecord & { kind: 'pages' },
    start: number,
  ): void {
    const bucket: LogBucket = this.#index.buckets[record.bucket]!;
    const items: PageItem[] = [];
    const contents: Uint8Array[] = [];
    let offset = start;
    for (const item of record.items) {
      if ('deleted' in item) continue;
      const live = this.#index.pageAt(bucket, item, segment, offset);
      const bytes = live && this.#content(live, () => bucket.dropPage(item));
      offset += item.content.bytes;
      if (!bytes) continue;
      items.push(item);
      contents.push(bytes);
    }
    if (items.length > 0) {
      this.#place(buffer, placed, { kind: 'pages', bucket: record.bucket, items }, contents);
    }
  }

  /** A copy of content, which is verified: a copy of damage would pass for the truth. */
  #content(at: Located, drop: () => void): Uint8Array | undefined {
    const bytes = new Uint8Array(this.#source!.bytes(at.offset, at.bytes));
    if (bytes.length === at.bytes && (crc32(bytes) | 0) === at.crc) return bytes;
    this.#damaged(
      `${at.segment.name} at byte ${at.offset}, ${at.bytes} bytes: wrong checksum, found by the compaction`,
    );
    drop();
    return undefined;
  }

  /** States anew what the records of this segment said about buckets and producers. */
  #restate(buffer: RecordBuffer, placed: Placed[], segment: Segment, budgetBytes: number): number {
    const start = buffer.length;
    let bucket = this.#bucket;
    for (; bucket < this.#index.buckets.length && buffer.length - start < budgetBytes; bucket++) {
      const statedIn = this.#index.statedIn[bucket];
      if (statedIn === undefined || statedIn > segment.number) continue;
      const model = this.#index.buckets[bucket]!;
      const producers = model.producerRows();
      this.#place(buffer, placed, { kind: 'facts', bucket: model.bucket, facts: model.facts, producers }, []);
    }
    return bucket;
  }

  #place(buffer: RecordBuffer, placed: Placed[], record: LogRecord, contents: readonly Uint8Array[]): void {
    const contentStart = buffer.add(encodeHead(record), contents);
    placed.push({ record, contentStart });
  }
}
