import type { ProducerId } from '../../core/ids.js';
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

/** How late events are at one server, and how many it has lately: what the others need to know of it. */
export interface Lateness {
  readonly enqueueSec: number;
  readonly processedSec: number;
  /** Events per second. */
  readonly load: number;
}

/** Weight of a new sample of a producer. Higher values follow faster at the cost of following noise. */
const weight = 0.1;
/** However late everything is, queries never look back further: beyond it, lateness should show. */
const maxDiscountSec = 10;
/** A producer's clock may be off by any amount: lateness outside of this says something about clocks only. */
const maxSampleSec = 60;
/** Without samples, what was measured loses half of its weight in so long. */
const halfLifeMs = 10_000;
/** A producer without samples for so long is forgotten. */
const forgetMs = 60_000;
/** More producers are not told apart: the one that was first seen goes. */
const maxProducers = 4096;
/** The median is made at most so often. */
const refreshMs = 250;

interface Measured {
  enqueueSec: number;
  processedSec: number;
  /** Events, faded. */
  events: number;
  atMs: number;
}

/**
 * How late events are when they are applied. Each producer stamps with its own clock, so that what one of them shows is
 * its lateness and the fault of its clock. What holds for the server is therefore the median over producers, weighted by
 * their events of late: a slow clock pulls it only if it stamps more than half of what there is to see.
 */
export class Latency {
  readonly #nowMs: () => number;
  readonly #producers = new Map<ProducerId, Measured>();
  #median: Omit<Lateness, 'load'> = { enqueueSec: 0, processedSec: 0 };
  #medianAtMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  applied({ producer, sealedAtMs, atMs, nowMs, events }: AppliedMoment): void {
    const enqueueSec = sample(atMs - sealedAtMs);
    const processedSec = sample(nowMs - sealedAtMs);
    const known = this.#producers.get(producer);
    if (known === undefined) {
      this.#producers.set(producer, { enqueueSec, processedSec, events, atMs: nowMs });
      if (this.#producers.size > maxProducers) this.#producers.delete(firstOf(this.#producers.keys()));
      return;
    }
    known.enqueueSec += weight * (enqueueSec - known.enqueueSec);
    known.processedSec += weight * (processedSec - known.processedSec);
    known.events = known.events * faded(nowMs - known.atMs) + events;
    known.atMs = nowMs;
  }

  /** At this server. */
  measure(): Omit<Lateness, 'load'> {
    const nowMs = this.#nowMs();
    if (Math.abs(nowMs - this.#medianAtMs) >= refreshMs) {
      this.#median = this.#measure(nowMs);
      this.#medianAtMs = nowMs;
    }
    return this.#median;
  }

  #measure(nowMs: number): Omit<Lateness, 'load'> {
    const all: Measured[] = [];
    for (const [producer, measured] of this.#producers) {
      const silentMs = nowMs - measured.atMs;
      if (silentMs > forgetMs) this.#producers.delete(producer);
      const share = faded(silentMs);
      const { enqueueSec, processedSec, events, atMs } = measured;
      all.push({
        enqueueSec: enqueueSec * share,
        processedSec: processedSec * share,
        events: events * share,
        atMs,
      });
    }
    return {
      enqueueSec: median(all, ({ enqueueSec }) => enqueueSec),
      processedSec: median(all, ({ processedSec }) => processedSec),
    };
  }
}

/**
 * The cluster's: the averages over its servers, weighted by their events, and the largest of them, which is how long one
 * has to wait until everything is there.
 */
export function clusterLatency(servers: readonly Lateness[]): LatencyReport {
  const load = servers.reduce((sum, server) => sum + server.load, 0);
  const average = (of: (server: Lateness) => number): number =>
    load === 0 ? 0 : servers.reduce((sum, server) => sum + of(server) * server.load, 0) / load;
  return {
    enqueue_avg: average(({ enqueueSec }) => enqueueSec),
    processed_avg: average(({ processedSec }) => processedSec),
    cluster_aggregate: Math.max(0, ...servers.map(({ processedSec }) => processedSec)),
  };
}

/** By how much the present of a query is put back, so that short windows are not for ever half empty. @param latenessSec of the cluster */
export function discountSec(latenessSec: number): number {
  return Math.min(maxDiscountSec, latenessSec);
}

/** The smallest of `of` that at least half of the events do not exceed; 0 where there are none. */
function median(all: Measured[], of: (measured: Measured) => number): number {
  const half = all.reduce((sum, { events }) => sum + events, 0) / 2;
  let passed = 0;
  for (const measured of all.sort((a, b) => of(a) - of(b))) {
    passed += measured.events;
    if (passed >= half) return of(measured);
  }
  return 0;
}

function faded(silentMs: number): number {
  return 0.5 ** (Math.max(0, silentMs) / halfLifeMs);
}

function sample(differenceMs: number): number {
  return Math.min(maxSampleSec, Math.max(0, differenceMs / 1000));
}

function firstOf<T>(items: Iterator<T>): T {
  return items.next().value as T;
}
