import type { Producer } from '../../core/producer/producer.js';
import type { Routes } from './routes.js';

/** After so much is sealed, lanes are asked again whether they have room. */
const bytesPerSend = 2 ** 20;
const leastPauseMs = 250;
/** However far behind servers are: nobody folds blindly for longer. Higher values let more merge, and show events later. */
const longestPauseMs = 2000;

export interface SealerOptions {
  readonly producer: Pick<Producer, 'unnumbered' | 'readyBuckets' | 'seal'>;
  readonly routes: Pick<Routes, 'ready' | 'sealed'>;
  /** Sends what is sealed, as far as there is room. */
  readonly send: () => void;
}

/**
 * Seals Blocks of the buckets that can be sent at once, and knows whether servers keep up: what cannot be sent goes on merging.
 */
export class Sealer {
  readonly #options: SealerOptions;
  /** Buckets that had something to send when most of it could not be sent, at most. */
  #peak = 0;
  #peakAtMs = 0;
  #left = 0;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Whether buckets wait for room on their lanes. */
  get hasMore(): boolean {
    return this.#left > 0;
  }

  /** Whether servers are slower than what comes in: from when more than half of the buckets have to wait until three quarters are sent. */
  get isBehind(): boolean {
    return this.#peak > 0;
  }

  /**
   * After how long servers will have caught up, as far as can be told; 0 when they are not behind. Never longer than they have been
   * behind so far: lanes that have just begun, say, say nothing of how fast they will be.
   */
  pauseMs(nowMs: number): number {
    if (!this.isBehind) return 0;
    const behindMs = nowMs - this.#peakAtMs;
    const sent = this.#peak - this.#left;
    const caughtUpMs = sent > 0 ? (behindMs * this.#left) / sent : behindMs;
    const pauseMs = Math.min(caughtUpMs, behindMs, longestPauseMs);
    return Math.ceil(Math.max(pauseMs, leastPauseMs));
  }

  seal(nowMs: number): void {
    const { producer, routes, send } = this.#options;
    const due = [...producer.unnumbered()].length;
    let sealed = 0;
    let bytes = 0;
    for (const bucket of [...producer.readyBuckets()]) {
      if (!routes.ready(bucket)) continue;
      const block = producer.seal(bucket, nowMs);
      if (block === undefined) continue;
      routes.sealed(bucket);
      sealed++;
      bytes += block.payload.length;
      if (bytes < bytesPerSend) continue;
      bytes = 0;
      send();
    }
    send();
    this.#left = due - sealed;
    if (this.#peak === 0 && this.#left > due / 2) {
      this.#peak = due;
      this.#peakAtMs = nowMs;
    } else if (this.#peak > 0) {
      this.#peak = this.#left > this.#peak / 4 ? Math.max(this.#peak, due) : 0;
    }
  }
}
