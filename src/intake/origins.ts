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
  /** Of pairs that were looked for by their names. */
  readonly #numbers = new Map<ClientId, Map<TabName, number>>();
  readonly #pairs: Pair[] = [];
  #itemCount = 0;
  #lastClient: ClientId | undefined;
  #numbersOfLast: Map<TabName, number> | undefined;
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

  /** @param index above that of every item before @param number of the pair that it goes into */
  add(index: number, number: number, ahead: boolean): void {
    if (index >= this.#pairOf.length) this.#grow(index + 1);
    this.#pairOf[index] = number * 2 + (ahead ? 1 : 0);
    this.#itemCount = index + 1;
  }

  /** The numbers of (tab, client); an empty client stands for all of the tab. Looks at all pairs. */
  numbersOf(tab: string, client: string): readonly number[] {
    return this.#pairs.flatMap((pair, number) =>
      pair.tab === tab && (client === '' || pair.client === client) ? [number] : [],
    );
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

  /** The number of a pair, by its names. @param type the same for all items of a tab */
  numberOf(tab: TabName, type: TabType, client: ClientId): number {
    const numbers = this.#numbersOf(client);
    let number = numbers.get(tab);
    if (number === undefined) {
      number = this.enter({ tab, type, client });
      numbers.set(tab, number);
    }
    return number;
  }

  #numbersOf(client: ClientId): Map<TabName, number> {
    if (client !== this.#lastClient || this.#numbersOfLast === undefined) {
      this.#lastClient = client;
      this.#numbersOfLast = this.#numbers.get(client) ?? new Map<TabName, number>();
      this.#numbers.set(client, this.#numbersOfLast);
    }
    return this.#numbersOfLast;
  }

  /** Gives a number to a pair that has none yet. */
  enter(pair: Pair): number {
    return this.#pairs.push(pair) - 1;
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, this.#pairOf.length * 2)).fill(none, this.#pairOf.length);
    grown.set(this.#pairOf);
    this.#pairOf = grown;
  }
}
