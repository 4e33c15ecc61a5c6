import { ByClient, type ReadonlyByClient } from './by-client.js';
import { ByteWriter } from './bytes.js';
import type { CumulativePoint } from './cumulative/reading.js';
import { TabaError } from './errors.js';
import { foldGathered } from './gather/fold-gathered.js';
import type { Gathered } from './gather/gathered.js';
import { decodedState, EncodedState, reduceState } from './handlers/encoded-state.js';
import type { EventMeta, Handler } from './handlers/handler.js';
import type { HandlerRegistry } from './handlers/registry.js';
import type { ClientId, TabName, TabType } from './ids.js';
import type { CoarseHistogram } from './sketch/coarse.js';

/** A State that holds only the events since the last flush. */
export interface Part {
  readonly type: TabType;
  /** The State itself, or an `EncodedState` in its place: see `decodedState`. */
  readonly state: unknown;
  /** How many events it stands for in the books: each event received counts as one, whatever its weight. */
  readonly events: number;
}

/** A Part and whose it is. */
export interface PartEntry extends Part {
  readonly tab: TabName;
  readonly client: ClientId;
}

/** A tab that two PartMaps hold under different types. */
export interface PartConflict {
  readonly tab: TabName;
  readonly type: TabType;
  readonly otherType: TabType;
}

interface Slot {
  /** As in `Part`. */
  state: unknown;
  events: number;
}

interface Tab {
  readonly name: TabName;
  readonly handler: Handler;
  readonly clients: ByClient<Slot>;
}

/** All Parts of one tab. */
export interface PartsOfTab {
  readonly name: TabName;
  readonly handler: Handler;
  readonly clients: ReadonlyByClient<Readonly<Slot>>;
}

/**
 * Parts by tab and client: what an SDK, an agent and a server gather between two flushes. Its size follows from the
 * number of different (tab, client) pairs, not from the number of events. A tab has one type; what comes under another
 * is refused and changes nothing.
 */
export class PartMap {
  readonly #registry: HandlerRegistry;
  readonly #tabs = new Map<TabName, Tab>();
  /** The tab of the last call: events come in runs of one tab. */
  #last: Tab | undefined;
  #events = 0;
  #pairs = 0;

  constructor(registry: HandlerRegistry) {
    this.#registry = registry;
  }

  get events(): number {
    return this.#events;
  }

  /** How many (tab, client) pairs it holds. */
  get pairs(): number {
    return this.#pairs;
  }

  get tabs(): number {
    return this.#tabs.size;
  }

  typeOf(tab: TabName): TabType | undefined {
    return this.#tabs.get(tab)?.handler.type;
  }

  has(tab: TabName, client: ClientId): boolean {
    return this.#tabs.get(tab)?.clients.has(client) ?? false;
  }

  /**
   * Adds one event.
   * @param value what the Handler's `parse` made of the payload
   * @param events how many it stands for in the books, where earlier ones do not matter any more (those of a gauge)
   * @throws TabaError `unknown_type`, `type_conflict`
   */
  fold(tab: TabName, type: TabType, client: ClientId, value: unknown, meta: EventMeta, events = 1): void {
    const known = this.#tab(tab, type);
    const slot = known.clients.get(client);
    if (slot !== undefined) {
      known.handler.fold(liveState(known, slot), value, meta);
      slot.events += events;
      this.#events += events;
    } else {
      const state = known.handler.newState();
      known.handler.fold(state, value, meta);
      this.#insert(known, client, state, events);
    }
  }

  /**
   * Adds numbers that were gathered before, all of one timestamp.
   * @throws TabaError `unknown_type`, `type_conflict`, `bad_value` if the type does not take them together
   */
  foldGathered(tab: TabName, type: TabType, client: ClientId, gathered: Gathered, meta: EventMeta): void {
    const known = this.#tab(tab, type);
    const { handler } = known;
    const { events } = gathered;
    const slot = known.clients.get(client);
    if (slot === undefined) {
      this.#insert(known, client, stateOfGathered(handler, gathered, meta), events);
      return;
    }
    foldGathered(handler, liveState(known, slot), gathered, meta);
    slot.events += events;
    this.#events += events;
  }

  /**
   * Adds a histogram that was made elsewhere, as `events` events.
   * @throws TabaError `unknown_type`, `type_conflict`, `bad_value` if the type takes no histograms
   */
  foldHistogram(
    tab: TabName,
    type: TabType,
    client: ClientId,
    histogram: CoarseHistogram,
    meta: EventMeta,
    events = 1,
  ): void {
    const { handler } = this.#tab(tab, type);
    if (handler.foldHistogram === undefined) {
      throw new TabaError('bad_value', `a ${type} takes no histograms`);
    }
    const state = handler.newState();
    handler.foldHistogram(state, histogram, meta);
    this.reduce(tab, type, client, state, events);
  }

  /**
   * Adds a figure that its sender adds up itself, as one event.
   * @throws TabaError `unknown_type`, `type_conflict`, `bad_value` if the type takes no such figures
   */
  foldCumulative(tab: TabName, type: TabType, client: ClientId, point: CumulativePoint): void {
    const known = this.#tab(tab, type);
    const { handler } = known;
    if (handler.foldCumulative === undefined) {
      throw new TabaError('bad_value', `a ${type} takes no cumulative figures`);
    }
    const slot = known.clients.get(client);
    const state = slot === undefined ? handler.newState() : liveState(known, slot);
    handler.foldCumulative(state, point);
    if (slot === undefined) {
      this.#insert(known, client, state, 1);
    } else {
      slot.events++;
      this.#events++;
    }
  }

  /**
   * Merges a Part. Keeps a copy: `state` stays the caller's.
   * @throws TabaError `unknown_type`, `type_conflict`
   */
  reduce(tab: TabName, type: TabType, client: ClientId, state: unknown, events: number): void {
    const known = this.#tab(tab, type);
    if (this.#reduced(known, client, state, events)) return;
    this.#insert(known, client, copyOf(known, state), events);
  }

  /**
   * Merges a Part whose `state` is this map's from now on.
   * @throws TabaError `unknown_type`, `type_conflict`
   */
  put(tab: TabName, type: TabType, client: ClientId, state: unknown, events: number): void {
    const known = this.#tab(tab, type);
    if (!this.#reduced(known, client, state, events)) this.#insert(known, client, state, events);
  }

  /** @returns false where there is no Part of this client yet */
  #reduced(tab: Tab, client: ClientId, state: unknown, events: number): boolean {
    const slot = tab.clients.get(client);
    if (slot === undefined) return false;
    reduceState(tab.handler, liveState(tab, slot), state);
    slot.events += events;
    this.#events += events;
    return true;
  }

  /**
   * Gives the Parts of every tab away: to the map that `targetOf` names, or to nobody where it names none. This map is empty
   * afterwards.
   * @throws TabaError `type_conflict` where a map holds the tab under another type, in the middle of it: ask for that before
   */
  giveAway(targetOf: (tab: PartsOfTab) => PartMap | undefined): void {
    for (const tab of this.#tabs.values()) {
      const target = targetOf(tab);
      if (target !== undefined) target.#takeOver(tab);
    }
    this.clear();
  }

  #takeOver(given: Tab): void {
    const { name, handler, clients } = given;
    const known = this.#tabs.get(name);
    if (known !== undefined && known.handler.type !== handler.type) {
      throw typeConflict(name, known.handler.type, handler.type);
    }
    if (known === undefined) {
      this.#tabs.set(name, given);
      this.#pairs += clients.size;
      for (const slot of clients.values()) this.#events += slot.events;
      return;
    }
    for (const [client, slot] of clients) {
      if (this.#reduced(known, client, slot.state, slot.events)) continue;
      known.clients.set(client, slot);
      this.#events += slot.events;
      this.#pairs++;
    }
  }

  /** A map of its own with the same Parts. */
  copy(): PartMap {
    const copy = new PartMap(this.#registry);
    copy.reduceAll(this);
    return copy;
  }

  /** Tabs that `other` holds under another type than this map. */
  conflicts(other: PartMap): PartConflict[] {
    const conflicts: PartConflict[] = [];
    for (const { name, handler } of other.#tabs.values()) {
      const type = this.typeOf(name);
      if (type !== undefined && type !== handler.type) {
        conflicts.push({ tab: name, type, otherType: handler.type });
      }
    }
    return conflicts;
  }

  /**
   * Merges all of `other`, or nothing.
   * @throws TabaError `type_conflict`, see `conflicts`
   */
  reduceAll(other: PartMap): void {
    const [conflict] = this.conflicts(other);
    if (conflict !== undefined) throw typeConflict(conflict.tab, conflict.type, conflict.otherType);
    for (const { tab, type, client, state, events } of other.entries()) {
      this.reduce(tab, type, client, state, events);
    }
  }

  /** Every tab with its Parts. The map must not change meanwhile, except by what becomes of the tab that was just given. */
  byTab(): IterableIterator<PartsOfTab> {
    return this.#tabs.values();
  }

  /** Every Part, tab by tab. The map must not change meanwhile, except by `remove` of what was just given. */
  *entries(): IterableIterator<PartEntry> {
    for (const { name, handler, clients } of this.#tabs.values()) {
      for (const [client, { state, events }] of clients) {
        yield { tab: name, type: handler.type, client, state, events };
      }
    }
  }

  /** Forgets a tab, or one client's Part of it. @returns how many events went with it */
  remove(tab: TabName, client?: ClientId): number {
    const known = this.#tabs.get(tab);
    if (known === undefined) return 0;
    let events = 0;
    for (const id of client === undefined ? [...known.clients.keys()] : [client]) {
      const slot = known.clients.get(id);
      if (slot === undefined) continue;
      known.clients.delete(id);
      events += slot.events;
      this.#pairs--;
    }
    this.#events -= events;
    if (known.clients.size === 0) this.#forget(known);
    return events;
  }

  clear(): void {
    this.#tabs.clear();
    this.#last = undefined;
    this.#events = 0;
    this.#pairs = 0;
  }

  #forget(tab: Tab): void {
    this.#tabs.delete(tab.name);
    if (this.#last === tab) this.#last = undefined;
  }

  #insert(tab: Tab, client: ClientId, state: unknown, events: number): void {
    if (tab.clients.size === 0) this.#tabs.set(tab.name, tab);
    tab.clients.set(client, { state, events });
    this.#events += events;
    this.#pairs++;
  }

  /** The tab, or a new one that `#insert` makes known: a Handler that throws must leave no empty tab behind. */
  #tab(name: TabName, type: TabType): Tab {
    const known = this.#last?.name === name ? this.#last : this.#tabs.get(name);
    if (known !== undefined) {
      if (known.handler.type !== type) throw typeConflict(name, known.handler.type, type);
      this.#last = known;
      return known;
    }
    const handler = this.#registry.get(type);
    if (handler === undefined) {
      throw new TabaError('unknown_type', `no handler for the tab type ${JSON.stringify(type)}`);
    }
    return { name, handler, clients: new ByClient() };
  }
}

/** What is written here is copied out at once. */
const gatheredWriter = new ByteWriter(1024);

/** A State with nothing else in it; still encoded where the type can do that, because most Parts are only handed on. */
function stateOfGathered(handler: Handler, gathered: Gathered, meta: EventMeta): unknown {
  if (handler.encodeGathered === undefined) {
    const state = handler.newState();
    foldGathered(handler, state, gathered, meta);
    return state;
  }
  gatheredWriter.clear();
  handler.encodeGathered(gathered, meta.timestampSec, gatheredWriter);
  return EncodedState.copyOf(gatheredWriter.peek());
}

/** The State of a slot, from now on decoded: to be changed. */
function liveState({ handler }: Tab, slot: Slot): unknown {
  slot.state = decodedState(handler, slot.state);
  return slot.state;
}

/** Encoded States do not change: nobody needs a copy of one. */
function copyOf({ handler }: Tab, state: unknown): unknown {
  if (state instanceof EncodedState) return state;
  const copy = handler.newState();
  handler.reduce(copy, state);
  return copy;
}

function typeConflict(tab: TabName, type: TabType, otherType: TabType): TabaError {
  return new TabaError('type_conflict', `${tab} is a ${type}, not a ${otherType}`);
}
