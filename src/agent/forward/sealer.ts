import type { BucketIndex } from '../../core/ids.js';
import type { Producer } from '../../core/producer/producer.js';
import type { Routes } from './routes.js';

/** After so much is sealed, lanes are asked again whether they have room. */
const bytesPerSend = 2 ** 20;
const leastPauseMs = 250;
/** However far behind servers are: nobody folds blindly for longer. Higher values let more merge, and show events later. */
const longestPauseMs = 2000;

export interface SealerOptions {
  readonly producer: Pick<Producer, 'filledBuckets' | 'seal'>;
  readonly routes: Pick<Routes, 'hasRoom' | 'ready' | 'sealed'>;
  /** Servers are behind when they need longer than this for what came in as long a time. */
  readonly flushIntervalMs: number;
  /** Sends what is sealed, as far as there is room. */
  readonly send: () => void;
}

/** What one flush interval brought, as far as it could not be sealed at once. */
interface Arrears {
  readonly atMs: number;
  /** Buckets that became due. */
  readonly brought: number;
  /** Those of them that have not been sealed since. */
  left: number;
  isLate: boolean;
}

/**
 * Seals Blocks of the buckets that can be sent at once, and knows whether servers keep up: what cannot be sent goes on merging.
 */
export class Sealer {
  readonly #options: SealerOptions;
  /** What the buckets that wait belong to: until it is sealed, a bucket does not count again. */
  readonly #waiting = new Map<BucketIndex, Arrears>();
  /** Oldest first. */
  #arrears: Arrears[] = [];

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Whether buckets wait for room on their lanes. */
  get hasMore(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * After how long servers will have caught up, as far as can be told; 0 when they are not behind. They are from when more than half
   * of what one flush interval brought has waited for another, until three quarters of it are sealed. Never longer than that has
   * waited: lanes that have just begun, say, say nothing of how fast they will be.
   */
  pauseMs(nowMs: number): number {
    const late = this.#look(nowMs);
    if (late === undefined) return 0;
    const { atMs, brought, left } = late;
    const behindMs = nowMs - atMs;
    const sealed = brought - left;
    const caughtUpMs = sealed > 0 ? (behindMs * left) / sealed : behindMs;
    return Math.ceil(Math.max(Math.min(caughtUpMs, behindMs, longestPauseMs), leastPauseMs));
  }

  /** Seals what is due and can be sent; called on every flush interval. */
  seal(nowMs: number): void {
    const brought = this.#options.producer.filledBuckets.size - this.#waiting.size;
    this.sealMore(nowMs);
    this.#look(nowMs);
    const arrears = { atMs: nowMs, brought, left: 0, isLate: false };
    for (const bucket of this.#options.producer.filledBuckets) {
      if (this.#waiting.has(bucket)) continue;
      this.#waiting.set(bucket, arrears);
      arrears.left++;
    }
    if (arrears.left > 0) this.#arrears.push(arrears);
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
      this.#noteSealed(bucket);
      bytes += block.payload.length;
      if (bytes < bytesPerSend) continue;
      bytes = 0;
      send();
      if (!routes.hasRoom) break;
    }
    send();
  }

  #noteSealed(bucket: BucketIndex): void {
    const arrears = this.#waiting.get(bucket);
    if (arrears === undefined) return;
    arrears.left--;
    this.#waiting.delete(bucket);
  }

  /** @returns the oldest arrears for which servers are behind */
  #look(nowMs: number): Arrears | undefined {
    this.#arrears = this.#arrears.filter(({ brought, left }) => left > brought / 4);
    const lateMs = Math.max(this.#options.flushIntervalMs, leastPauseMs);
    for (const arrears of this.#arrears) {
      if (nowMs - arrears.atMs >= lateMs && arrears.left > arrears.brought / 2) arrears.isLate = true;
    }
    return this.#arrears.find(({ isLate }) => isLate);
  }
}
