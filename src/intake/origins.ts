import type { TabType } from '../core/ids.js';
import type { KnownPair } from './known-pairs.js';

const none = -1;

/**
 * Which items of a body went into which (tab, client). Costs four bytes per item; the items of a pair are looked for
 * only when a pair is rejected, which is rare.
 */
export class Origins {
  /** By item: the number of its pair times two, plus one if it was stamped ahead; or -1. */
  #pairOf = new Int32Array(64).fill(none);
  readonly #pairs: KnownPair[] = [];
  readonly #types: TabType[] = [];
  /** Made when somebody asks, which is rare. */
  #byTab: Map<string, number[]> | undefined;
  #itemCount = 0;
  #takenAhead = 0;

  /** How many of the items that were taken out had been stamped ahead. */
  get takenAhead(): number {
    return this.#takenAhead;
  }

  /** By their numbers, in the order in which they came. */
  get pairs(): readonly KnownPair[] {
    return this.#pairs;
  }

  /** Their types, likewise. */
  get types(): readonly TabType[] {
    return this.#types;
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

  /** The same for `count` items from `index` on, none of them ahead. */
  addRun(index: number, count: number, number: number): void {
    const end = index + count;
    if (end > this.#pairOf.length) this.#grow(end);
    for (let at = index; at < end; at++) this.#pairOf[at] = number * 2;
    this.#itemCount = end;
  }

  /** The numbers of (tab, client); an empty client stands for all of the tab. */
  numbersOf(tab: string, client: string): readonly number[] {
    this.#byTab ??= numbersByTab(this.#pairs);
    const numbers = this.#byTab.get(tab) ?? [];
    return client === '' ? numbers : numbers.filter((number) => this.#pairs[number]!.client === client);
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

  /** Gives the next number to a pair that has none yet. @param type the same for all pairs of a tab */
  enter(pair: KnownPair, type: TabType): number {
    this.#byTab = undefined;
    this.#types.push(type);
    return this.#pairs.push(pair) - 1;
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, this.#pairOf.length * 4)).fill(none, this.#pairOf.length);
    grown.set(this.#pairOf);
    this.#pairOf = grown;
  }
}

function numbersByTab(pairs: readonly KnownPair[]): Map<string, number[]> {
  const byTab = new Map<string, number[]>();
  for (const [number, { tab }] of pairs.entries()) {
    const numbers = byTab.get(tab);
    if (numbers === undefined) byTab.set(tab, [number]);
    else numbers.push(number);
  }
  return byTab;
}
