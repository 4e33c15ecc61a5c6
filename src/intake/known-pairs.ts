import type { ClientId, TabName, TabType } from '../core/ids.js';

/** With more pairs than this in mind, all are forgotten at the next occasion. */
const manyPairs = 100_000;
/** The number of no body, and of no round. */
const never = 0;
export const noRow = -1;

/** A tab whose name was found to be good. */
export interface KnownTab {
  readonly name: TabName;
  /** For whoever stages bodies: the body that met it last, and the type that it has there, as far as that is known. */
  body: number;
  type: TabType | undefined;
  /** For whoever gathers: the round in which something of it came last, and under which type. */
  round: number;
  gatheredType: TabType | undefined;
}

/** A tab and a client of it, whose names were found to be good. */
export interface KnownPair {
  readonly tab: TabName;
  readonly client: ClientId;
  readonly known: KnownTab;
  /** For whoever stages bodies: the body that counted something of it last, and its number there. */
  body: number;
  number: number;
  /** For whoever gathers: the round in which something of it came last, and its row. */
  round: number;
  row: number;
}

/**
 * The pairs of tab and client that bodies bring again and again. Everything that would have to be looked up for each of them
 * is one look-up away, and what belongs to one body or one round alone is told by its number, so that nothing needs clearing.
 */
export class KnownPairs {
  readonly #tabs = new Map<string, KnownTab>();
  readonly #pairs = new Map<string, Map<string, KnownPair>>();
  #size = 0;
  /** The client of the last question: bodies go client by client. */
  #client: string | undefined;
  #pairsOfClient: Map<string, KnownPair> | undefined;

  tab(name: string): KnownTab | undefined {
    return this.#tabs.get(name);
  }

  find(client: string, tab: string): KnownPair | undefined {
    if (client !== this.#client) {
      this.#client = client;
      this.#pairsOfClient = this.#pairs.get(client);
    }
    return this.#pairsOfClient?.get(tab);
  }

  /** A pair that `find` does not know. */
  add(client: ClientId, tab: TabName): KnownPair {
    let known = this.#tabs.get(tab);
    if (known === undefined) {
      known = { name: tab, body: never, type: undefined, round: never, gatheredType: undefined };
      this.#tabs.set(tab, known);
    }
    const pair = { tab, client, known, body: never, number: 0, round: never, row: noRow };
    const pairs = this.#pairs.get(client) ?? new Map<string, KnownPair>();
    this.#pairs.set(client, pairs.set(tab, pair));
    this.#client = undefined;
    this.#size++;
    return pair;
  }

  /** Forgets all pairs if there are many: nobody may hold on to one. @returns whether it did */
  forgetMany(): boolean {
    if (this.#size <= manyPairs) return false;
    this.#tabs.clear();
    this.#pairs.clear();
    this.#client = undefined;
    this.#size = 0;
    return true;
  }
}
