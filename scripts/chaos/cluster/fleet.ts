import { bucketOf } from '../../../src/core/buckets.js';
import type { TabName } from '../../../src/core/ids.js';
import type { ClientReport } from '../load.js';

/**
 * The load of the cluster chaos: clients that record into many tabs, a few at a time.
 *
 * A tick after another each client fills the next tabs of the ring with many events each. So every flush carries few
 * Parts, whatever the rate, and in the course of a run every client has been in every tab.
 */
export const tickMs = 250;

/** The least number of tabs that a client fills within a tick. */
const fewestTabsPerTick = 8;

/** So many that every client comes past all tabs well within the run. */
export function tabsPerTick(tabs: number, durationSec: number): number {
  const ticks = (durationSec * 1000 * 0.8) / tickMs;
  return Math.max(fewestTabsPerTick, Math.ceil(tabs / ticks));
}

/** Command line of a producer process, as JSON in its first argument. */
export interface FleetOrder {
  readonly clients: readonly FleetClient[];
  readonly tabs: number;
  readonly tabsPerTick: number;
  /** Over all clients of the process. */
  readonly eventsPerSec: number;
  readonly probes: readonly string[];
  readonly probeClients: readonly FleetClient[];
  /** How often each probe client records one event into each of `probes`. */
  readonly probePeriodMs: number;
}

export interface FleetClient {
  readonly id: string;
  /** The agent that it records to. */
  readonly url: string;
  /** Where in the ring of tabs it begins. */
  readonly firstTab: number;
}

/** What the process says while it runs. */
export interface FleetProgress {
  readonly kind: 'progress';
  readonly recorded: number;
}

/** What it sends when everything that it recorded has been taken over by the agents. */
export interface FleetReport {
  readonly kind: 'report';
  readonly events: number;
  /** Why events of its clients were lost or rejected, and how many. */
  readonly lost: Readonly<Record<string, number>>;
  readonly clients: readonly ClientReport[];
}

/** One name for each bucket, found by trying: `chaos.probe17` and the like, by bucket index. */
export function probeNames(buckets: number): string[] {
  const names = new Array<string>(buckets);
  for (let found = 0, tried = 0; found < buckets; tried++) {
    const name = `chaos.probe${tried}`;
    const bucket = bucketOf(name as TabName, buckets);
    if (names[bucket] !== undefined) continue;
    names[bucket] = name;
    found++;
  }
  return names;
}
