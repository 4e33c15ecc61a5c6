import { bucketOf } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { BucketIndex, ClientId, TabName, TabType } from '../../core/ids.js';
import type { BucketOwner } from './bucket-owner.js';
import type { Capacity } from './capacity.js';
import { BucketLost } from './held-bucket.js';
import type { Holdings } from './holdings.js';
import { withStates } from './maintenance.js';
import { isClient } from './slot.js';

/** One tab at one moment. The States belong to the owner: valid within the view only, and never to be changed. */
export interface TabView {
  readonly tab: TabName;
  readonly type: TabType;
  /** The State over all clients, where the type keeps one. */
  readonly tabState: unknown;
  readonly clients: ReadonlyMap<ClientId, unknown>;
}

/** One tab at one moment, the caller's own. */
export type TabSnapshot = TabView;

export interface OwnedTab {
  readonly tab: TabName;
  readonly type: TabType;
  readonly bucket: BucketIndex;
  readonly clients: Iterable<ClientId>;
}

/** Looks at the States of the buckets that are served here. */
export class Reading {
  readonly #holdings: Holdings;
  readonly #capacity: Capacity;

  constructor(holdings: Holdings, capacity: Capacity) {
    this.#holdings = holdings;
    this.#capacity = capacity;
  }

  /** Tabs of the buckets named, or of all, as far as they are served at the moment and anything of them is applied. */
  *tabs(buckets: Iterable<BucketIndex> = this.#holdings.servedBuckets()): Iterable<OwnedTab> {
    for (const bucket of buckets) {
      const states = this.#holdings.serving(bucket)?.states;
      if (states === undefined) continue;
      for (const tabSlots of states.tabs()) {
        if (![...tabSlots.slots.values()].some(({ position }) => position > 0)) continue;
        const { tab, type } = tabSlots;
        yield { tab, type, bucket, clients: states.clientsOf(tabSlots) };
      }
    }
  }

  clients(): ClientId[] {
    return [...this.#capacity.clientIds()].sort();
  }

  /** Undefined where the tab is not known here, or its bucket is not held here. */
  typeOf(tab: TabName): TabType | undefined {
    return this.#holdings.get(bucketOf(tab, this.#holdings.bucketCount))?.states.tab(tab)?.type;
  }

  /** @throws TabaError `unavailable` when the bucket is not served at the moment */
  readTab(tab: TabName, clients: 'all' | readonly ClientId[] = 'all'): Promise<TabSnapshot | undefined> {
    return available(readTab(this.#ownerOf(tab), tab, clients));
  }

  /** Like `readTab`, without copies: `view` gets the owner's own States, for as long as it runs. */
  viewTab<T>(
    tab: TabName,
    clients: 'all' | readonly ClientId[],
    view: (tab: TabView) => T,
  ): Promise<T | undefined> {
    return available(viewTab(this.#ownerOf(tab), tab, clients, view));
  }

  #ownerOf(tab: TabName): BucketOwner {
    const bucket = bucketOf(tab, this.#holdings.bucketCount);
    const owner = this.#holdings.serving(bucket);
    if (owner !== undefined) return owner;
    throw new TabaError('unavailable', `bucket ${bucket} of tab ${tab} is not served at the moment`);
  }
}

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TabaError || !(error instanceof BucketLost)) throw error;
    throw new TabaError('unavailable', error.message);
  }
}

/**
 * Looks at a tab when everything that was taken before is applied: what is seen is durable (R2).
 *
 * @param whose clients whose States are needed: all, none (`[]`), or some
 * @returns undefined when there is no such tab
 */
export async function viewTab<T>(
  owner: BucketOwner,
  tab: TabName,
  whose: 'all' | readonly ClientId[],
  view: (tab: TabView) => T,
): Promise<T | undefined> {
  // Behind what is under way, so that the index has it.
  await owner.exclusively(async () => {});
  const tabSlots = owner.states.tab(tab);
  if (tabSlots === undefined) return undefined;
  const wanted = whose === 'all' ? undefined : new Set(whose);
  const slots = [...tabSlots.slots.values()].filter(({ owner: id, position }) => {
    if (position === 0) return false;
    return id === '' || (isClient(id) && (wanted === undefined || wanted.has(id)));
  });
  if (![...tabSlots.slots.values()].some(({ position }) => position > 0)) return undefined;
  let result: T | undefined;
  await withStates(owner, slots, () => {
    const clients = new Map<ClientId, unknown>();
    let tabState: unknown;
    for (const slot of slots) {
      if (slot.state === undefined) continue;
      if (isClient(slot.owner)) clients.set(slot.owner, slot.state);
      else tabState = slot.state;
    }
    result = view({ tab, type: tabSlots.type, tabState, clients });
  });
  return result;
}

/** The same, as copies that may outlive the moment. */
export function readTab(
  owner: BucketOwner,
  tab: TabName,
  whose: 'all' | readonly ClientId[],
): Promise<TabSnapshot | undefined> {
  return viewTab(owner, tab, whose, (view) => {
    const handler = owner.states.tab(tab)?.handler;
    if (handler === undefined) return { ...view, clients: new Map() };
    const copy = (state: unknown): unknown => {
      const copied = handler.newState();
      handler.reduce(copied, state);
      return copied;
    };
    const clients = new Map([...view.clients].map(([client, state]) => [client, copy(state)] as const));
    return { ...view, clients, tabState: view.tabState === undefined ? undefined : copy(view.tabState) };
  });
}
