import { SecondColumns } from '../core/gather/second-columns.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';
import type { Pair } from './origins.js';
import { maxStagedSeconds } from './staged-numbers.js';

export interface GatheringOptions {
  readonly registry: HandlerRegistry;
  /** Numbers the events of the process: orders those of one timestamp. */
  nextSequence(): number;
  /** Takes what was gathered, in full. */
  handOver(parts: PartMap): void;
}

interface GatheredTab {
  readonly name: TabName;
  readonly type: TabType;
  /** The round in which something of it came last. */
  round: number;
}

/** A pair of which something waits, or waited before. */
export interface WaitingPair extends Pair {
  readonly gathered: GatheredTab;
  /** Its row in the columns. */
  readonly row: number;
  /** The round in which something of it came last. */
  round: number;
  /** The body in which it came last, and its number there: for whoever stages bodies. */
  body: number;
  number: number;
}

/** With more pairs than this in mind, all are forgotten as soon as nothing waits. */
const manyPairs = 100_000;
/** Of each second: enough for some 4,000 pairs of a wide distribution. */
const columnCounts = 2 ** 22;

/**
 * Numbers of many bodies that were accepted, in columns by (tab, client) and second, until the next flush: a Part is made of
 * all of them instead of one for each body. What is in here has been answered for, and is lost with the process.
 */
export class Gathering {
  readonly #options: GatheringOptions;
  readonly #columns = new SecondColumns({
    maxSeconds: maxStagedSeconds,
    maxCounts: columnCounts,
    maxSpareRows: 2 * manyPairs,
  });
  readonly #tabs = new Map<TabName, GatheredTab>();
  readonly #pairs = new Map<ClientId, Map<TabName, WaitingPair>>();
  readonly #pairOfRow: WaitingPair[] = [];
  /** The client of the last question: bodies go client by client. */
  #lastClient: string | undefined;
  #pairsOfLast: Map<TabName, WaitingPair> | undefined;
  /** Goes up with every hand-over: what bears another number has nothing waiting. */
  #round = 1;
  #waitingPairs = 0;

  constructor(options: GatheringOptions) {
    this.#options = options;
  }

  /** Events that wait. */
  get waiting(): number {
    return this.#columns.events;
  }

  /** (tab, client) pairs of which something waits. */
  get pairs(): number {
    return this.#waitingPairs;
  }

  /** Whether something of (tab, client) waits. */
  holds(tab: TabName, client: ClientId): boolean {
    return this.find(client, tab) !== undefined;
  }

  /** The pair of these names, if something of it waits. */
  find(client: string, tab: string): WaitingPair | undefined {
    const pair = this.#pairsOf(client)?.get(tab as TabName);
    return pair?.round === this.#round ? pair : undefined;
  }

  /** Whether this is one that `find` gives. */
  isWaiting(pair: Pair): boolean {
    return (pair as Partial<WaitingPair>).round === this.#round;
  }

  #pairsOf(client: string): Map<TabName, WaitingPair> | undefined {
    if (client !== this.#lastClient) {
      this.#pairsOfLast = this.#pairs.get(client as ClientId);
      this.#lastClient = client;
    }
    return this.#pairsOfLast;
  }

  /** The type under which `tab` waits. */
  typeOf(tab: TabName): TabType | undefined {
    const known = this.#tabs.get(tab);
    return known?.round === this.#round ? known.type : undefined;
  }

  /** Columns for these seconds, of which there are few enough; by the rows that `rowOf` gives until the next hand-over. */
  columnsOf(seconds: readonly number[]): ReturnType<SecondColumns['of']>[] {
    if (!this.#columns.fits(seconds)) this.handOver();
    return seconds.map((second) => this.#columns.of(second));
  }

  /** The row of a pair, of which something is about to wait. Its tab waits under no other type. */
  rowOf(pair: Pair): number {
    const known = this.#known(pair);
    if (known.round !== this.#round) {
      known.round = this.#round;
      known.gathered.round = this.#round;
      this.#waitingPairs++;
    }
    return known.row;
  }

  #known(pair: Pair): WaitingPair {
    const { tab, type, client } = pair;
    const { row } = pair as Partial<WaitingPair>;
    const own = row === undefined ? this.#pairsOf(client)?.get(tab) : this.#pairOfRow[row];
    if (own?.tab === tab && own.client === client && own.type === type) return own;
    let gathered = this.#tabs.get(tab);
    if (gathered?.type !== type) {
      gathered = { name: tab, type, round: 0 };
      this.#tabs.set(tab, gathered);
    }
    const known = { tab, type, client, gathered, row: this.#pairOfRow.length, round: 0, body: 0, number: 0 };
    this.#pairOfRow.push(known);
    const pairs = this.#pairs.get(client) ?? new Map<TabName, WaitingPair>();
    this.#pairs.set(client, pairs.set(tab, known));
    this.#lastClient = undefined;
    return known;
  }

  /** Hands over what waits. Cheap when nothing does. */
  handOver(): void {
    if (this.#waitingPairs === 0) return;
    const { registry, nextSequence, handOver } = this.#options;
    const parts = new PartMap(registry);
    this.#columns.drain((second, row, gathered) => {
      const { tab, type, client } = this.#pairOfRow[row]!;
      const meta = { timestampSec: second, sequence: nextSequence() };
      parts.foldGathered(tab, type, client, gathered, meta);
    });
    this.#round++;
    this.#waitingPairs = 0;
    if (this.#pairOfRow.length > manyPairs) {
      this.#tabs.clear();
      this.#pairs.clear();
      this.#pairOfRow.length = 0;
      this.#lastClient = undefined;
    }
    handOver(parts);
  }
}
