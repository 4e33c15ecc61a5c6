import type { ErrorCode } from '../core/errors.js';

/** A reading of the books, for `/status` and `/metrics`. */
export interface Account {
  readonly received: number;
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  /** received - all others: 0, or an event was lost or made up. */
  readonly balance: number;
}

/**
 * Where every event received is: buffered, delivered, rejected (by reason) or dropped (by reason). What is buffered is
 * asked of whoever holds it, not computed from the other figures: that is what makes the balance say something.
 *
 * @typeParam D the reasons for a drop
 */
export class Books<D extends string = string> {
  readonly #buffered: () => number;
  readonly #rejected = new Map<ErrorCode, number>();
  readonly #dropped = new Map<D, number>();
  #received = 0;
  #delivered = 0;

  constructor(buffered: () => number) {
    this.#buffered = buffered;
  }

  /** Events that came in, whatever becomes of them. */
  receive(events: number): void {
    this.#received += checked(events);
  }

  /** Events that were handed over, or applied. */
  deliver(events: number): void {
    this.#delivered += checked(events);
  }

  reject(code: ErrorCode, events: number): void {
    add(this.#rejected, code, events);
  }

  drop(reason: D, events: number): void {
    add(this.#dropped, reason, events);
  }

  /** A body that was taken in: `accepted` must be in the buffer by now. */
  takeIn(staged: {
    readonly received: number;
    readonly rejections: { byCode: ReadonlyMap<ErrorCode, number> };
  }): void {
    this.receive(staged.received);
    for (const [code, events] of staged.rejections.byCode) this.reject(code, events);
  }

  balance(): number {
    const gone = this.#delivered + sumOf(this.#rejected) + sumOf(this.#dropped);
    return this.#received - this.#buffered() - gone;
  }

  account(): Account {
    return {
      received: this.#received,
      buffered: this.#buffered(),
      delivered: this.#delivered,
      rejected: Object.fromEntries(this.#rejected),
      dropped: Object.fromEntries(this.#dropped),
      balance: this.balance(),
    };
  }
}

function add<K>(counts: Map<K, number>, reason: K, events: number): void {
  if (checked(events) > 0) counts.set(reason, (counts.get(reason) ?? 0) + events);
}

function checked(events: number): number {
  if (!(events >= 0 && events < Number.POSITIVE_INFINITY))
    throw new RangeError(`not a number of events: ${events}`);
  return events;
}

function sumOf(counts: ReadonlyMap<unknown, number>): number {
  let sum = 0;
  for (const events of counts.values()) sum += events;
  return sum;
}
