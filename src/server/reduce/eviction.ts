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

  /** Drops what is too much, as far as it may be dropped; where that is not enough, begins to write down. */
  makeRoom(): void {
    if (this.#exhausted) return;
    this.#exhausted = !this.#drop();
    if (this.#exhausted) this.#writeDown();
  }

  /** @returns whether enough could be dropped */
  #drop(): boolean {
    const { states, maxStates } = this.#capacity;
    if (states <= maxStates) return true;
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
    return this.#capacity.states <= maxStates;
  }

  /** A bucket has been written down. */
  written(owner: BucketOwner): void {
    const { states, maxStates } = this.#capacity;
    if (states > maxStates) owner.evict(states - maxStates);
  }

  /**
   * All buckets have been written down, as far as they can be. What is still too much belongs to buckets that are being
   * acquired or lost their store, or is in use: to write down again at once would be in vain, and go round for ever.
   *
   * @returns whether there is room; otherwise call `retry` after a while
   */
  allWritten(): boolean {
    const enough = this.#drop();
    this.#exhausted = !enough;
    return enough;
  }

  /** Time has passed, or the bound has moved. */
  retry(): void {
    this.#exhausted = false;
    this.makeRoom();
  }
}
