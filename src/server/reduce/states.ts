import type { EncodedState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { Position, TabName, TabType } from '../../core/ids.js';
import type { Page, PageInfo, PageKey } from '../../storage/store.js';
import type { Capacity } from './capacity.js';
import { isClient, Slot, type SlotOwner, TabSlots } from './slot.js';
import type { StateMemory } from './state-memory.js';

/** Reads pages under the bucket's present head; rejects when the bucket was lost meanwhile. */
export type ReadPages = (keys: readonly PageKey[]) => Promise<readonly (Page | undefined)[]>;
/** A page that does not decode; what becomes of it is the owner's business. */
export type DamagedPage = (slot: Slot, bytes: Uint8Array, error: unknown) => void;

const pagesPerRead = 256;

/** The store has another page than was written last: it has lost what came after, and other States in memory have not. */
export class StoreWentBack extends Error {
  constructor({ tab, owner, storedPosition }: Slot, page: Page | undefined) {
    const found = page === undefined ? 'is gone' : `contains entry ${page.position}`;
    super(`the page of ${tab} ${owner || '*'}, which contained entry ${storedPosition}, ${found}`);
    this.name = 'StoreWentBack';
  }
}

/** The States of one bucket: an index of all of them, of which some are in memory (R6). */
export class States {
  readonly #registry: HandlerRegistry;
  readonly #capacity: Capacity;
  readonly #memory: StateMemory;
  readonly #tabs = new Map<TabName, TabSlots>();
  #slots = 0;
  /** Slots whose State is in memory. */
  #loaded = 0;
  /** Slots that contain entries which their pages do not. */
  #dirty = 0;
  /** All of these, each once, and others that have been since the list was last looked through. */
  readonly #listed: Slot[] = [];
  /** Where eviction goes on. */
  #hand: Iterator<Slot> | undefined;

  constructor(registry: HandlerRegistry, capacity: Capacity, memory: StateMemory) {
    this.#registry = registry;
    this.#capacity = capacity;
    this.#memory = memory;
  }

  get loaded(): number {
    return this.#loaded;
  }

  /** Whether a slot contains entries which its page does not. */
  get isDirty(): boolean {
    return this.#dirty > 0;
  }

  /** The slots that contain entries which their pages do not. */
  dirtySlots(): Slot[] {
    let kept = 0;
    for (const slot of this.#listed) {
      if (slot.dirtyFrom > 0) this.#listed[kept++] = slot;
      else slot.isListed = false;
    }
    this.#listed.length = kept;
    return this.#listed.slice();
  }

  tabs(): Iterable<TabSlots> {
    return this.#tabs.values();
  }

  tab(name: TabName): TabSlots | undefined {
    return this.#tabs.get(name);
  }

  /** Takes what the store has, without its content. */
  index(pages: readonly PageInfo[]): void {
    for (const { tab, client, type, position } of pages) {
      const slot = this.declare(tab, type, client);
      slot.position = position;
      slot.storedPosition = position;
    }
  }

  /** The slot of (tab, owner), made when there is none. */
  declare(tab: TabName, type: TabType, owner: SlotOwner): Slot {
    return this.declareSlot(this.declareTab(tab, type), owner);
  }

  /** The tab, made when there is none; for `declareSlot`. It keeps the type that it was first given. */
  declareTab(tab: TabName, type: TabType): TabSlots {
    let tabSlots = this.#tabs.get(tab);
    if (tabSlots === undefined) {
      tabSlots = new TabSlots(tab, type, this.#registry.get(type));
      this.#tabs.set(tab, tabSlots);
      this.#capacity.tabs++;
    }
    return tabSlots;
  }

  /** The slot of `owner` in a tab that was just declared, made when there is none. */
  declareSlot(tabSlots: TabSlots, owner: SlotOwner): Slot {
    let slot = tabSlots.get(owner);
    if (slot === undefined) {
      slot = new Slot(tabSlots, owner);
      tabSlots.set(slot);
      this.#slots++;
      this.#capacity.slots++;
      if (isClient(owner)) this.#capacity.addClient(owner);
    }
    return slot;
  }

  find(tab: TabName, owner: SlotOwner): Slot | undefined {
    return this.#tabs.get(tab)?.get(owner);
  }

  /** The State of a slot for reading only; undefined while it is not in memory. */
  stateOf(slot: Slot): unknown {
    return this.#memory.stateOf(slot);
  }

  /** The same, or an `EncodedState` where it is kept as one: good until the States are changed. */
  asKept(slot: Slot): unknown {
    return this.#memory.asKept(slot);
  }

  /** The State of a slot that is not cold, to be changed; begins one that does not exist yet. */
  writable(slot: Slot, handler: Handler): unknown {
    if (!slot.isInMemory) this.replace(slot, handler.newState());
    return this.#memory.writable(slot);
  }

  /** Puts a State in the place of whatever the slot has. */
  replace(slot: Slot, state: unknown): void {
    const isFresh = !slot.isInMemory;
    this.#memory.keep(slot, state);
    if (isFresh) this.#entered();
  }

  /**
   * Adds an encoded State to that of a slot that is not cold; begins one that does not exist yet.
   * @returns false, and has added nothing, where `writable` is needed for it
   */
  add(slot: Slot, handler: Handler, encoded: EncodedState): boolean {
    const isFresh = !slot.isInMemory;
    const isAdded = this.#memory.add(slot, handler, encoded);
    if (isAdded && isFresh) this.#entered();
    return isAdded;
  }

  /** What the page of a slot that is in memory has to hold. */
  pageOf(slot: Slot, handler: Handler): Uint8Array {
    return this.#memory.pageOf(slot, handler);
  }

  /**
   * Brings the States of `slots` into memory, those that exist, and pins them there. Slots whose Handler is not loaded here stay as they
   * are. Call `unpin` afterwards, whatever happened.
   *
   * @throws StoreWentBack: drop all States of the bucket, they are of different moments
   */
  async load(slots: readonly Slot[], readPages: ReadPages, damaged: DamagedPage): Promise<void> {
    const cold: Slot[] = [];
    for (const slot of slots) {
      slot.pin();
      slot.isUsed = true;
      if (slot.isCold && slot.tabSlots.handler !== undefined) cold.push(slot);
    }
    for (let at = 0; at < cold.length; at += pagesPerRead) {
      const chunk = cold.slice(at, at + pagesPerRead);
      const pages = await readPages(chunk.map(({ tab, owner }) => ({ tab, client: owner })));
      for (const [index, slot] of chunk.entries()) this.#receive(slot, pages[index], damaged);
    }
  }

  /** Keeps a State that was decoded from the page that the slot has now, if there is room in memory. */
  adopt(slot: Slot, handler: Handler, page: Uint8Array, state: unknown): void {
    const isPresent = this.find(slot.tab, slot.owner) === slot;
    if (!isPresent || slot.isInMemory || !this.#capacity.hasRoomForState) return;
    this.#memory.keepPage(slot, handler, page, state);
    this.#entered();
  }

  #receive(slot: Slot, page: Page | undefined, damaged: DamagedPage): void {
    const { handler } = slot.tabSlots;
    if (handler === undefined || slot.isInMemory) return;
    if (page?.position !== slot.storedPosition) throw new StoreWentBack(slot, page);
    try {
      this.#memory.keepPage(slot, handler, page.bytes);
    } catch (error) {
      damaged(slot, page.bytes, error);
      // In the place of the page, which the next checkpoint overwrites.
      this.#memory.keep(slot, handler.newState());
      this.touched(slot, slot.position);
    }
    this.#entered();
  }

  /** The State of a slot has come into memory. */
  #entered(): void {
    this.#loaded++;
    this.#capacity.states++;
  }

  unpin(slots: readonly Slot[]): void {
    for (const slot of slots) slot.unpin();
  }

  /** The State of `slot` has just come to contain the entry at `position`. */
  touched(slot: Slot, position: Position): void {
    slot.position = position;
    slot.isUsed = true;
    if (slot.dirtyFrom === 0) {
      slot.dirtyFrom = position;
      this.#dirty++;
      if (!slot.isListed) this.#listed.push(slot);
      slot.isListed = true;
    }
    if (slot.dirtySinceSnapshot === 0) slot.dirtySinceSnapshot = position;
  }

  /** A page of `slot` at `position` is durable. */
  written(slot: Slot, position: Position): void {
    const wasDirty = slot.dirtyFrom > 0;
    slot.storedPosition = position;
    slot.dirtyFrom = slot.dirtySinceSnapshot ?? (0 as Position);
    slot.dirtySinceSnapshot = undefined;
    if (wasDirty && slot.dirtyFrom === 0) this.#dirty--;
  }

  /** Drops up to `count` States that the store has in full (second chance), from memory only. @returns how many */
  evict(count: number): number {
    let evicted = 0;
    // Twice past each, and past the end.
    for (let looks = (this.#slots + 1) * 2; looks > 0 && evicted < count; looks--) {
      this.#hand ??= this.#allSlots();
      const { value: slot, done } = this.#hand.next();
      if (done === true) this.#hand = undefined;
      else if (!slot.isInMemory || slot.dirtyFrom > 0 || slot.isPinned || slot.storedPosition === 0) continue;
      else if (slot.isUsed) slot.isUsed = false;
      else {
        this.#unload(slot);
        evicted++;
      }
    }
    return evicted;
  }

  *#allSlots(): Iterator<Slot, undefined> {
    for (const tabSlots of this.#tabs.values()) yield* tabSlots;
  }

  #unload(slot: Slot): void {
    if (!slot.isInMemory) return;
    this.#memory.drop(slot);
    this.#loaded--;
    this.#capacity.states--;
  }

  /** Forgets a slot, and its tab with the last one. */
  remove(slot: Slot): void {
    this.#unload(slot);
    if (slot.dirtyFrom > 0) this.#dirty--;
    slot.dirtyFrom = 0 as Position;
    const tabSlots = this.#tabs.get(slot.tab);
    if (!tabSlots?.delete(slot.owner)) return;
    this.#slots--;
    this.#capacity.slots--;
    if (isClient(slot.owner)) this.#capacity.removeClient(slot.owner);
    if (tabSlots.size > 0) return;
    this.#tabs.delete(slot.tab);
    this.#capacity.tabs--;
  }

  /** Forgets everything. */
  clear(): void {
    for (const slots of this.#tabs.values()) {
      for (const slot of slots) {
        if (slot.isInMemory) this.#memory.drop(slot);
        if (isClient(slot.owner)) this.#capacity.removeClient(slot.owner);
      }
    }
    this.#capacity.slots -= this.#slots;
    this.#capacity.tabs -= this.#tabs.size;
    this.#capacity.states -= this.#loaded;
    this.#tabs.clear();
    this.#listed.length = 0;
    this.#hand = undefined;
    this.#slots = 0;
    this.#loaded = 0;
    this.#dirty = 0;
  }
}
