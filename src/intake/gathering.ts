import { SecondColumns } from '../core/gather/second-columns.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';
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
  readonly pairs: Map<ClientId, GatheredPair>;
  /** The round in which something of it came last. */
  round: number;
}

interface GatheredPair {
  readonly tab: GatheredTab;
  readonly client: ClientId;
  /** Its row in the columns. */
  readonly row: number;
  round: number;
}

/** With more pairs than this in mind, all are forgotten as soon as nothing waits. */
const manyPairs = 100_000;
/** Of each second: enough for some 4,000 pairs of a wide distribution, whose pages leave smaller ones behind as they grow. */
const columnCounts = 2 ** 23;

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
  readonly #pairOfRow: GatheredPair[] = [];
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
    return this.#tabs.get(tab)?.pairs.get(client)?.round === this.#round;
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

  /** The row of (tab, client), of which something is about to wait. The tab waits under no other type. */
  rowOf(tab: TabName, type: TabType, client: ClientId): number {
    let known = this.#tabs.get(tab);
    if (known === undefined || known.type !== type) {
      known = { name: tab, type, pairs: new Map(), round: 0 };
      this.#tabs.set(tab, known);
    }
    known.round = this.#round;
    let pair = known.pairs.get(client);
    if (pair === undefined) {
      pair = { tab: known, client, row: this.#pairOfRow.length, round: 0 };
      known.pairs.set(client, pair);
      this.#pairOfRow.push(pair);
    }
    if (pair.round !== this.#round) {
      pair.round = this.#round;
      this.#waitingPairs++;
    }
    return pair.row;
  }

  /** Hands over what waits. Cheap when nothing does. */
  handOver(): void {
    if (this.#waitingPairs === 0) return;
    const { registry, nextSequence, handOver } = this.#options;
    const parts = new PartMap(registry);
    this.#columns.drain((second, row, gathered) => {
      const { tab, client } = this.#pairOfRow[row]!;
      const meta = { timestampSec: second, sequence: nextSequence() };
      parts.foldGathered(tab.name, tab.type, client, gathered, meta);
    });
    this.#round++;
    this.#waitingPairs = 0;
    if (this.#pairOfRow.length > manyPairs) {
      this.#tabs.clear();
      this.#pairOfRow.length = 0;
    }
    handOver(parts);
  }
}
