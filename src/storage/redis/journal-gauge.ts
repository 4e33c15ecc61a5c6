import type { BucketIndex, Position } from '../../core/ids.js';
import type { JournalEntry } from '../store.js';

interface Gauge {
  /** Position and size of each entry that is kept, in order. */
  readonly entries: { readonly position: Position; readonly bytes: number }[];
  bytes: number;
  pages: number;
}

/** How much journal and how many pages the buckets have that are held here, as far as this process knows. */
export class JournalGauge {
  readonly #buckets = new Map<BucketIndex, Gauge>();

  acquired(
    bucket: BucketIndex,
    { tail, pages }: { readonly tail: readonly JournalEntry[]; readonly pages: number },
  ): void {
    const gauge: Gauge = { entries: [], bytes: 0, pages };
    this.#buckets.set(bucket, gauge);
    for (const { position, payload } of tail) this.appended(bucket, position, payload.length);
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
    const kept = gauge.entries.findIndex(({ position }) => position > upTo);
    const gone = gauge.entries.splice(0, kept < 0 ? gauge.entries.length : kept);
    for (const { bytes } of gone) gauge.bytes -= bytes;
  }

  pagesMade(bucket: BucketIndex, more: number): void {
    const gauge = this.#buckets.get(bucket);
    if (gauge !== undefined) gauge.pages += more;
  }

  /** Somebody else's to count. */
  released(bucket: BucketIndex): void {
    this.#buckets.delete(bucket);
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
