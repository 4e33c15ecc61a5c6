import type { BucketIndex } from '../../core/ids.js';
import type { Producer } from '../../core/producer/producer.js';
import type { Routes } from './routes.js';

/** After so much is sealed, lanes are asked again whether they have room. */
const bytesPerSend = 2 ** 20;
const leastPauseMs = 250;
/** However far behind servers are: nobody folds blindly for longer. Higher values let more merge, and show events later. */
const longestPauseMs = 2000;
/** At each flush interval, the most buckets that were due count for so much less. */
const dueFading = 0.98;

export interface SealerOptions {
  readonly producer: Pick<Producer, 'filledBuckets' | 'seal'>;
  readonly routes: Pick<Routes, 'hasRoom' | 'ready' | 'sealed'>;
  /** Servers are behind when they need longer than this for what one interval brought. */
  readonly flushIntervalMs: number;
  /** Sends what is sealed, as far as there is room. */
  readonly send: () => void;
}

/**
 * Seals Blocks of the buckets that can be sent at once, and knows whether servers keep up: what cannot be sent goes on merging.
 */
export class Sealer {
  readonly #options: SealerOptions;
  /** Since when buckets have been due that could not be sealed; the oldest first. */
  readonly #waiting = new Map<BucketIndex, number>();
  /** The most buckets that were due at once, fading: what is left of many is not many, and one that is stuck is not all. */
  #mostDue = 0;
  #isBehind = false;
  #hasMore = false;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Whether buckets wait for room on their lanes. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /**
   * After how long servers will have caught up, as far as can be told; 0 when they are not behind. They are from when more than half
   * of the buckets have waited for a flush interval until no more than a quarter have. Never longer than these have waited: lanes
   * that have just begun, say, say nothing of how fast they will be.
   */
  pauseMs(nowMs: number): number {
    const { late, behindMs } = this.#look(nowMs);
    if (!this.#isBehind) return 0;
    const inTime = this.#mostDue - late;
    const caughtUpMs = inTime > 0 ? (behindMs * late) / inTime : behindMs;
    return Math.ceil(Math.max(Math.min(caughtUpMs, behindMs, longestPauseMs), leastPauseMs));
  }

  /** Seals what is due and can be sent; called on every flush interval. */
  seal(nowMs: number): void {
    const { filledBuckets } = this.#options.producer;
    this.#mostDue = Math.max(filledBuckets.size, this.#mostDue * dueFading);
    this.sealMore(nowMs);
    for (const bucket of filledBuckets) if (!this.#waiting.has(bucket)) this.#waiting.set(bucket, nowMs);
    this.#look(nowMs);
  }

  /** Seals what can be sent now: a server has taken something. */
  sealMore(nowMs: number): void {
    const { producer, routes, send } = this.#options;
    const buckets = routes.hasRoom ? [...producer.filledBuckets] : [];
    let bytes = 0;
    for (const bucket of buckets) {
      if (!routes.ready(bucket)) continue;
      const block = producer.seal(bucket, nowMs);
      if (block === undefined) continue;
      routes.sealed(bucket);
      this.#waiting.delete(bucket);
      bytes += block.payload.length;
      if (bytes < bytesPerSend) continue;
      bytes = 0;
      send();
      if (!routes.hasRoom) break;
    }
    send();
    // What came in since the last flush interval is sent along for as long as something waits.
    this.#hasMore = producer.filledBuckets.size > 0;
  }

  /** @returns how many buckets have waited for too long, and for how long more than a quarter of all have */
  #look(nowMs: number): { late: number; behindMs: number } {
    const lateMs = Math.max(this.#options.flushIntervalMs, leastPauseMs);
    const quarter = this.#mostDue / 4;
    let late = 0;
    let behindMs = 0;
    for (const sinceMs of this.#waiting.values()) {
      if (nowMs - sinceMs < lateMs) break;
      if (late <= quarter) behindMs = nowMs - sinceMs;
      late++;
    }
    this.#isBehind = late > (this.#isBehind ? quarter : this.#mostDue / 2);
    return { late, behindMs };
  }
}
