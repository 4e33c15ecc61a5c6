import type { BucketIndex, Position } from '../../core/ids.js';
import type { PageKey } from '../store.js';
import type { LogIndex } from './log-index.js';
import type { Content } from './records.js';
import { contentsOf, type LogRecord } from './records.js';

/** Content that has lost its checksum, and what it was. */
interface LostPage extends PageKey {
  readonly bucket: BucketIndex;
  readonly position: Position;
}

interface LostEntry {
  readonly bucket: BucketIndex;
  readonly position: Position;
}

/** One damaged place, while the replay goes on. */
interface Place {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly what: string;
  readonly pages: LostPage[];
  readonly entries: LostEntry[];
}

/**
 * Collects the damage that opening a store finds, and says at the end what it cost: content that was replaced or trimmed
 * later cost nothing.
 */
export class DamageReport {
  readonly #places: Place[] = [];
  readonly #gaps: string[] = [];
  readonly #general: string[] = [];

  get any(): boolean {
    return this.#places.length > 0 || this.#general.length > 0;
  }

  /** Damage of which no more is known than this line. */
  note(line: string): void {
    this.#general.push(line);
  }

  /** Bytes in which no record can be read. */
  region(file: string, offset: number, bytes: number): void {
    this.#places.push({ file, offset, bytes, what: 'no record can be read there', pages: [], entries: [] });
  }

  /** A record whose head is whole, but not all of its contents. */
  contents(
    file: string,
    offset: number,
    bytes: number,
    record: LogRecord,
    damaged: ReadonlySet<Content>,
  ): void {
    const pages: LostPage[] = [];
    const entries: LostEntry[] = [];
    let what = `${damaged.size} of the ${contentsOf(record).length} contents of the record have a wrong checksum`;
    if (record.kind === 'pages') {
      for (const item of record.items) {
        if ('deleted' in item || !damaged.has(item.content)) continue;
        pages.push({ bucket: record.bucket, tab: item.tab, client: item.client, position: item.position });
      }
    } else if (record.kind === 'entry') {
      entries.push({ bucket: record.bucket, position: record.entry.position });
    } else if (record.kind === 'aside') {
      const { producer, seq } = record.item;
      what = `the bytes set aside of block ${seq} of producer ${producer} in bucket ${record.bucket} are lost`;
    }
    this.#places.push({ file, offset, bytes, what, pages, entries });
  }

  /** Entries that must have been appended, and that no record states. */
  gap(bucket: BucketIndex, first: Position, last: Position): void {
    const positions = first === last ? `position ${first}` : `positions ${first} to ${last}`;
    this.#gaps.push(`bucket ${bucket}, journal ${positions}`);
  }

  /** One line per damage. `records` is how many records were read whole. */
  lines(index: LogIndex, records: number): string[] {
    const lines = [...this.#general];
    for (const { file, offset, bytes, what, pages, entries } of this.#places) {
      const lost: string[] = [];
      for (const page of pages) lost.push(describePage(page, index));
      for (const { bucket, position } of entries) {
        const trimmed = index.buckets[bucket]!.facts.trimmedUpTo >= position;
        const cost = trimmed ? ' (trimmed since: nothing is lost)' : ' is lost';
        lost.push(`journal entry at position ${position} of bucket ${bucket}${cost}`);
      }
      const named = lost.length === 0 ? '' : `: ${lost.join('; ')}`;
      lines.push(`${file} at byte ${offset}, ${bytes} bytes: ${what}${named}; ${records} records saved`);
    }
    if (this.#gaps.length > 0) {
      lines.push(`not in the log any more, and lost unless a page contains it: ${this.#gaps.join('; ')}`);
    }
    return lines;
  }
}

function describePage(page: LostPage, index: LogIndex): string {
  const kept = index.buckets[page.bucket]!.getPage(page);
  const of = page.client === '' ? `tab ${page.tab}` : `tab ${page.tab}, client ${page.client}`;
  const name = `the page of ${of} in bucket ${page.bucket} at position ${page.position}`;
  if (kept === undefined) return `${name} is lost, unless it had been deleted`;
  if (kept.position >= page.position) return `${name} (replaced since: nothing is lost)`;
  return `${name} is lost, the one at position ${kept.position} is used`;
}
