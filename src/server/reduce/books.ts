import type { BlockRejection } from '../../core/block.js';

/**
 * Where the events went that owners of this process took. `received` = pending + applied + rejected + returned.
 * Repeats are not received again. What is replayed after an acquisition was received earlier, perhaps elsewhere.
 */
export class OwnerBooks {
  received = 0;
  /** Handed to the store, not applied yet. */
  pending = 0;
  applied = 0;
  /** Of unknown fate when the bucket was lost: the producer was told to send again, and the journal knows. */
  returned = 0;
  /** Counted again at each replay, as `keptAside` is. */
  replayed = 0;
  /** Events of Parts that no Handler could take in: they lie in the store, with the reason. */
  keptAside = 0;
  readonly rejected = new Map<BlockRejection['code'], number>();

  reject(code: BlockRejection['code'], events: number): void {
    this.rejected.set(code, (this.rejected.get(code) ?? 0) + events);
  }

  /** A Block is in the journal and applied, but for what of it was rejected. */
  settle(events: number, rejected: readonly BlockRejection[]): void {
    let applied = events;
    for (const rejection of rejected) {
      this.reject(rejection.code, rejection.events);
      applied -= rejection.events;
    }
    this.applied += applied;
  }

  get rejectedEvents(): number {
    let total = 0;
    for (const events of this.rejected.values()) total += events;
    return total;
  }

  /** 0, or the books are wrong. */
  get balance(): number {
    return this.received - this.pending - this.applied - this.returned - this.rejectedEvents;
  }
}
