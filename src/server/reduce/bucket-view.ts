import { TabaError } from '../../core/errors.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { BucketIndex, ClientId, TabName } from '../../core/ids.js';
import { decodeState } from '../../wire/state.js';
import type { BucketOwner } from './bucket-owner.js';
import { chunks, withStates } from './maintenance.js';
import { OwnedTab, type Whose } from './owned-tab.js';
import { isClient, type Slot, type TabSlots } from './slot.js';
import type { States } from './states.js';

/** States of one tab at one moment, some of them `EncodedState`s. They belong to the owner: valid within the look only, and never to be changed. */
export interface TabStates {
  readonly tab: OwnedTab;
  readonly handler: Handler;
  /** The State over all clients, where that was asked for and there is one. */
  readonly tabState: unknown;
  readonly clients: ReadonlyMap<ClientId, unknown>;
}

export interface Look {
  whose(tab: OwnedTab): Whose;
  look(states: TabStates): void;
  /** Slices that let others run. */
  readonly turn: { readonly isOver: boolean; next(): Promise<void> };
}

/** States that are read from the store in one go. */
const slotsPerRead = 256;
/** States that are looked at in one step: less than a millisecond, unless they are large. */
const slotsAtOnce = 64;

/**
 * What one bucket holds, for reading, for as long as the hold on it lasts that there was in the beginning.
 *
 * What is looked at is durable (R2): a State contains an entry only once that is durable. It need not wait for its turn
 * among what changes the States, since each change is one step, and so is each look. A State that lies only in the store
 * is read from there, and kept in memory only where there is room: a query must not drive out what events need.
 */
export class BucketView {
  readonly #owner: BucketOwner;
  /** Made anew with every hold. */
  readonly #states: States;

  constructor(owner: BucketOwner) {
    this.#owner = owner;
    this.#states = owner.states;
  }

  get bucket(): BucketIndex {
    return this.#owner.bucket;
  }

  /** Whether the hold still lasts: otherwise what was seen of the bucket may be a part of it, and counts for nothing. */
  get isValid(): boolean {
    return this.#owner.state === 'serving' && this.#owner.states === this.#states;
  }

  *tabs(): IterableIterator<OwnedTab> {
    for (const tabSlots of this.#states.tabs()) {
      const tab = OwnedTab.of(tabSlots);
      if (tab !== undefined) yield tab;
    }
  }

  /** What there is of all tabs, for choosing by name; those of which nothing is applied yet are among them, see `OwnedTab.of`. */
  named(): Iterable<TabSlots> {
    return this.#states.tabs();
  }

  tab(name: TabName): OwnedTab | undefined {
    return OwnedTab.of(this.#states.tab(name));
  }

  /**
   * Looks at tabs of this view in one step: others do not run meanwhile, so that the bucket is not lost on the way.
   *
   * @returns false, and has looked at none, where a State is not in memory, or there are too many for one step
   * @throws TabaError `unknown_type`, as `view` does
   */
  viewAtOnce(tabs: Iterable<OwnedTab>, { whose, look }: Omit<Look, 'turn'>): boolean {
    if (!this.isValid) return false;
    const all: TabStates[] = [];
    let slots = 0;
    for (const tab of tabs) {
      const wanted = { tab, handler: handlerOf(tab), slots: tab.slots(whose(tab)) };
      slots += wanted.slots.length;
      const states = slots > slotsAtOnce ? undefined : statesOf(this.#states, wanted);
      if (states === undefined) return false;
      all.push(states);
    }
    for (const states of all) look(states);
    return true;
  }

  /**
   * Looks at tabs of this view, in any order. Of those that were removed meanwhile, nothing is seen.
   *
   * @returns whether the hold lasted to the end
   * @throws TabaError `unknown_type` for a tab without a Handler: nothing is left out without a word
   */
  async view(tabs: Iterable<OwnedTab>, { whose, look, turn }: Look): Promise<boolean> {
    let cold: TabSlotsLook[] = [];
    let slots = 0;
    for (const tab of tabs) {
      const wanted = { tab, handler: handlerOf(tab), slots: tab.slots(whose(tab)) };
      const states = statesOf(this.#states, wanted);
      if (states !== undefined) {
        look(states);
      } else {
        cold.push(wanted);
        slots += wanted.slots.length;
      }
      if (slots >= slotsPerRead) {
        if (!(await this.#viewCold(cold, look))) return false;
        cold = [];
        slots = 0;
      }
      if (turn.isOver) {
        await turn.next();
        if (!this.isValid) return false;
      }
    }
    return cold.length > 0 ? this.#viewCold(cold, look) : true;
  }

  async #viewCold(tabs: readonly TabSlotsLook[], look: Look['look']): Promise<boolean> {
    try {
      const read = new Map<Slot, ReadState>();
      const cold = tabs.flatMap(({ slots }) => slots.filter(({ isInMemory }) => !isInMemory));
      for (const slots of chunks(cold, slotsPerRead)) await this.#read(slots, read);
      for (const wanted of tabs) {
        const states = statesOf(this.#states, wanted, read);
        if (states !== undefined) look(states);
        else await this.#viewLoaded(wanted, look);
      }
      return this.isValid;
    } catch (error) {
      if (!this.isValid) return false;
      throw error;
    }
  }

  /** What does not decode, or is not what the index says, is left out. */
  async #read(slots: readonly Slot[], read: Map<Slot, ReadState>): Promise<void> {
    const pages = await this.#owner.readPages(slots.map(({ tab, owner }) => ({ tab, client: owner })));
    for (const [index, slot] of slots.entries()) {
      const page = pages[index];
      const { handler } = slot.tabSlots;
      if (page === undefined || handler === undefined || page.position !== slot.storedPosition) continue;
      try {
        const state = decodeState(handler, page.bytes);
        read.set(slot, { state, position: page.position });
        this.#states.adopt(slot, handler, page.bytes, state);
      } catch {
        // Loading it will keep the damaged page aside.
      }
    }
  }

  /** In turn with what changes the States: a page was damaged, or changed and left memory while it was being read. */
  async #viewLoaded(wanted: TabSlotsLook, look: Look['look']): Promise<void> {
    await withStates(this.#owner, wanted.slots, () => {
      const states = statesOf(this.#states, wanted);
      if (states !== undefined) look(states);
    });
  }
}

function handlerOf({ tab, type, handler }: OwnedTab): Handler {
  if (handler !== undefined) return handler;
  throw new TabaError('unknown_type', `${tab} is a ${type}, and no handler for that is loaded here`);
}

interface TabSlotsLook {
  readonly tab: OwnedTab;
  readonly handler: Handler;
  readonly slots: readonly Slot[];
}

/** A State as a page has it, which is not in memory. */
interface ReadState {
  readonly state: unknown;
  readonly position: number;
}

const noClients: ReadonlyMap<ClientId, unknown> = new Map();

/** @returns undefined when a State is neither in memory nor, as it is now, in `read` */
function statesOf(
  states: States,
  { tab, handler, slots }: TabSlotsLook,
  read?: ReadonlyMap<Slot, ReadState>,
): TabStates | undefined {
  let clients: Map<ClientId, unknown> | undefined;
  let tabState: unknown;
  for (const slot of slots) {
    const page = read?.get(slot);
    const state = states.asKept(slot) ?? (page?.position === slot.storedPosition ? page.state : undefined);
    if (state === undefined) return undefined;
    if (!isClient(slot.owner)) {
      tabState = state;
      continue;
    }
    clients ??= new Map();
    clients.set(slot.owner, state);
  }
  return { tab, handler, tabState, clients: clients ?? noClients };
}
