import type { AppliedMoment } from '../reduce/context.js';

/** What `/latency` answers, in seconds. */
export interface LatencyReport {
  /** From sealed by its producer to received here. */
  readonly enqueue_avg: number;
  /** From sealed by its producer to applied here. */
  readonly processed_avg: number;
  /** How far behind the present the whole cluster is taken to be. */
  readonly cluster_aggregate: number;
}

/** Weight of a new sample. Higher values follow faster at the cost of following noise. */
const weight = 0.1;
/** However late everything is, queries never look back further: beyond it, lateness should show. */
const maxDiscountSec = 10;
/** A producer's clock may be off by any amount: lateness outside of this says something about clocks only. */
const maxSampleSec = 60;
/** Without samples, what was measured loses half of its weight in so long. */
const halfLifeMs = 10_000;

/** How late events are when they are applied: an average that follows the last Blocks and fades when none come. */
export class Latency {
  #enqueueSec = 0;
  #processedSec = 0;
  #sampledAtMs = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  applied({ sealedAtMs, atMs, nowMs }: AppliedMoment): void {
    this.#enqueueSec += weight * (sample(atMs - sealedAtMs) - this.#enqueueSec);
    this.#processedSec += weight * (sample(nowMs - sealedAtMs) - this.#processedSec);
    this.#sampledAtMs = nowMs;
  }

  /** By how much the present of a query is put back, so that short windows are not for ever half empty. */
  get discountSec(): number {
    return Math.min(maxDiscountSec, this.report().cluster_aggregate);
  }

  report(): LatencyReport {
    const faded = 0.5 ** (Math.max(0, this.#nowMs() - this.#sampledAtMs) / halfLifeMs);
    const processed = this.#processedSec * faded;
    return { enqueue_avg: this.#enqueueSec * faded, processed_avg: processed, cluster_aggregate: processed };
  }
}

function sample(differenceMs: number): number {
  return Math.min(maxSampleSec, Math.max(0, differenceMs / 1000));
}
