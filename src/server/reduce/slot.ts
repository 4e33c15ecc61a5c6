import { ByOwner } from '../../core/by-owner.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { ClientId, Position, TabName, TabType } from '../../core/ids.js';
import type { Place } from './small-states.js';

/**
 * Whose State it is: a client's; `''` for the tab over all clients; `departed` for what pruned clients contributed, so
 * that the State over all clients can be made again from the others (`recompute`). `%` cannot occur in a client id.
 */
export type SlotOwner = ClientId | '' | typeof departed;
export const departed = '%departed' as ClientId;

const usedMark = 1;
const listedMark = 2;
const onePin = 4;

/** One State of a bucket: in memory, or only in the store. There are very many: each field costs. */
export class Slot {
  readonly tabSlots: TabSlots;
  readonly owner: SlotOwner;
  /**
   * Undefined while it is only in the store, or does not exist yet (`position` and `storedPosition` 0); a number where it lies encoded among
   * the small ones. For `StateMemory` alone.
   */
  kept: object | Place | undefined = undefined;
  /** Position of the last journal entry that the State contains. */
  position = 0 as Position;
  /** Position of its page in the store; 0 for none. */
  storedPosition = 0 as Position;
  /** First entry that the State contains and its page does not (R6); 0 when the page has everything. */
  dirtyFrom = 0 as Position;
  /** The same, counted from the snapshot that is being written; undefined when none is. */
  dirtySinceSnapshot: Position | undefined = undefined;
  /** Whether `usedMark` and `listedMark` are set; above them, how often it is pinned. */
  #marks = 0;

  constructor(tabSlots: TabSlots, owner: SlotOwner) {
    this.tabSlots = tabSlots;
    this.owner = owner;
  }

  /** Used since the eviction's hand last passed. */
  get isUsed(): boolean {
    return (this.#marks & usedMark) !== 0;
  }

  set isUsed(used: boolean) {
    this.#marks = used ? this.#marks | usedMark : this.#marks & ~usedMark;
  }

  /** Whether it is on the list of those that may be dirty. For `States` alone. */
  get isListed(): boolean {
    return (this.#marks & listedMark) !== 0;
  }

  set isListed(listed: boolean) {
    this.#marks = listed ? this.#marks | listedMark : this.#marks & ~listedMark;
  }

  /** Not to be evicted now: something is about to use it. */
  get isPinned(): boolean {
    return this.#marks >= onePin;
  }

  pin(): void {
    this.#marks += onePin;
  }

  unpin(): void {
    this.#marks -= onePin;
  }

  get isInMemory(): boolean {
    return this.kept !== undefined;
  }

  /** Whether it is in the store only. */
  get isCold(): boolean {
    return this.kept === undefined && this.storedPosition > 0;
  }

  get tab(): TabName {
    return this.tabSlots.tab;
  }

  get type(): TabType {
    return this.tabSlots.type;
  }
}

/** The States of one tab. */
export class TabSlots extends ByOwner<Slot> {
  readonly tab: TabName;
  readonly type: TabType;
  /** Undefined when no such Handler is loaded here: the pages are kept, and not touched. */
  readonly handler: Handler | undefined;

  constructor(tab: TabName, type: TabType, handler: Handler | undefined) {
    super();
    this.tab = tab;
    this.type = type;
    this.handler = handler;
  }
}

export function isClient(owner: SlotOwner): owner is ClientId {
  return owner !== '' && owner !== departed;
}
