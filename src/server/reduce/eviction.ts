import type { BucketOwner } from './bucket-owner.js';
import type { Capacity } from './capacity.js';
import type { Holdings } from './holdings.js';

/** Evicted beyond what is asked for, so that not every State that is loaded looks for a victim of its own. */
const slack = 0.02;

/**
 * Keeps the States in memory within their bound: drops cold ones that the store has in full, in all buckets in turn. What is
 * not written down yet has to be, before.
 */
export class Eviction {
  readonly #holdings: Holdings;
  readonly #capacity: Capacity;
  readonly #writeDown: () => void;
  /** Where the last round ended: the next begins there. */
  #rest: Iterator<BucketOwner> | undefined;
  /** Everything that may be dropped has been: looking again is in vain until all is written down. */
  #exhausted = false;

  /** @param writeDown begins a checkpoint of all buckets, unless one is under way */
  constructor(holdings: Holdings, capacity: Capacity, writeDown: () => void) {
    this.#holdings = holdings;
    this.#capacity = capacity;
    this.#writeDown = writeDown;
  }

  /** Drops what is too much, as far as it may be dropped. */
  makeRoom(): void {
    const { states, maxStates } = this.#capacity;
    if (states <= maxStates || this.#exhausted) return;
    let left = Math.ceil(states - maxStates * (1 - slack));
    let fresh = false;
    while (left > 0) {
      this.#rest ??= this.#holdings.all()[Symbol.iterator]();
      const { value: owner, done } = this.#rest.next();
      if (done === true) {
        this.#rest = undefined;
        // One whole round from its beginning has passed.
        if (fresh) break;
        fresh = true;
        continue;
      }
      left -= owner.evict(left);
    }
    if (this.#capacity.states <= maxStates) return;
    this.#exhausted = true;
    this.#writeDown();
  }

  /** A bucket has been written down. */
  written(owner: BucketOwner): void {
    const { states, maxStates } = this.#capacity;
    if (states > maxStates) owner.evict(states - maxStates);
  }

  /** All buckets have been written down, or the bound has moved. */
  retry(): void {
    this.#exhausted = false;
    this.makeRoom();
  }
}
