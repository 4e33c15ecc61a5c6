import type { ClientId, TabName, TabType } from '../../core/ids.js';
import type { BucketOwner } from './bucket-owner.js';
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
