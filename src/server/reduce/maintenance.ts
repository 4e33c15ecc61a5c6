import type { Position, TabName } from '../../core/ids.js';
import type { PageWrite } from '../../storage/store.js';
import type { BucketOwner } from './bucket-owner.js';
import { snapshot } from './checkpoint.js';
import { departed, isClient, type Slot, type TabSlots } from './slot.js';

/** States that are looked at in one go; events are applied between two goes. */
const slotsPerGo = 256;

export interface PruneOptions {
  readonly nowMs: number;
  readonly clientIdleSec: number;
  readonly tabIdleSec: number;
}

export interface Pruned {
  readonly tabs: number;
  readonly clients: number;
}

/**
 * Forgets clients and tabs to which nothing has happened for long. What a client contributed stays in the State over all
 * clients, and is kept in the page `departed` besides, so that `recompute` never lowers it.
 */
export async function prune(owner: BucketOwner, options: PruneOptions): Promise<Pruned> {
  const candidates: Slot[] = [];
  for (const slots of chunks(allSlots(owner), slotsPerGo)) {
    await withStates(owner, slots, () => {
      candidates.push(...slots.filter((slot) => isIdle(owner, slot, options)));
    });
  }
  if (candidates.length === 0) return { tabs: 0, clients: 0 };
  let tabs = 0;
  let clients = 0;
  await whenWrittenDown(owner, async () => {
    for (const [tabSlots, idle] of byTab(owner, candidates)) {
      const whole = idle.some(({ owner: whose }) => whose === '');
      const goners = whole ? [...tabSlots] : idle;
      if (whole) {
        if (await stillIdle(owner, tabSlots.total!, options)) await removeSlots(owner, goners, []);
      } else {
        clients += await pruneClients(owner, tabSlots, goners, options);
      }
      if (owner.states.tab(tabSlots.tab) === undefined) tabs++;
    }
  });
  return { tabs, clients };
}

async function pruneClients(
  owner: BucketOwner,
  { tab, type, handler }: TabSlots,
  idle: readonly Slot[],
  options: PruneOptions,
): Promise<number> {
  if (handler === undefined) return 0;
  const past = handler.tabState === 'kept' ? owner.states.declare(tab, type, departed) : undefined;
  const used = past === undefined ? idle : [...idle, past];
  try {
    await owner.load(used);
    const gone = idle.filter((slot) => isIdle(owner, slot, options));
    const kept: PageWrite[] = [];
    if (past !== undefined && gone.length > 0) {
      const into = owner.states.writable(past, handler);
      for (const slot of gone) handler.aggregate(into, owner.states.stateOf(slot), options.nowMs / 1000);
      owner.states.touched(past, owner.appliedPosition);
      const page = snapshot(owner.states, past);
      if (page !== undefined) kept.push(page);
    }
    await removeSlots(owner, gone, kept);
    if (past !== undefined && kept.length > 0) owner.states.written(past, owner.appliedPosition);
    return gone.length;
  } finally {
    owner.states.unpin(used);
  }
}

/** Deletes tabs with all that belongs to them. What comes in later makes them anew. @returns how many there were */
export async function deleteTabs(owner: BucketOwner, tabs: readonly TabName[]): Promise<number> {
  let deleted = 0;
  await whenWrittenDown(owner, async () => {
    for (const tab of tabs) {
      const tabSlots = owner.states.tab(tab);
      if (tabSlots === undefined) continue;
      await removeSlots(owner, [...tabSlots], []);
      deleted++;
    }
  });
  return deleted;
}

/** The State over all clients is made anew of those of the clients and of `departed`. @returns how many tabs */
export async function recompute(owner: BucketOwner, only?: ReadonlySet<TabName>): Promise<number> {
  let tabs = 0;
  for (const { tab } of [...owner.states.tabs()]) {
    if (only?.has(tab) === false) continue;
    await owner.exclusively(async (check) => {
      // Looked up here only: a client that came while this waited for its turn belongs in the sum as well.
      const present = owner.states.tab(tab);
      if (present?.handler?.tabState !== 'kept') return;
      const { type, handler } = present;
      const parts = [...present].filter((slot) => slot.owner !== '' && slot.position > 0);
      if (parts.length === 0) return;
      const total = owner.states.declare(tab, type, '');
      const used = [total, ...parts];
      try {
        await owner.load(used);
        check();
        const sum = handler.newState();
        const nowSec = owner.nowMs / 1000;
        for (const slot of parts) {
          if (slot.isInMemory) handler.aggregate(sum, owner.states.stateOf(slot), nowSec);
        }
        owner.states.replace(total, sum);
        owner.states.touched(total, owner.appliedPosition);
        tabs++;
      } finally {
        owner.states.unpin(used);
      }
    });
  }
  if (tabs > 0) await owner.checkpoint();
  return tabs;
}

/** Forgets producers that have been silent since `beforeMs`, and raises the horizon (R11). @returns how many */
export async function forgetProducers(owner: BucketOwner, beforeMs: number): Promise<number> {
  const { producers } = owner;
  const { producers: stale, horizonMs } = producers.stale(beforeMs);
  if (stale.length === 0) return 0;
  await owner.write((store, head) => store.forget(head, stale, horizonMs));
  producers.forgotten(stale, horizonMs, beforeMs);
  return stale.length;
}

/** Runs `action` while nothing is applied and everything is written down: a page deleted then cannot come back. */
function whenWrittenDown(owner: BucketOwner, action: () => Promise<void>): Promise<void> {
  return owner.exclusively(async (check) => {
    while (!owner.isWrittenDown) {
      // The first may have been under way already.
      await owner.checkpoint();
      check();
    }
    await action();
  });
}

async function removeSlots(
  owner: BucketOwner,
  slots: readonly Slot[],
  kept: readonly PageWrite[],
): Promise<void> {
  const position = owner.appliedPosition as Position;
  const stored = slots.filter(({ storedPosition }) => storedPosition > 0);
  const deleted = stored.map(
    ({ tab, owner: whose }) => ({ tab, client: whose, deleted: true, position }) as const,
  );
  if (kept.length + deleted.length > 0) await owner.writePages([...kept, ...deleted]);
  for (const slot of slots) owner.states.remove(slot);
  owner.declarePending();
}

/** Runs `action` with the States of `slots` in memory, those that are still there, and nothing else going on. */
export function withStates(
  owner: BucketOwner,
  slots: readonly Slot[],
  action: (nowSec: number) => void,
): Promise<void> {
  return owner.exclusively(async (check) => {
    const present = slots.filter((slot) => owner.states.find(slot.tab, slot.owner) === slot);
    try {
      await owner.load(present);
      check();
      action(owner.nowMs / 1000);
    } finally {
      owner.states.unpin(present);
    }
  });
}

function isIdle(owner: BucketOwner, slot: Slot, options: PruneOptions): boolean {
  const { nowMs, clientIdleSec, tabIdleSec } = options;
  const { handler } = slot.tabSlots;
  if (handler === undefined || !slot.isInMemory || slot.position === 0) return false;
  const idleSec = isClient(slot.owner) ? clientIdleSec : tabIdleSec;
  return handler.shouldPrune(owner.states.stateOf(slot), nowMs / 1000, idleSec);
}

async function stillIdle(owner: BucketOwner, slot: Slot, options: PruneOptions): Promise<boolean> {
  try {
    await owner.load([slot]);
    return isIdle(owner, slot, options);
  } finally {
    owner.states.unpin([slot]);
  }
}

function allSlots(owner: BucketOwner): Slot[] {
  const slots: Slot[] = [];
  for (const tabSlots of owner.states.tabs()) {
    for (const slot of tabSlots) if (slot.owner !== departed && slot.position > 0) slots.push(slot);
  }
  return slots;
}

function byTab(owner: BucketOwner, slots: readonly Slot[]): Map<TabSlots, Slot[]> {
  const groups = new Map<TabSlots, Slot[]>();
  for (const slot of slots) {
    const tabSlots = owner.states.tab(slot.tab);
    if (tabSlots?.get(slot.owner) !== slot) continue;
    const group = groups.get(tabSlots) ?? [];
    group.push(slot);
    groups.set(tabSlots, group);
  }
  return groups;
}

export function* chunks<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
