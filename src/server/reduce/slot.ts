import type { Handler } from '../../core/handlers/handler.js';
import type { ClientId, Position, TabName, TabType } from '../../core/ids.js';

/**
 * Whose State it is: a client's; `''` for the tab over all clients; `departed` for what pruned clients contributed, so
 * that the State over all clients can be made again from the others (`recompute`). `%` cannot occur in a client id.
 */
export type SlotOwner = ClientId | '' | typeof departed;
export const departed = '%departed' as ClientId;

/** One State of a bucket: in memory, or only in the store. */
export interface Slot {
  readonly tab: TabName;
  readonly type: TabType;
  readonly owner: SlotOwner;
  /** Undefined while it is only in the store, or does not exist yet (`position` and `storedPosition` 0). */
  state: unknown;
  /** Position of the last journal entry that the State contains. */
  position: Position;
  /** Position of its page in the store; 0 for none. */
  storedPosition: Position;
  /** First entry that the State contains and its page does not (R6); 0 when the page has everything. */
  dirtyFrom: Position;
  /** The same, counted from the snapshot that is being written; undefined when none is. */
  dirtySinceSnapshot: Position | undefined;
  /** Not to be evicted now: something is about to use it. */
  pins: number;
  /** Used since the eviction's hand last passed. */
  used: boolean;
}

export interface TabSlots {
  readonly tab: TabName;
  readonly type: TabType;
  /** Undefined when no such Handler is loaded here: the pages are kept, and not touched. */
  readonly handler: Handler | undefined;
  readonly slots: Map<SlotOwner, Slot>;
  /** That of `slots` which is over all clients: every Part touches it. */
  total: Slot | undefined;
}

export function newSlot(tabSlots: TabSlots, owner: SlotOwner, storedPosition: Position): Slot {
  return {
    tab: tabSlots.tab,
    type: tabSlots.type,
    owner,
    state: undefined,
    position: storedPosition,
    storedPosition,
    dirtyFrom: 0 as Position,
    dirtySinceSnapshot: undefined,
    pins: 0,
    used: false,
  };
}

export function isClient(owner: SlotOwner): owner is ClientId {
  return owner !== '' && owner !== departed;
}
