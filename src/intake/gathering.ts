import type { ErrorCode } from '../core/errors.js';
import { SecondColumns } from '../core/gather/second-columns.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';
import { faultCode, faultMessage } from './fault.js';
import { type KnownPair, KnownPairs, type KnownTab, noRow } from './known-pairs.js';
import { maxStagedSeconds } from './staged-numbers.js';

export interface GatheringOptions {
  readonly registry: HandlerRegistry;
  /** Numbers the events of the process: orders those of one timestamp. */
  nextSequence(): number;
  /** Takes what was gathered, in full. */
  handOver(parts: PartMap): void;
  /** Hears of events that were answered for and do not count after all: their Handler threw at them. */
  refuse(events: number, code: ErrorCode, message: string): void;
}

/** Of each second: enough for some 4,000 pairs of a wide distribution, whose pages leave smaller ones behind as they grow. */
const columnCounts = 2 ** 23;
/** Columns of more rows are not kept for another second. */
const maxSpareRows = 200_000;

/**
 * Numbers of many bodies that were accepted, in columns by (tab, client) and second, until the next flush: a Part is made of
 * all of them instead of one for each body. What is in here has been answered for, and is lost with the process.
 */
export class Gathering {
  /** Those that bodies name. */
  readonly known = new KnownPairs();
  readonly #options: GatheringOptions;
  readonly #columns = new SecondColumns({
    maxSeconds: maxStagedSeconds,
    maxCounts: columnCounts,
    maxSpareRows,
  });
  readonly #pairOfRow: KnownPair[] = [];
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
    return this.known.find(client, tab)?.round === this.#round;
  }

  /** Whether something of a pair waits. */
  isWaiting({ round }: KnownPair): boolean {
    return round === this.#round;
  }

  /** The type under which `tab` waits. */
  typeOf(tab: TabName): TabType | undefined {
    const known = this.known.tab(tab);
    return known === undefined ? undefined : this.typeOfKnown(known);
  }

  typeOfKnown({ round, gatheredType }: KnownTab): TabType | undefined {
    return round === this.#round ? gatheredType : undefined;
  }

  /** Columns for these seconds, of which there are few enough; by the rows that `rowOf` gives until the next hand-over. */
  columnsOf(seconds: readonly number[]): ReturnType<SecondColumns['of']>[] {
    if (!this.#columns.fits(seconds)) this.#drain();
    return seconds.map((second) => this.#columns.of(second));
  }

  /** The row of a pair, of which something is about to wait. Its tab waits under no other type. */
  rowOf(pair: KnownPair, type: TabType): number {
    if (pair.row === noRow) pair.row = this.#pairOfRow.push(pair) - 1;
    if (pair.round !== this.#round) {
      pair.round = this.#round;
      pair.known.round = this.#round;
      pair.known.gatheredType = type;
      this.#waitingPairs++;
    }
    return pair.row;
  }

  /** Hands over what waits. Cheap when nothing does. Not for the middle of a body: see `KnownPairs.forgetMany`. */
  handOver(): void {
    this.#drain();
    if (this.known.forgetMany()) this.#pairOfRow.length = 0;
  }

  #drain(): void {
    const { registry, nextSequence, handOver, refuse } = this.#options;
    const parts = new PartMap(registry);
    // Also where nothing waits: there may be seconds of which all was rejected.
    this.#columns.drain((second, row, gathered) => {
      const { tab, client, known } = this.#pairOfRow[row]!;
      const meta = { timestampSec: second, sequence: nextSequence() };
      try {
        parts.foldGathered(tab, known.gatheredType!, client, gathered, meta);
      } catch (error) {
        refuse(gathered.events, faultCode(error), faultMessage(error, tab));
      }
    });
    if (this.#waitingPairs === 0) return;
    this.#round++;
    this.#waitingPairs = 0;
    if (parts.pairs > 0) handOver(parts);
  }
}
