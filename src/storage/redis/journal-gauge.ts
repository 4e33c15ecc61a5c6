import type { BucketIndex, Position } from '../../core/ids.js';
import type { JournalEntry } from '../store.js';

interface Gauge {
  /** Position and size of each entry that is kept, in order. */
  entries: { readonly position: Position; readonly bytes: number }[];
  bytes: number;
  pages: number;
}

/** How much journal and how many pages the buckets have that were acquired here, as far as this process knows. */
export class JournalGauge {
  readonly #buckets = new Map<BucketIndex, Gauge>();

  acquired(
    bucket: BucketIndex,
    { tail, pages }: { readonly tail: readonly JournalEntry[]; readonly pages: number },
  ): void {
    const entries = tail.map(({ position, payload }) => ({ position, bytes: payload.length }));
    this.#buckets.set(bucket, { entries, bytes: sum(entries), pages });
  }

  appended(bucket: BucketIndex, position: Position, bytes: number): void {
    const gauge = this.#buckets.get(bucket);
    if (gauge === undefined) return;
    gauge.entries.push({ position, bytes });
    gauge.bytes += bytes;
  }

  trimmed(bucket: BucketIndex, upTo: Position): void {
    const gauge = this.#buckets.get(bucket);
    if (gauge === undefined) return;
    gauge.entries = gauge.entries.filter(({ position }) => position > upTo);
    gauge.bytes = sum(gauge.entries);
  }

  pagesMade(bucket: BucketIndex, more: number): void {
    const gauge = this.#buckets.get(bucket);
    if (gauge !== undefined) gauge.pages += more;
  }

  get totals(): { readonly journalEntries: number; readonly journalBytes: number; readonly pages: number } {
    let [journalEntries, journalBytes, pages] = [0, 0, 0];
    for (const gauge of this.#buckets.values()) {
      journalEntries += gauge.entries.length;
      journalBytes += gauge.bytes;
      pages += gauge.pages;
    }
    return { journalEntries, journalBytes, pages };
  }
}

function sum(entries: readonly { readonly bytes: number }[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes;
  return bytes;
}
