import { randomBytes } from 'node:crypto';
import { TabaError } from '../core/errors.js';
import type { BucketIndex, HeadToken, Position } from '../core/ids.js';
import { type Head, HeadMismatch } from './store.js';

/**
 * The head of one bucket (rule R1) as a single process keeps it: who may write, and how many writes have been issued.
 *
 * It lives in memory alone. That fences as well as a stored token does, because such a store has one process at a
 * time: whoever held a head before the store was opened finds no token here, and is refused.
 */
export class HeadGuard {
  readonly #bucket: BucketIndex;
  #token: HeadToken | undefined;
  #n = 0;
  #lastPosition = 0;
  #generation = 0;

  constructor(bucket: BucketIndex) {
    this.#bucket = bucket;
  }

  /** Counts the failed writes: whatever was issued under an earlier generation is void. */
  get generation(): number {
    return this.#generation;
  }

  /** Position of the last append that was issued. */
  get lastPosition(): Position {
    return this.#lastPosition as Position;
  }

  /** A new owner. `lastPosition` is the position after which it appends. */
  acquire(lastPosition: Position): HeadToken {
    this.#token = randomBytes(16).toString('hex') as HeadToken;
    this.#n = 0;
    this.#lastPosition = lastPosition;
    return this.#token;
  }

  /** Nobody owns the bucket from here on: every write is refused until the next `acquire`. */
  fence(): void {
    this.#token = undefined;
  }

  /** A write failed: its owner, and every write behind it, know nothing about the bucket any more (R3). */
  poison(): void {
    this.fence();
    this.#generation++;
  }

  /** Whether `token` is the owner's. */
  checkToken(head: Head): void {
    if (this.#token === undefined || head.token !== this.#token) throw new HeadMismatch(this.#bucket);
  }

  /** Counts a write as issued, or throws and changes nothing. `position` is given by an append. */
  issue(head: Head, position?: Position): void {
    this.checkToken(head);
    if (head.n !== this.#n) throw new HeadMismatch(this.#bucket);
    if (position !== undefined) {
      if (position !== this.#lastPosition + 1) {
        const due = this.#lastPosition + 1;
        throw new TabaError('internal', `bucket ${this.#bucket}: append at ${position}, ${due} is due`);
      }
      this.#lastPosition = position;
    }
    this.#n++;
  }
}
