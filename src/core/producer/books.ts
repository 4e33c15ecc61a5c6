import type { BlockRejection } from '../block.js';

/** Why a producer gave events up. Each is counted, none is silent. */
export type DropReason =
  /** The store lost what it had acknowledged (R10). */
  | 'store_lost'
  /** The owner has forgotten the producer: nobody knows whether its numbered Blocks were counted (R11). */
  | 'fate_unknown'
  /** The spool was older than allowed (R11). */
  | 'too_old'
  /** An operator asked for it (`taba flush-all`). */
  | 'flushed'
  /** The process ended before they could be handed over. */
  | 'shut_down';

/**
 * Where the events of a producer are. At any moment `received` equals un-numbered + open + delivered + rejected + dropped.
 * The first two are counted where they are kept, see `Producer.books`.
 */
export class ProducerBooks {
  received = 0;
  delivered = 0;
  readonly rejected = new Map<BlockRejection['code'], number>();
  readonly dropped = new Map<DropReason, number>();

  reject(code: BlockRejection['code'], events: number): void {
    this.rejected.set(code, (this.rejected.get(code) ?? 0) + events);
  }

  drop(reason: DropReason, events: number): void {
    if (events > 0) this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + events);
  }

  get rejectedEvents(): number {
    return sum(this.rejected.values());
  }

  get droppedEvents(): number {
    return sum(this.dropped.values());
  }
}

/** A reading of the books, for `/status` and `/metrics`. */
export interface ProducerAccount {
  readonly received: number;
  readonly unnumbered: number;
  readonly open: number;
  readonly delivered: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  /** received - all others: 0, or the books are wrong. */
  readonly balance: number;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
