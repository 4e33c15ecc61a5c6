import { EncodedState } from '../../core/handlers/encoded-state.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabType } from '../../core/ids.js';
import type { PartEntry } from '../../core/parts.js';
import { decodePart, examinePart, type PartRecord } from '../../wire/parts.js';
import type { Slot, TabSlots } from './slot.js';
import type { States } from './states.js';

/**
 * Parts that will be applied, with their places in the index: in columns, since thousands of them wait for the journal at the same
 * time, and what is an object of its own is copied twice by the garbage collector meanwhile.
 */
export class AdmittedParts implements Iterable<PartEntry> {
  readonly #payload: Uint8Array;
  #length = 0;
  readonly #tabs: TabSlots[];
  readonly #slots: Slot[];
  /** Of the Parts: a tab that was made anew meanwhile may have another. */
  readonly #types: TabType[];
  readonly #events: number[];
  /** Where the bytes of those that are still encoded lie in the payload, and the second of their newest event. */
  readonly #starts: number[];
  readonly #ends: number[];
  readonly #newestSecs: number[];
  /** States of those that are not, by index. */
  #decoded: Map<number, unknown> | undefined;

  /** @param payload which the Parts are of; it must not change @param room for how many of them, at most */
  constructor(payload: Uint8Array, room: number) {
    this.#payload = payload;
    // Arrays that grow take up far more than the few Parts that most Blocks have.
    this.#tabs = new Array(room);
    this.#slots = new Array(room);
    this.#types = new Array(room);
    this.#events = new Array(room);
    this.#starts = new Array(room);
    this.#ends = new Array(room);
    this.#newestSecs = new Array(room);
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds a Part, and makes its places in the index.
   * @param known its tab, where there is one already @returns its tab
   * @throws whatever the Handler throws at it: it cannot be applied, and nothing was added or made
   */
  add(record: PartRecord, registry: HandlerRegistry, states: States, known?: TabSlots): TabSlots {
    const newestSec = examinePart(record, registry);
    const at = this.#length;
    if (newestSec === undefined) {
      this.#decoded ??= new Map();
      this.#decoded.set(at, decodePart(record, registry));
    }
    const { tab, type, client, events, start, end } = record;
    const tabSlots = known ?? states.declareTab(tab, type);
    this.#tabs[at] = tabSlots;
    this.#slots[at] = declareSlots(states, tabSlots, client);
    this.#types[at] = type;
    this.#events[at] = events;
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.#newestSecs[at] = newestSec ?? 0;
    this.#length = at + 1;
    return tabSlots;
  }

  /** Finds the places anew, after something was removed from the index. */
  declareAgain(states: States): void {
    for (let index = 0; index < this.length; index++) {
      const { tab, owner } = this.#slots[index]!;
      const tabSlots = states.declareTab(tab, this.#types[index]!);
      this.#tabs[index] = tabSlots;
      this.#slots[index] = declareSlots(states, tabSlots, owner as ClientId);
    }
  }

  tabOf(index: number): TabSlots {
    return this.#tabs[index]!;
  }

  /** The State of the Part's client. */
  slotOf(index: number): Slot {
    return this.#slots[index]!;
  }

  /** The State over all clients, where that is kept. */
  totalOf(index: number): Slot | undefined {
    const { handler, total } = this.#tabs[index]!;
    return handler?.tabState === 'kept' ? total : undefined;
  }

  typeOf(index: number): TabType {
    return this.#types[index]!;
  }

  eventsOf(index: number): number {
    return this.#events[index]!;
  }

  /** The State of the Part itself, or an `EncodedState` in its place. */
  stateOf(index: number): unknown {
    if (this.#decoded?.has(index)) return this.#decoded.get(index);
    return new EncodedState(
      this.#payload,
      this.#starts[index]!,
      this.#ends[index]!,
      this.#newestSecs[index]!,
    );
  }

  at(index: number): PartEntry {
    const { tab, owner } = this.#slots[index]!;
    return {
      ...{ tab, type: this.#types[index]!, client: owner as ClientId },
      ...{ state: this.stateOf(index), events: this.#events[index]! },
    };
  }

  *[Symbol.iterator](): IterableIterator<PartEntry> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }
}

/** Gives the States that a Part touches their places. @returns that of its client; that over all clients is `TabSlots.total` */
function declareSlots(states: States, tabSlots: TabSlots, client: ClientId): Slot {
  if (tabSlots.total === undefined && tabSlots.handler?.tabState === 'kept') states.declareSlot(tabSlots, '');
  return states.declareSlot(tabSlots, client);
}
