import type { Handler } from '../../core/handlers/handler.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import { isClient, type Slot, type TabSlots } from './slot.js';

/** Whose States of a tab are needed: the one over all clients, where the type keeps one, or those of clients. */
export type Whose = 'tab' | 'all clients' | ReadonlySet<ClientId>;

/** A tab of which something is applied, as far as its index goes: what States there are. */
export class OwnedTab {
  readonly #tabSlots: TabSlots;

  private constructor(tabSlots: TabSlots) {
    this.#tabSlots = tabSlots;
  }

  /** Undefined for a tab of which nothing is applied yet: the index is ahead of the journal. */
  static of(tabSlots: TabSlots | undefined): OwnedTab | undefined {
    return tabSlots?.some(isApplied) ? new OwnedTab(tabSlots) : undefined;
  }

  get tab(): TabName {
    return this.#tabSlots.tab;
  }

  get type(): TabType {
    return this.#tabSlots.type;
  }

  /** Undefined when no such Handler is loaded here. */
  get handler(): Handler | undefined {
    return this.#tabSlots.handler;
  }

  /** How many States it has, or is about to have. */
  get size(): number {
    return this.#tabSlots.size;
  }

  /** Clients of which something is applied. */
  *clients(): Iterable<ClientId> {
    for (const { owner, position } of this.#tabSlots) if (position > 0 && isClient(owner)) yield owner;
  }

  has(client: ClientId): boolean {
    return (this.#tabSlots.get(client)?.position ?? 0) > 0;
  }

  /** The slots of what is needed and of which something is applied. */
  slots(whose: Whose): Slot[] {
    const tabSlots = this.#tabSlots;
    if (whose === 'tab') {
      const { total } = tabSlots;
      return total !== undefined && isApplied(total) ? [total] : [];
    }
    const slots: Slot[] = [];
    if (whose === 'all clients') {
      for (const slot of tabSlots) if (isClient(slot.owner) && isApplied(slot)) slots.push(slot);
    } else {
      for (const client of whose) {
        const slot = tabSlots.get(client);
        if (slot !== undefined && isApplied(slot)) slots.push(slot);
      }
    }
    return slots;
  }
}

function isApplied({ position }: Slot): boolean {
  return position > 0;
}
