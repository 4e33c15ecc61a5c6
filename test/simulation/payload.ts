import { bucketOf } from '../../src/core/buckets.js';
import type { CounterGroupState } from '../../src/core/handlers/counter-group.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { TotalsCounterState } from '../../src/core/handlers/totals-counter.js';
import type { BucketIndex, ClientId, TabName, TabType } from '../../src/core/ids.js';
import { PartMap } from '../../src/core/parts.js';
import { decodePart, encodeParts, readParts } from '../../src/wire/parts.js';

export const registry = builtinHandlers();
export const bucketCount = 3;
export const tabType = 'TotalsCounter' as TabType;
const groupType = 'CounterGroup' as TabType;

/** Two tabs in the first bucket, one in each of the others. */
export const tabs: readonly TabName[] = tabsOf([2, 1, 1]);
export const clients = ['c1', 'c2'] as readonly string[] as readonly ClientId[];

function tabsOf(perBucket: readonly number[]): TabName[] {
  const left = [...perBucket];
  const found: TabName[] = [];
  for (let i = 0; left.some((count) => count > 0); i++) {
    const tab = `t${i}` as TabName;
    const bucket = bucketOf(tab, bucketCount);
    if (left[bucket]!-- > 0) found.push(tab);
  }
  return found;
}

const bucketsOfTabs = new Map(tabs.map((tab) => [tab, bucketOf(tab, bucketCount)] as const));

export function bucketOfTab(tab: TabName): BucketIndex {
  return bucketsOfTabs.get(tab)!;
}

/** One event: `bit` tells it from all others of its tab. */
export interface SimEvent {
  readonly tab: TabName;
  readonly client: ClientId;
  readonly bit: number;
}

/** @param groups every other tab is a CounterGroup */
export function partsOf(events: readonly SimEvent[], nowMs: number, groups: boolean): PartMap {
  const parts = new PartMap(registry);
  for (const { tab, client, bit } of events) {
    const meta = { timestampSec: nowMs / 1000, sequence: bit };
    const type = groups && tabs.indexOf(tab) % 2 === 1 ? groupType : tabType;
    parts.fold(tab, type, client, registry.get(type)!.parse(2 ** bit), meta);
  }
  return parts;
}

export function encode(parts: PartMap): Uint8Array {
  return encodeParts(parts, registry);
}

export function decodeParts(payload: Uint8Array): PartMap {
  const parts = new PartMap(registry);
  for (const record of readParts(payload)) {
    parts.reduce(record.tab, record.type, record.client, decodePart(record, registry), record.events);
  }
  return parts;
}

/** Events, and the sum of their bits. */
export interface Counted {
  readonly count: number;
  readonly total: number;
}

/** What a State counts at the moment. */
export function countOf(state: unknown): Counted {
  const either = state as TotalsCounterState | CounterGroupState;
  const { count, total } = 'all' in either ? either.all : either;
  return { count, total };
}

/** Which events are in a sum. */
export function bitsOf(total: number): number[] {
  const bits: number[] = [];
  for (let bit = 0, rest = total; rest > 0; bit++) {
    if (rest % 2 === 1) bits.push(bit);
    rest = Math.floor(rest / 2);
  }
  return bits;
}
