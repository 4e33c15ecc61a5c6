import type { ClientId, TabName, TabType } from '../core/ids.js';

const none = -1;

/** A tab, its type, and a client of it. */
export interface Pair {
  readonly tab: TabName;
  readonly type: TabType;
  readonly client: ClientId;
}

/**
 * Which items of a body went into which (tab, client). Costs four bytes per item; the items of a pair are looked for
 * only when a pair is rejected, which is rare.
 */
export class Origins {
  /** By item: the number of its pair times two, plus one if it was stamped ahead; or -1. */
  #pairOf = new Int32Array(64).fill(none);
  readonly #numbers = new Map<TabName, Map<ClientId, number>>();
  readonly #pairs: Pair[] = [];
  #itemCount = 0;
  #lastTab: TabName | undefined;
  #lastClient: ClientId | undefined;
  #lastPair = 0;
  #takenAhead = 0;

  /** How many of the items that were taken out had been stamped ahead. */
  get takenAhead(): number {
    return this.#takenAhead;
  }

  /** By their numbers, in the order in which they came. */
  get pairs(): readonly Pair[] {
    return this.#pairs;
  }

  /** The number of the pair that an item went into; -1 for one that went into none, or was taken out. */
  pairAt(index: number): number {
    return this.#pairOf[index]! >> 1;
  }

  /** @param index above that of every item before @param type the same for all items of a tab */
  add(index: number, tab: TabName, type: TabType, client: ClientId, ahead: boolean): void {
    if (tab !== this.#lastTab || client !== this.#lastClient) {
      this.#lastPair = this.#numberOf(tab, type, client);
      this.#lastTab = tab;
      this.#lastClient = client;
    }
    if (index >= this.#pairOf.length) this.#grow(index + 1);
    this.#pairOf[index] = this.#lastPair * 2 + (ahead ? 1 : 0);
    this.#itemCount = index + 1;
  }

  /** The numbers of (tab, client); an empty client stands for all of the tab. */
  numbersOf(tab: string, client: string): readonly number[] {
    const clients = this.#numbers.get(tab as TabName);
    if (clients === undefined) return [];
    if (client === '') return [...clients.values()];
    const number = clients.get(client as ClientId);
    return number === undefined ? [] : [number];
  }

  /** Takes the items of some pairs out, in one pass over all of them: asked again, there are none. */
  take(numbers: { has(number: number): boolean }, each: (index: number, number: number) => void): void {
    for (let index = 0; index < this.#itemCount; index++) {
      const entry = this.#pairOf[index]!;
      if (entry === none || !numbers.has(entry >> 1)) continue;
      this.#takenAhead += entry & 1;
      this.#pairOf[index] = none;
      each(index, entry >> 1);
    }
  }

  #numberOf(tab: TabName, type: TabType, client: ClientId): number {
    const clients = this.#numbers.get(tab) ?? new Map<ClientId, number>();
    this.#numbers.set(tab, clients);
    let number = clients.get(client);
    if (number === undefined) {
      number = this.#pairs.push({ tab, type, client }) - 1;
      clients.set(client, number);
    }
    return number;
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, this.#pairOf.length * 2)).fill(none, this.#pairOf.length);
    grown.set(this.#pairOf);
    this.#pairOf = grown;
  }
}
