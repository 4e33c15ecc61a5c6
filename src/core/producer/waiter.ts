import type { BlockRejection } from '../block.js';
import type { DropReason } from './books.js';

/** How handing over ended, for whoever waits for it (R12). */
export interface SettledParts {
  /**
   * What owners rejected of the Blocks that carried these Parts. Blocks carry Parts of others as well: look for your own
   * (tab, client).
   */
  readonly rejected: readonly BlockRejection[];
  /** Undefined when every bucket acknowledged; else why at least one Block was given up. */
  readonly dropped: DropReason | undefined;
}

/** Waits until every Block that took some of its Parts is settled. */
export class Waiter {
  readonly #settled: (outcome: SettledParts) => void;
  readonly #rejected: BlockRejection[] = [];
  #pending: number;
  #dropped: DropReason | undefined;

  /** @param pending in how many places its Parts lie */
  constructor(pending: number, settled: (outcome: SettledParts) => void) {
    this.#pending = pending;
    this.#settled = settled;
  }

  /** One more place: a Block took some of the Parts, and the rest stay. */
  split(): void {
    this.#pending++;
  }

  settle(rejected: readonly BlockRejection[], dropped?: DropReason): void {
    this.#rejected.push(...rejected);
    this.#dropped ??= dropped;
    if (--this.#pending === 0) this.#settled({ rejected: this.#rejected, dropped: this.#dropped });
  }
}
