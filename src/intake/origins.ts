import type { ClientId, TabName } from '../core/ids.js';

const none = -1;

/**
 * Which items of a body went into which (tab, client). Costs four bytes per item; the items of a pair are looked for
 * only when a pair is rejected, which is rare.
 */
export class Origins {
  /** By item: the number of its pair times two, plus one if it was stamped ahead; or -1. */
  #pairOf = new Int32Array(64).fill(none);
  readonly #pairs = new Map<TabName, Map<ClientId, number>>();
  #pairCount = 0;
  #itemCount = 0;
  #lastTab: TabName | undefined;
  #lastClient: ClientId | undefined;
  #lastPair = 0;
  #takenAhead = 0;

  /** How many of the items that were taken out had been stamped ahead. */
  get takenAhead(): number {
    return this.#takenAhead;
  }

  /** @param index above that of every item before */
  add(index: number, tab: TabName, client: ClientId, ahead: boolean): void {
    if (tab !== this.#lastTab || client !== this.#lastClient) {
      this.#lastPair = this.#pair(tab, client);
      this.#lastTab = tab;
      this.#lastClient = client;
    }
    if (index >= this.#pairOf.length) this.#grow(index + 1);
    this.#pairOf[index] = this.#lastPair * 2 + (ahead ? 1 : 0);
    this.#itemCount = index + 1;
  }

  /**
   * Takes the items of (tab, client) out: asked again, there are none. An empty client stands for all of the tab.
   * @returns their indices, ascending
   */
  take(tab: string, client: string): number[] {
    const clients = this.#pairs.get(tab as TabName);
    if (clients === undefined) return [];
    const wanted = new Set(client === '' ? clients.values() : [clients.get(client as ClientId)]);
    const indices: number[] = [];
    for (let index = 0; index < this.#itemCount; index++) {
      const entry = this.#pairOf[index]!;
      if (entry === none || !wanted.has(entry >> 1)) continue;
      indices.push(index);
      this.#takenAhead += entry & 1;
      this.#pairOf[index] = none;
    }
    return indices;
  }

  #pair(tab: TabName, client: ClientId): number {
    const clients = this.#pairs.get(tab) ?? new Map<ClientId, number>();
    this.#pairs.set(tab, clients);
    const pair = clients.get(client) ?? this.#pairCount++;
    clients.set(client, pair);
    return pair;
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, this.#pairOf.length * 2)).fill(none, this.#pairOf.length);
    grown.set(this.#pairOf);
    this.#pairOf = grown;
  }
}
