import { bucketOf } from '../../../src/core/buckets.js';
import { ByteWriter } from '../../../src/core/bytes.js';
import { EncodedState } from '../../../src/core/handlers/encoded-state.js';
import type { HandlerRegistry } from '../../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../../src/core/ids.js';
import { PartMap } from '../../../src/core/parts.js';
import { encodeParts } from '../../../src/wire/parts.js';

/** Flushes of as many agents' worth: in each round one Part of every (tab, client). */
export interface Traffic {
  readonly tabs: number;
  readonly clients: number;
  readonly eventsPerPart: number;
}

const type = 'CounterGroup' as TabType;
/** Parts of a round that differ from each other. */
const variants = 16;

export function tabOf(index: number): TabName {
  return `parts.requests.${index}` as TabName;
}

function clientOf(index: number): ClientId {
  return `host-${index}` as ClientId;
}

function variantOf(tab: number, client: number): number {
  return (tab * 7 + client) % variants;
}

/** Eighths: sums of them are exact. */
function amountOf(variant: number, event: number): number {
  return 1 + ((variant * 31 + event * 17) % 400) / 8;
}

/** What a tab shows after so many rounds. */
export function expectedOf(
  { clients, eventsPerPart }: Traffic,
  tab: number,
  rounds: number,
): { count: number; total: number } {
  let total = 0;
  for (let client = 0; client < clients; client++) {
    for (let event = 0; event < eventsPerPart; event++) total += amountOf(variantOf(tab, client), event);
  }
  return { count: rounds * clients * eventsPerPart, total: rounds * total };
}

/** Tabs by their buckets. */
export function bucketsOf({ tabs }: Traffic, bucketCount: number): ReadonlyMap<number, readonly number[]> {
  const buckets = new Map<number, number[]>();
  for (let tab = 0; tab < tabs; tab++) {
    const bucket = bucketOf(tabOf(tab), bucketCount);
    const inBucket = buckets.get(bucket) ?? [];
    inBucket.push(tab);
    buckets.set(bucket, inBucket);
  }
  return buckets;
}

/** The payloads of a round. @param atSec of all its events @returns that of the Block with these tabs */
export function roundOf(
  { clients, eventsPerPart }: Traffic,
  registry: HandlerRegistry,
  atSec: number,
): (tabs: readonly number[]) => Uint8Array {
  const handler = registry.get(type)!;
  const states = Array.from({ length: variants }, (_, variant) => {
    const state = handler.newState();
    for (let event = 0; event < eventsPerPart; event++) {
      handler.fold(state, amountOf(variant, event), { timestampSec: atSec, sequence: event });
    }
    const out = new ByteWriter();
    handler.encode(state, out);
    return new EncodedState(out.finish());
  });
  return (tabs) => {
    const parts = new PartMap(registry);
    for (const tab of tabs) {
      for (let client = 0; client < clients; client++) {
        parts.put(tabOf(tab), type, clientOf(client), states[variantOf(tab, client)], eventsPerPart);
      }
    }
    return encodeParts(parts, registry);
  };
}
