import type { Block } from '../../../src/core/block.js';
import { bucketOf } from '../../../src/core/buckets.js';
import { renderState } from '../../../src/core/handlers/encoded-state.js';
import { builtinHandlers, type HandlerRegistry } from '../../../src/core/handlers/registry.js';
import type { ClientId, ProducerId, Seq, TabName, TabType } from '../../../src/core/ids.js';
import { PartMap } from '../../../src/core/parts.js';
import type { Clock } from '../../../src/runtime/clock.js';
import type { TabStates } from '../../../src/server/reduce/bucket-view.js';
import type { OwnedTab, Whose } from '../../../src/server/reduce/owned-tab.js';
import { Owners, type OwnersOptions } from '../../../src/server/reduce/owners.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { encodeParts } from '../../../src/wire/parts.js';
import { silent } from '../../simulation/silent.js';

export const bucketCount = 4;
export const baseMs = 1_700_000_000_000;
export const registry = builtinHandlers();
export const hourMs = 3_600_000;

/** Time stands still unless told; nothing runs by itself but what is waited for no time at all. */
export function stillClock(now = { ms: baseMs }): Clock & { now: { ms: number } } {
  const after = (delayMs: number, action: () => void): (() => void) => {
    if (delayMs === 0) setImmediate(action);
    return () => {};
  };
  return { now, nowMs: () => now.ms, monotonicMs: () => now.ms, after, soon: setImmediate };
}

export function newOwners(options: Partial<OwnersOptions> = {}): Owners {
  return new Owners({
    ...{ store: openMemoryStore({ bucketCount }), registry, clock: stillClock(), log: silent, ownerId: 'me' },
    ...{ limits: { maxTabs: 10, maxClients: 10, allowedSkewSec: 10 }, checkpointIntervalMs: 1000 },
    ...{ pruneClientSec: 48 * 3600, pruneTabSec: 30 * 24 * 3600, backoffMs: () => 0 },
    ...options,
  });
}

export async function begin(options: Partial<OwnersOptions> = {}): Promise<Owners> {
  const owners = newOwners(options);
  await owners.start();
  return owners;
}

export interface Given {
  readonly tab?: string;
  readonly client?: string;
  readonly type?: string;
  readonly value?: unknown;
  readonly seq?: number;
  readonly producer?: string;
  readonly timestampSec?: number;
  readonly birthMs?: number;
}

export function block(given: Given = {}, by: HandlerRegistry = registry): Block {
  const { tab = 'a', client = 'c', type = 'TotalsCounter', value = 1, seq = 1, producer = 'p' } = given;
  const { timestampSec = baseMs / 1000, birthMs = baseMs } = given;
  const parts = new PartMap(by);
  const parsed = by.get(type)!.parse(value);
  parts.fold(tab as TabName, type as TabType, client as ClientId, parsed, { timestampSec, sequence: 0 });
  return {
    ...{
      bucket: bucketOf(tab as TabName, bucketCount),
      producer: producer as ProducerId,
      seq: seq as Seq,
      birthMs,
    },
    ...{ sealedAtMs: baseMs, events: parts.events, payload: encodeParts(parts, by) },
  };
}

/** The tab among those that the owners can show, or undefined. */
export function ownedTab(owners: Owners, tab: string): OwnedTab | undefined {
  return owners.reading.bucket(bucketOf(tab as TabName, owners.bucketCount))?.tab(tab as TabName);
}

/** Looks at a tab as a query does. @returns whether it was there, and its bucket stayed */
export async function viewTab(
  owners: Owners,
  tab: string,
  whose: Whose,
  look: (states: TabStates) => void,
): Promise<boolean> {
  const owned = ownedTab(owners, tab);
  const view = owners.reading.bucket(bucketOf(tab as TabName, owners.bucketCount));
  if (owned === undefined || view === undefined) return false;
  return view.view([owned], { whose: () => whose, look, turn: { isOver: false, next: async () => {} } });
}

/** Counts of a tab by client, and under '' over all clients. */
export async function counts(owners: Owners, tab = 'a'): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const add = ({ handler, tabState, clients }: TabStates): void => {
    const count = (state: unknown): number =>
      (renderState(handler, state, 'json', { nowSec: 0 }) as { count: number }).count;
    if (tabState !== undefined) found[''] = count(tabState);
    for (const [client, state] of clients) found[client] = count(state);
  };
  await viewTab(owners, tab, 'tab', add);
  await viewTab(owners, tab, 'all clients', add);
  return found;
}
