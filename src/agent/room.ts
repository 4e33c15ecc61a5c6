import { getHeapStatistics } from 'node:v8';
import type { ClientId, TabName } from '../core/ids.js';
import type { Gathering } from '../intake/gathering.js';
import type { Cluster } from './cluster.js';

/** What an agent has no room in. */
export type Shortage = 'pairs' | 'memory' | 'spool';

export interface RoomOptions {
  readonly cluster: Cluster;
  /** What waits to become Parts. */
  readonly gathering: Pick<Gathering, 'pairs' | 'holds'> | undefined;
  readonly spoolStuck: () => boolean;
  /** (tab, client) pairs that may wait for a server. */
  readonly maxPairs: number;
  /** Share of the heap limit in use, 0 to 1. */
  readonly heapShare?: () => number;
}

/** Pairs of tab and client, each once. */
export interface Pairs extends Iterable<{ readonly tab: TabName; readonly client: ClientId }> {
  readonly length: number;
}

/** Above this share of the heap nothing more is taken: better to refuse than to die with everything. */
const maxHeapShare = 0.85;

/** Whether there is room to accept: what readiness says, and what softly throttles senders. */
export class Room {
  readonly #options: RoomOptions;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** At most: what waits in both places counts twice. */
  get #waitingPairs(): number {
    const { cluster, gathering } = this.#options;
    return cluster.pairs + (gathering?.pairs ?? 0);
  }

  /** Why nothing is taken at the moment. */
  shortage(): Shortage | undefined {
    const { maxPairs, spoolStuck, heapShare = systemHeapShare } = this.#options;
    if (spoolStuck()) return 'spool';
    if (this.#waitingPairs >= maxPairs) return 'pairs';
    return heapShare() > maxHeapShare ? 'memory' : undefined;
  }

  /**
   * Why Parts of these pairs do not fit. What merges with Parts that wait already needs no room.
   */
  shortageFor(pairs: Pairs): Shortage | undefined {
    const { cluster, gathering, maxPairs, heapShare = systemHeapShare } = this.#options;
    if (heapShare() > maxHeapShare) return 'memory';
    const free = maxPairs - this.#waitingPairs;
    if (pairs.length <= free) return undefined;
    let fresh = 0;
    for (const { tab, client } of pairs) {
      if (!cluster.holds(tab, client) && gathering?.holds(tab, client) !== true) fresh++;
    }
    return fresh > Math.max(0, free) ? 'pairs' : undefined;
  }
}

function systemHeapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}
