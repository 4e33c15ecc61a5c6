import type { SeededRandom } from './random.js';

/** What one client has recorded into one tab, as the oracle will ask for it. */
export interface Tally {
  count: number;
  /** A sum of integers: exact in doubles. */
  total: number;
}

/** tab name -> tally, for one client. */
export type Ledger = Map<string, Tally>;

/** The types of the load keep all-time counts and totals, so that the oracle can ask for them exactly. */
export const loadTypes = ['CounterGroup', 'TotalsCounter', 'PercentileCounter'] as const;

export function tabName(index: number): string {
  return `chaos.tab${String(index).padStart(4, '0')}`;
}

export function tabType(index: number): (typeof loadTypes)[number] {
  return loadTypes[index % loadTypes.length]!;
}

/** Picks the next event, and enters it into the ledger. */
export function nextEvent(
  random: SeededRandom,
  tabs: number,
  ledger: Ledger,
): { tab: string; type: string; value: number } {
  const index = random.integer(0, tabs - 1);
  const tab = tabName(index);
  const value = random.integer(-5, 1000);
  const tally = ledger.get(tab);
  if (tally === undefined) ledger.set(tab, { count: 1, total: value });
  else {
    tally.count += 1;
    tally.total += value;
  }
  return { tab, type: tabType(index), value };
}

/** What a client has recorded. */
export interface ClientReport {
  readonly client: string;
  readonly ledger: readonly (readonly [string, Tally])[];
}

/** What a producer process sends to its parent when everything it recorded has been taken over. */
export interface ProducerReport extends ClientReport {
  readonly events: number;
  /** Events that the producer itself knows it has not handed over. */
  readonly lost: number;
}

/** Command line of a producer process, as JSON in its first argument. */
export interface ProducerOrder {
  readonly client: string;
  readonly url: string;
  readonly seed: number;
  readonly tabs: number;
  readonly eventsPerSec: number;
}
