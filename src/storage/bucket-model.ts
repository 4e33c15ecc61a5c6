import { ByOwner, type Owned } from '../core/by-owner.js';
import type { BucketIndex, Position, ProducerId, TabName, TabType } from '../core/ids.js';
import { HeadGuard } from './head-guard.js';
import {
  type JournalEntry,
  type PageInfo,
  type PageKey,
  type ProducerRow,
  retiredSeq,
  type SetAside,
  type SetAsideKey,
} from './store.js';

/** Something stored: how many bytes of content it stands for. Where they are is the engine's business. */
export interface Stored {
  readonly bytes: number;
}

/** A stored page: what the model must know about it, and whatever the engine adds to find its content. */
export interface StoredPage extends Stored, Owned {
  readonly type: TabType;
  readonly position: Position;
}

/** A stored set-aside item with the key under which replay skips it. */
export interface StoredAside extends Stored, SetAsideKey {}

/** Sums over all buckets of a store. */
export class Tally {
  journalEntries = 0;
  journalBytes = 0;
  pages = 0;
  pageBytes = 0;
  asideBytes = 0;
}

/** The facts of a bucket that are not content: what must be carried on when the records that stated them go. */
export interface BucketFacts {
  readonly lastPosition: Position;
  readonly trimmedUpTo: Position;
  readonly forgetHorizonMs: number;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * One bucket as a single-process engine keeps it: journal, pages, producers, set-aside items, by the rules of the port
 * (R1, R5, R11). Knows nothing of disks. The engine applies writes in the order in which they became durable, and replays
 * them through the same methods, so that a store that was opened again is the store that was closed.
 *
 * @typeParam E how the engine refers to a journal entry, @typeParam P to a page, @typeParam S to a set-aside item
 */
export class BucketModel<E extends Stored, P extends StoredPage, S extends StoredAside> {
  readonly bucket: BucketIndex;
  readonly guard: HeadGuard;
  readonly producers = new Map<ProducerId, Mutable<ProducerRow>>();
  readonly aside: S[] = [];
  readonly #journal = new Map<Position, E>();
  readonly #pages = new Map<TabName, ByOwner<P>>();
  readonly #tally: Tally;
  #lastPosition = 0 as Position;
  #trimmedUpTo = 0 as Position;
  #forgetHorizonMs = 0;

  constructor(bucket: BucketIndex, tally: Tally) {
    this.bucket = bucket;
    this.guard = new HeadGuard(bucket);
    this.#tally = tally;
  }

  get facts(): BucketFacts {
    return {
      lastPosition: this.#lastPosition,
      trimmedUpTo: this.#trimmedUpTo,
      forgetHorizonMs: this.#forgetHorizonMs,
    };
  }

  /** Takes facts that were stated before; none of them ever goes back. */
  takeFacts(facts: BucketFacts): void {
    this.reached(facts.lastPosition);
    this.trim(facts.trimmedUpTo);
    this.#forgetHorizonMs = Math.max(this.#forgetHorizonMs, facts.forgetHorizonMs);
  }

  /** An entry at `position` was appended at some time, whether or not it is kept. */
  reached(position: Position): void {
    if (position > this.#lastPosition) this.#lastPosition = position;
  }

  /** Keeps an entry unless it has been trimmed. */
  putEntry(position: Position, entry: E): void {
    this.reached(position);
    if (position <= this.#trimmedUpTo) return;
    const replaced = this.#journal.get(position);
    if (replaced === undefined) this.#tally.journalEntries++;
    this.#tally.journalBytes += entry.bytes - (replaced?.bytes ?? 0);
    this.#journal.set(position, entry);
  }

  getEntry(position: Position): E | undefined {
    return this.#journal.get(position);
  }

  /** The entries kept, in the order of positions. */
  entries(): [Position, E][] {
    return [...this.#journal].sort(([a], [b]) => a - b);
  }

  /** Sets a producer's last number, which never goes back, and retires the one it follows (see `retiredSeq`). */
  setProducer(row: ProducerRow, retires?: ProducerId): void {
    if (retires !== undefined) {
      const { birthMs, lastAtMs } = row;
      const retired = this.producers.get(retires) ?? {
        producer: retires,
        birthMs,
        lastSeq: retiredSeq,
        lastAtMs,
      };
      this.producers.set(retires, { ...retired, lastSeq: retiredSeq, lastAtMs });
    }
    const known = this.producers.get(row.producer);
    if (known === undefined) {
      this.producers.set(row.producer, { ...row });
      return;
    }
    if (row.lastSeq > known.lastSeq) known.lastSeq = row.lastSeq;
    if (row.lastAtMs > known.lastAtMs) known.lastAtMs = row.lastAtMs;
  }

  putAside(item: S): void {
    this.aside.push(item);
    this.#tally.asideBytes += item.bytes;
  }

  /** The page as it is now: what is written later changes it. */
  getPage({ tab, client }: PageKey): P | undefined {
    return this.#pages.get(tab)?.get(client);
  }

  /** Writes a page unless that would lower its position (R5). @returns whether it was written */
  putPage(tab: TabName, page: P): boolean {
    let pages = this.#pages.get(tab);
    if (pages === undefined) {
      pages = new ByOwner();
      this.#pages.set(tab, pages);
    }
    const known = pages.get(page.owner);
    if (known !== undefined && known.position > page.position) return false;
    this.#tally.pageBytes += page.bytes - (known?.bytes ?? 0);
    if (known === undefined) {
      this.#tally.pages++;
      pages.set(page);
    } else {
      // In its place: every checkpoint writes very many, and a new object for each would be old garbage by the next.
      Object.assign(known, page);
    }
    return true;
  }

  /** Deletes a page unless it contains more than whoever deletes it knew (R5). */
  deletePage(key: PageKey, position: Position): void {
    const { tab, client } = key;
    const pages = this.#pages.get(tab);
    const known = pages?.get(client);
    if (pages === undefined || known === undefined || known.position > position) return;
    this.#tally.pages--;
    this.#tally.pageBytes -= known.bytes;
    pages.delete(client);
    if (pages.size === 0) this.#pages.delete(tab);
  }

  /** Content that turned out to be damaged. */
  dropEntry(position: Position): void {
    const known = this.#journal.get(position);
    if (known === undefined) return;
    this.#journal.delete(position);
    this.#tally.journalEntries--;
    this.#tally.journalBytes -= known.bytes;
  }

  /** Content that turned out to be damaged. */
  dropPage(key: PageKey): void {
    const known = this.getPage(key);
    if (known !== undefined) this.deletePage(key, known.position);
  }

  trim(upTo: Position): void {
    if (upTo <= this.#trimmedUpTo) return;
    for (const position of this.#journal.keys()) if (position <= upTo) this.dropEntry(position);
    this.#trimmedUpTo = Math.min(upTo, this.#lastPosition) as Position;
  }

  forget(producers: readonly ProducerId[], horizonMs: number): void {
    for (const producer of producers) this.producers.delete(producer);
    this.#forgetHorizonMs = Math.max(this.#forgetHorizonMs, horizonMs);
  }

  pageInfos(): PageInfo[] {
    const infos: PageInfo[] = [];
    for (const [tab, pages] of this.#pages)
      for (const { owner, type, position } of pages) infos.push({ tab, client: owner, type, position });
    return infos;
  }

  producerRows(): ProducerRow[] {
    return [...this.producers.values()].map((row) => ({ ...row }));
  }

  /** The Parts of the tail that must be skipped: what concerns a trimmed entry is history. */
  asideKeys(): SetAsideKey[] {
    return this.aside
      .filter((item) => item.position > this.#trimmedUpTo)
      .map(({ position, tab, client }) => ({ position, tab, client }));
  }
}

/** The producer's row after an entry or a Block that was set aside. */
export function rowAfter(
  item: Pick<JournalEntry | SetAside, 'producer' | 'birthMs' | 'seq' | 'atMs'>,
): ProducerRow {
  return { producer: item.producer, birthMs: item.birthMs, lastSeq: item.seq, lastAtMs: item.atMs };
}
