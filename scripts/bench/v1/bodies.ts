import { deflateSync } from 'node:zlib';
import { encodeV1, type V1Event } from '../../../src/wire/v1.js';

/** Bodies of protocol v1, all alike: a known number of events of each tab. */
export interface Bodies {
  readonly path: '/post' | '/post_zip';
  readonly tabs: number;
  readonly eventsPerBody: number;
  readonly bodies: number;
}

export function tabOf(index: number): string {
  return `bench.bids.${index}`;
}

/** Eighths: sums of them are exact. */
function amountOf(index: number): number {
  return 1 + (index % 50) / 8;
}

/** As the first Taba's Python client writes it: one client, tab by tab, fractions of seconds. @param atSec of its last event */
export function bodyOf({ path, tabs, eventsPerBody }: Bodies, atSec: number): Uint8Array {
  const events: V1Event[] = Array.from({ length: eventsPerBody }, (_, index) => ({
    ...{ client: 'web-1', tab: tabOf(index % tabs), type: 'CounterGroup', payload: amountOf(index) },
    timestampSec: atSec - ((index * 7919) % 1000) / 1000,
  }));
  const body = encodeV1(events);
  return path === '/post_zip' ? deflateSync(body) : body;
}

/** What the tab shows once all bodies are in. */
export function expectedOf(
  { tabs, eventsPerBody, bodies }: Bodies,
  tab: number,
): { count: number; total: number } {
  let count = 0;
  let total = 0;
  for (let index = tab; index < eventsPerBody; index += tabs) {
    count += bodies;
    total += bodies * amountOf(index);
  }
  return { count, total };
}
