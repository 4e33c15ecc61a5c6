import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';
import { totalOf } from './account.js';
import type { AgentStatus } from './status.js';

/** How often the agent counts itself. */
export const selfIntervalMs = 10_000;

/**
 * What the agent tells about itself, as events of its own since the last look. Only what has happened becomes an event, so
 * that an idle agent sends nothing.
 */
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
  gather(status: AgentStatus, ownEvents: number, nowSec: number): PartMap {
    const parts = new PartMap(this.#registry);
    const since = (tab: string, total: number): void => {
      const happened = total - (this.#last.get(tab) ?? 0);
      this.#last.set(tab, total);
      if (happened > 0) this.#fold(parts, tab, 'CounterGroup', happened, nowSec);
    };
    const { books } = status;
    since('taba_agent_events_received', books.received - ownEvents);
    since('taba_agent_events_rejected', totalOf(books.rejected));
    since('taba_agent_events_dropped', totalOf(books.dropped));
    since('taba_agent_requests', status.requests);
    since('taba_agent_requests_refused', status.refused_bodies);
    if (parts.events === 0) return parts;
    this.#fold(parts, 'taba_agent_events_buffered', 'PercentileGroup', books.buffered, nowSec);
    for (const { latency_ms: latencyMs } of status.servers) {
      if (latencyMs !== null)
        this.#fold(parts, 'taba_agent_ack_latency_ms', 'PercentileGroup', latencyMs, nowSec);
    }
    return parts;
  }

  #fold(parts: PartMap, tab: string, type: string, value: number, nowSec: number): void {
    const meta = { timestampSec: nowSec, sequence: this.#sequence++ };
    parts.fold(tab as TabName, type as TabType, this.#client, value, meta);
  }
}
