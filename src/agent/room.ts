import { getHeapStatistics } from 'node:v8';
import type { PartMap } from '../core/parts.js';
import type { Cluster } from './cluster.js';

/** What an agent has no room in. */
export type Shortage = 'pairs' | 'memory' | 'spool';

export interface RoomOptions {
  readonly cluster: Cluster;
  readonly spoolStuck: () => boolean;
  /** (tab, client) pairs that may wait for a server. */
  readonly maxPairs: number;
  /** Share of the heap limit in use, 0 to 1. */
  readonly heapShare?: () => number;
}

/** Above this share of the heap nothing more is taken: better to refuse than to die with everything. */
const maxHeapShare = 0.85;

/** Whether there is room to accept: what readiness says, and what softly throttles senders. */
export class Room {
  readonly #options: RoomOptions;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Why nothing is taken at the moment. */
  shortage(): Shortage | undefined {
    const { cluster, maxPairs, spoolStuck, heapShare = systemHeapShare } = this.#options;
    if (spoolStuck()) return 'spool';
    if (cluster.pairs >= maxPairs) return 'pairs';
    return heapShare() > maxHeapShare ? 'memory' : undefined;
  }

  /** Why `parts` do not fit. What merges with Parts that wait already needs no room. */
  shortageFor(parts: PartMap): Shortage | undefined {
    const { cluster, maxPairs, heapShare = systemHeapShare } = this.#options;
    if (heapShare() > maxHeapShare) return 'memory';
    const free = maxPairs - cluster.pairs;
    if (parts.pairs <= free) return undefined;
    let fresh = 0;
    for (const { name, clients } of parts.byTab()) {
      for (const client of clients.keys()) if (!cluster.holds(name, client)) fresh++;
    }
    return fresh > Math.max(0, free) ? 'pairs' : undefined;
  }
}

function systemHeapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}
