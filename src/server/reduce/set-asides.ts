import type { Block } from '../../core/block.js';
import type { BucketIndex } from '../../core/ids.js';
import type { JournalEntry, SetAside } from '../../storage/store.js';
import { asideBlock, asidePage, origin } from './aside.js';
import type { BucketContext } from './context.js';
import type { Slot } from './slot.js';

/** What a bucket cannot take in, and keeps aside: told to the log, counted, and written under the bucket's head. */
export class SetAsides {
  readonly #bucket: BucketIndex;
  readonly #context: BucketContext;
  readonly #write: (item: SetAside) => Promise<void>;

  constructor(bucket: BucketIndex, context: BucketContext, write: (item: SetAside) => Promise<void>) {
    this.#bucket = bucket;
    this.#context = context;
    this.#write = write;
  }

  /** A Block that cannot be taken apart. */
  block(block: Block, reason: string, atMs: number): Promise<void> {
    return this.#write(asideBlock(block, reason, atMs));
  }

  /** A Part of a journal entry that a Handler cannot take in. */
  part(
    entry: JournalEntry,
    part: Pick<SetAside, 'tab' | 'client' | 'events' | 'reason' | 'bytes'>,
  ): Promise<void> {
    const { log, books, clock } = this.#context;
    const { tab, client, events, reason } = part;
    const { position } = entry;
    log.error('part_set_aside', { bucket: this.#bucket, position, tab, client, events, reason });
    books.keptAside += events;
    return this.#write({ ...origin(entry), ...part, position, atMs: clock.nowMs() });
  }

  /** The bytes of a page that does not decode; the State begins anew: a damaged page must not stop the bucket. */
  page(slot: Slot, bytes: Uint8Array, error: unknown): void {
    const { log, clock } = this.#context;
    const item = asidePage(slot, bytes, `page: ${String(error)}`, clock.nowMs());
    const { tab, owner: client } = slot;
    log.error('page_damaged', { bucket: this.#bucket, tab, client, reason: item.reason });
    this.#write(item).catch(() => {});
  }
}
