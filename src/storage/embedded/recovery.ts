import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { TabaError } from '../../core/errors.js';
import type { Position } from '../../core/ids.js';
import type { Log } from '../../runtime/log.js';
import { DamageReport } from './damage.js';
import {
  decodeHeader,
  encodeHeader,
  formatVersion,
  hashName,
  headerBytes,
  type SegmentHeader,
  segmentName,
  segmentNumber,
} from './format.js';
import { type LogFile, type LogFiles, writeFully } from './log-files.js';
import type { LogIndex } from './log-index.js';
import type { Content, LogRecord } from './records.js';
import { type Found, scan } from './scan.js';
import { Segment, WindowedSource } from './segment.js';

/** Says what the store is, even when the segments' own headers are damaged: a header with the number 0. */
const identityName = 'taba-store';

export interface RecoveryOptions {
  readonly folder: string;
  readonly files: LogFiles;
  readonly bucketCount: number;
  readonly index: LogIndex;
  readonly log: Log;
  nowMs(): number;
}

export interface Recovered {
  readonly mark: number;
  /** When the store was made, ms UTC; 0 where that is not known. */
  readonly createdAtMs: number;
  /** Oldest first; the last one is appended to. */
  readonly segments: Segment[];
  readonly damage: string[];
  /** Whether the log ends with the mark of an orderly close. */
  readonly closed: boolean;
}

interface OpenedSegment {
  readonly segment: Segment;
  /** Undefined when it is damaged. */
  readonly header: SegmentHeader | undefined;
  readonly size: number;
}

/**
 * Reads the log into the index.
 *
 * A crash leaves the last commit cut off, or, after a power cut, with holes. That is no damage: none of it was
 * acknowledged, so it is cut off at its first unreadable byte; what lies behind a hole must not be used, since a later
 * number of a producer would stand for an earlier one that is gone. Anything unreadable before that had been durable,
 * and is damage: it is copied aside, reported, and stepped over. What tells the two apart: a commit is written only
 * once the one before it is durable.
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  return new Recovery(options).run();
}

class Recovery {
  readonly #options: RecoveryOptions;
  readonly #report = new DamageReport();
  #mark = 0;
  #createdAtMs = 0;
  #records = 0;
  #oldest: number | undefined;
  #closed = false;
  /** Buckets of which an append was seen: only then is a jump in positions a gap. */
  readonly #appended = new Set<number>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  async run(): Promise<Recovered> {
    const opened: OpenedSegment[] = [];
    try {
      await this.#openAll(opened);
      return await this.#recover(opened);
    } catch (error) {
      for (const { segment } of opened) await segment.file.close().catch(() => undefined);
      throw error;
    }
  }

  async #recover(opened: OpenedSegment[]): Promise<Recovered> {
    const { index, log } = this.#options;
    await this.#identify(opened.map(({ header }) => header).filter((header) => header !== undefined));
    await this.#dropUnborn(opened);
    const segments: Segment[] = [];
    for (const [at, { segment, header, size }] of opened.entries()) {
      const next = opened[at + 1];
      if (header === undefined) this.#report.note(`${segment.name} at byte 0: its header is damaged`);
      if (next !== undefined && next.segment.number !== segment.number + 1) {
        this.#missing(segment.number + 1, next.segment.number - 1);
      }
      const sealedAt = next?.segment.number === segment.number + 1 ? next.header?.previousEnd : undefined;
      await this.#replay(segment, size, sealedAt, next === undefined);
      segments.push(segment);
    }
    const last = segments.at(-1);
    // What was written but not yet synced when the process died is served from now on, so it must be durable (R2).
    if (last !== undefined) await last.file.sync();
    await this.#dropCompacted(segments);
    if (this.#report.any) this.#reachPages();
    const damage = this.#report.lines(index, this.#records);
    for (const line of damage) log.error('store_damage', { damage: line });
    log.info('store_opened', { segments: segments.length, records: this.#records, damage: damage.length });
    return { mark: this.#mark, createdAtMs: this.#createdAtMs, segments, damage, closed: this.#closed };
  }

  async #openAll(opened: OpenedSegment[]): Promise<void> {
    const { folder, files } = this.#options;
    const names = await files.list(folder);
    const numbers = names.map(segmentNumber).filter((number) => number !== undefined);
    for (const number of numbers.sort((a, b) => a - b)) {
      const name = segmentName(number);
      const file = await files.open(join(folder, name));
      const size = file.size();
      opened.push({ segment: new Segment(number, name, file), header: readHeader(file), size });
    }
  }

  /** Learns the mark from the identity or from a segment, refuses a store of other settings, makes a new one's identity. */
  async #identify(headers: readonly SegmentHeader[]): Promise<void> {
    const { folder, files, bucketCount } = this.#options;
    const path = join(folder, identityName);
    const exists = (await files.list(folder)).includes(identityName);
    const file = exists ? await files.open(path) : await files.create(path);
    try {
      const identity = readHeader(file);
      for (const header of [identity, ...headers]) if (header !== undefined) this.#check(header);
      const known = identity ?? headers[0];
      if (
        known === undefined &&
        (await files.list(folder)).some((name) => segmentNumber(name) !== undefined)
      ) {
        throw new TabaError('corrupt', `${path} and the headers of all segments are damaged`);
      }
      this.#mark = known?.mark ?? randomBytes(4).readUInt32LE();
      this.#createdAtMs = known === undefined ? this.#options.nowMs() : known.createdAtMs;
      if (identity !== undefined) return;
      if (known !== undefined) {
        this.#report.note(`${identityName}: ${exists ? 'damaged' : 'missing'}; made anew, nothing is lost`);
      }
      const mark = this.#mark;
      const bytes = encodeHeader({
        version: formatVersion,
        segment: 0,
        bucketCount,
        hash: hashName,
        mark,
        previousEnd: 0,
        createdAtMs: this.#createdAtMs,
      });
      await file.truncate(0);
      await writeFully(file, bytes, 0);
      await file.sync();
      await files.syncFolder(folder);
    } finally {
      await file.close();
    }
  }

  #check(header: SegmentHeader): void {
    const { folder, bucketCount } = this.#options;
    const refuse = (what: string): never => {
      throw new TabaError('store_mismatch', `the store in ${folder} ${what}`);
    };
    if (header.version > formatVersion) {
      refuse(`has format ${header.version}, this version reads up to ${formatVersion}`);
    }
    if (header.bucketCount !== bucketCount) {
      refuse(`was made with ${header.bucketCount} buckets, the setting is ${bucketCount}`);
    }
    if (header.hash !== hashName)
      refuse(`was made with the hash ${header.hash}, this version uses ${hashName}`);
  }

  /** A crash while the last segment was made leaves a file without a header and without a record. */
  async #dropUnborn(opened: OpenedSegment[]): Promise<void> {
    const last = opened.at(-1);
    if (last === undefined || last.header !== undefined) return;
    for (const found of scan(
      new WindowedSource(last.segment.file, last.size),
      this.#mark,
      headerBytes,
      false,
    )) {
      if (found.kind === 'record') return;
    }
    const { folder, files } = this.#options;
    await last.segment.file.close();
    await files.remove(join(folder, last.segment.name));
    await files.syncFolder(folder);
    opened.pop();
  }

  async #replay(segment: Segment, size: number, sealedAt: number | undefined, last: boolean): Promise<void> {
    const limit = Math.min(size, sealedAt ?? size);
    if (sealedAt !== undefined && size < sealedAt) {
      const lost = sealedAt - size;
      this.#report.note(`${segment.name} at byte ${size}: the end is missing, ${lost} bytes are lost`);
    }
    const source = new WindowedSource(segment.file, limit);
    segment.end = limit;
    let durable: number | undefined;
    for (const found of scan(source, this.#mark, Math.min(headerBytes, limit), true)) {
      if (found.kind === 'record' && found.damaged === undefined) {
        this.#take(found.record, segment, found.contentOffset);
        continue;
      }
      durable ??= last
        ? durableUpTo(new WindowedSource(segment.file, limit), found.offset, this.#mark)
        : limit;
      if (found.offset >= durable) {
        await this.#cut(segment, found, limit);
        return;
      }
      await this.#setApart(segment, found);
      if (found.kind === 'unreadable') {
        this.#report.region(segment.name, found.offset, found.end - found.offset);
        continue;
      }
      const { record, offset, contentOffset, end, damaged } = found;
      this.#report.contents(segment.name, offset, end - offset, record, damaged!);
      this.#take(record, segment, contentOffset, damaged);
    }
  }

  #take(record: LogRecord, segment: Segment, contentOffset: number, damaged?: ReadonlySet<Content>): void {
    const { index } = this.#options;
    this.#records++;
    this.#closed = record.kind === 'commit' && record.bytes === 0;
    if (record.kind === 'commit') {
      this.#oldest = Math.max(this.#oldest ?? 0, record.oldest);
    } else if (record.kind === 'entry' && !record.moved) {
      const due = (index.buckets[record.bucket]?.facts.lastPosition ?? 0) + 1;
      const { position } = record.entry;
      if (position > due && this.#appended.has(record.bucket)) {
        this.#report.gap(record.bucket, due as Position, (position - 1) as Position);
      }
      this.#appended.add(record.bucket);
    }
    index.apply(record, segment, contentOffset, damaged);
  }

  /** The last commit was under way when the process died. */
  async #cut(segment: Segment, found: Found, limit: number): Promise<void> {
    const { log } = this.#options;
    let behind = 0;
    const source = new WindowedSource(segment.file, limit);
    for (const other of scan(source, this.#mark, found.offset + 1, false))
      if (other.kind === 'record') behind++;
    if (behind > 0) {
      await this.#setApart(segment, { offset: found.offset, end: limit });
      this.#report.note(
        `${segment.name} at byte ${found.offset}: the last commit has a hole, as after a power cut; ${behind} records ` +
          `behind it were dropped (never acknowledged, if the disk kept what it had confirmed)`,
      );
    }
    log.info('store_tail_cut', {
      file: segment.name,
      offsetBytes: found.offset,
      cutBytes: limit - found.offset,
    });
    await segment.file.truncate(found.offset);
    segment.end = found.offset;
    this.#closed = false;
  }

  /** Keeps damaged bytes where no compaction removes them. */
  async #setApart(segment: Segment, { offset, end }: Pick<Found, 'offset' | 'end'>): Promise<void> {
    const { folder, files, log } = this.#options;
    const name = `damaged-${segment.name.replace('.log', '')}-${offset}.bin`;
    if ((await files.list(folder)).includes(name)) return;
    try {
      const bytes = Buffer.alloc(end - offset);
      const length = segment.file.read(bytes, offset);
      const copy = await files.create(join(folder, name));
      await writeFully(copy, bytes.subarray(0, length), 0);
      await copy.sync();
      await copy.close();
    } catch (error) {
      log.warn('store_damage_not_set_apart', { file: name, error: String(error) });
    }
  }

  /** A crash between a compaction's commit and the removal of the segment. */
  async #dropCompacted(segments: Segment[]): Promise<void> {
    const { folder, files } = this.#options;
    const first = segments[0];
    if (first === undefined || this.#oldest === undefined) return;
    if (first.number > this.#oldest) this.#missing(this.#oldest, first.number - 1);
    while (segments.length > 1 && segments[0]!.number < this.#oldest) {
      const segment = segments.shift()!;
      await segment.file.close();
      await files.remove(join(folder, segment.name));
      await files.syncFolder(folder);
    }
  }

  /** After damage the next append must not take a position that a page already contains. */
  #reachPages(): void {
    for (const bucket of this.#options.index.buckets) {
      for (const page of bucket.pageInfos()) bucket.reached(page.position);
    }
  }

  #missing(first: number, last: number): void {
    for (let number = first; number <= last; number++) {
      this.#report.note(`${segmentName(number)} is missing, all that only it contained is lost`);
    }
  }
}

function readHeader(file: LogFile): SegmentHeader | undefined {
  const bytes = Buffer.alloc(headerBytes);
  return decodeHeader(bytes.subarray(0, file.read(bytes, 0)));
}

/**
 * Up to which offset the records behind `offset` prove the last segment to have been durable: a commit record proves it for
 * all before its commit, and any record behind a commit record proves it for that commit.
 */
function durableUpTo(source: WindowedSource, offset: number, mark: number): number {
  let durable = 0;
  let commitEnd = 0;
  for (const found of scan(source, mark, offset, false)) {
    if (found.kind !== 'record') continue;
    durable = Math.max(durable, commitEnd);
    if (found.record.kind !== 'commit') continue;
    durable = Math.max(durable, found.offset - found.record.bytes);
    commitEnd = found.end;
  }
  return durable;
}
