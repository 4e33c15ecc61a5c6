import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';

/** How often a node counts itself. */
export const selfIntervalMs = 10_000;

/** What a node tells about itself, by the names of its tabs. */
export interface SelfReport {
  /** Since its start; what they grew by becomes an event. */
  readonly totals: Readonly<Record<string, number>>;
  /** At this moment; a tab may have several. */
  readonly samples: readonly (readonly [tab: string, value: number])[];
}

/** Turns what a node tells about itself into events. Only what has happened becomes one: an idle node records nothing. */
export class SelfMetrics {
  readonly #registry: HandlerRegistry;
  readonly #client: ClientId;
  readonly #last = new Map<string, number>();
  #sequence = 0;

  constructor(registry: HandlerRegistry, client: ClientId) {
    this.#registry = registry;
    this.#client = client;
  }

  /** What has happened since the last call; with it, and only then, the samples. */
  gather({ totals, samples }: SelfReport, nowSec: number): PartMap {
    const parts = new PartMap(this.#registry);
    const fold = (tab: string, type: string, value: number): void => {
      const meta = { timestampSec: nowSec, sequence: this.#sequence++ };
      parts.fold(tab as TabName, type as TabType, this.#client, value, meta);
    };
    for (const [tab, total] of Object.entries(totals)) {
      const happened = total - (this.#last.get(tab) ?? 0);
      this.#last.set(tab, total);
      if (happened > 0) fold(tab, 'CounterGroup', happened);
    }
    if (parts.events === 0) return parts;
    for (const [tab, value] of samples) fold(tab, 'PercentileGroup', value);
    return parts;
  }
}
