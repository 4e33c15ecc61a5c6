import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import { PartMap } from '../../core/parts.js';
import { totalOf } from './counts.js';
import type { ServerStatus } from './status.js';

/** How often a server counts itself. */
export const selfIntervalMs = 10_000;

/** What a server tells about itself, as tabs. Only what has happened becomes an event: an idle server records nothing. */
export class SelfMetrics {
  readonly #registry: HandlerRegistry;
  readonly #client: ClientId;
  readonly #last = new Map<string, number>();
  #sequence = 0;

  constructor(registry: HandlerRegistry, client: ClientId) {
    this.#registry = registry;
    this.#client = client;
  }

  /** @param ownEvents events that came from here: they are not counted again */
  gather(status: ServerStatus, ownEvents: number, nowSec: number): PartMap {
    const parts = new PartMap(this.#registry);
    const fold = (tab: string, type: string, value: number): void => {
      const meta = { timestampSec: nowSec, sequence: this.#sequence++ };
      parts.fold(tab as TabName, type as TabType, this.#client, value, meta);
    };
    const since = (tab: string, total: number): void => {
      const happened = total - (this.#last.get(tab) ?? 0);
      this.#last.set(tab, total);
      if (happened > 0) fold(tab, 'CounterGroup', happened);
    };
    const { books, latency, max_age: ageSec } = status;
    since('taba_events_received', books.received - ownEvents);
    since('taba_events_rejected', totalOf(books.rejected));
    since('taba_events_dropped', totalOf(books.dropped));
    if (parts.events === 0) return parts;
    fold('taba_latency_enqueue_sec', 'PercentileGroup', latency.enqueue_avg);
    fold('taba_latency_processed_sec', 'PercentileGroup', latency.processed_avg);
    fold('taba_latency_task_in_queue_ms', 'PercentileGroup', ageSec * 1000);
    return parts;
  }
}
