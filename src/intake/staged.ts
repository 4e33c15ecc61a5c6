import type { BlockRejection } from '../core/block.js';
import type { Rejection } from '../core/errors.js';
import { SecondColumns } from '../core/gather/second-columns.js';
import type { PartMap } from '../core/parts.js';
import type { StageContext } from './context.js';
import { faultCode, faultMessage } from './fault.js';
import type { Gathering } from './gathering.js';
import type { KnownPair } from './known-pairs.js';
import type { Origins } from './origins.js';
import type { Rejections } from './rejections.js';
import { maxStagedSeconds, nowhere, type StagedNumbers } from './staged-numbers.js';

const unknownRow = -1;
/** Where there are fewer numbers for each tab, client and second, folding them one by one costs less than columns. */
const leastOfRow = 16;
/** Numbers of the body that is being folded: there is one at a time. */
const bodyColumns = new SecondColumns({
  maxSeconds: maxStagedSeconds,
  maxCounts: 2 ** 22,
  maxSpareRows: 2 ** 14,
});

interface StagedParts {
  readonly parts: PartMap;
  readonly numbers: StagedNumbers;
  readonly rejections: Rejections;
  readonly origins: Origins;
  readonly received: number;
  readonly clamped: number;
  nextSequence(): number;
}

type Fault = Pick<Rejection, 'code' | 'message'>;
type Refusal = Pick<BlockRejection, 'tab' | 'client' | 'code' | 'message'>;

/** A body that was taken apart on its own: nothing of it counts until somebody takes `parts`, and the numbers where they are apart. */
export class Staged {
  readonly #staged: StagedParts;

  constructor(staged: StagedParts) {
    this.#staged = staged;
  }

  /** What is folded. */
  get parts(): PartMap {
    return this.#staged.parts;
  }

  get rejections(): Rejections {
    return this.#staged.rejections;
  }

  /** Items of the body. */
  get received(): number {
    return this.#staged.received;
  }

  /** Events counted at the present because they were stamped too far ahead of it. */
  get clamped(): number {
    return this.#staged.clamped - this.#staged.origins.takenAhead;
  }

  get accepted(): number {
    return this.received - this.rejections.total;
  }

  /** Those that the accepted items belong to, and others if some were rejected. */
  get pairs(): readonly KnownPair[] {
    return this.#staged.origins.pairs;
  }

  /** Turns the numbers that are apart into Parts. */
  foldNumbers(): void {
    const { numbers } = this.#staged;
    const rows = this.pairs.length * numbers.seconds.length;
    if (numbers.count < rows * leastOfRow) this.#foldEach();
    else this.#foldColumns();
  }

  #foldEach(): void {
    const { parts, numbers, origins, rejections, nextSequence } = this.#staged;
    const meta = { timestampSec: 0, sequence: 0 };
    numbers.drain((index, place, value) => {
      const number = origins.pairAt(index);
      if (number < 0) return;
      const { tab, client } = origins.pairs[number]!;
      meta.timestampSec = numbers.seconds[place]!;
      meta.sequence = nextSequence();
      try {
        parts.fold(tab, origins.types[number]!, client, value, meta);
      } catch (error) {
        rejections.add(index, faultCode(error), faultMessage(error, tab));
      }
    });
  }

  /** A Handler that throws at the numbers of a tab and client rejects all items of them. */
  #foldColumns(): void {
    const { parts, numbers, origins, nextSequence } = this.#staged;
    const { seconds } = numbers;
    const bySecond = seconds.map((second) => bodyColumns.of(second));
    numbers.drain((index, place, value) => {
      const pair = origins.pairAt(index);
      if (pair >= 0) bySecond[place]!.add(pair, value, 1);
    });
    const faults = new Map<number, Fault>();
    bodyColumns.drain((second, row, gathered) => {
      const { tab, client } = origins.pairs[row]!;
      const meta = { timestampSec: second, sequence: nextSequence() };
      try {
        parts.foldGathered(tab, origins.types[row]!, client, gathered, meta);
      } catch (error) {
        faults.set(row, { code: faultCode(error), message: faultMessage(error, tab) });
      }
    });
    this.#reject(faults);
  }

  /** Adds the numbers that are apart to those of other bodies. @param gathering the one of the context that it was staged in */
  gatherInto(gathering: Gathering): void {
    const { numbers, origins } = this.#staged;
    const bySecond = gathering.columnsOf(numbers.seconds);
    const { pairs, types } = origins;
    const rows = new Int32Array(pairs.length).fill(unknownRow);
    const { values, places, items } = numbers;
    for (let from = 0, to = 0; from < items; from = to) {
      const place = places[from]!;
      const number = origins.pairAt(from);
      to = from + 1;
      if (place === nowhere || number < 0) continue;
      while (to < items && places[to] === place && origins.pairAt(to) === number) to++;
      let row = rows[number]!;
      if (row === unknownRow) {
        row = gathering.rowOf(pairs[number]!, types[number]!);
        rows[number] = row;
      }
      bySecond[place - 1]!.addRun(row, values, from, to);
    }
    numbers.clear();
  }

  /**
   * Rejects, after the fact, what owners refused: their Parts may hold events of other bodies as well, so that only the items
   * of this one are counted. An empty client stands for all clients of the tab.
   */
  rejectLater(rejections: readonly Refusal[]): void {
    if (rejections.length === 0) return;
    const faults = new Map<number, Fault>();
    for (const { tab, client, code, message } of rejections) {
      for (const number of this.#staged.origins.numbersOf(tab, client)) faults.set(number, { code, message });
    }
    this.#rejectItems(faults);
  }

  /** Asks whether there is room for each pair; those of which something waits have theirs. */
  admit({ admits, gathering }: Pick<StageContext, 'admits' | 'gathering'>): void {
    const faults = new Map<number, Fault>();
    this.pairs.forEach((pair, number) => {
      if (gathering?.isWaiting(pair) === true) return;
      const { tab, client } = pair;
      const code = admits(tab, client);
      if (code === undefined) return;
      const what = code === 'too_many_tabs' ? 'tabs' : 'clients';
      faults.set(number, { code, message: `${tab}: the node knows as many ${what} as it is allowed to` });
    });
    this.#reject(faults);
  }

  /** Rejects all items of some pairs, by their numbers, before anybody took them. */
  #reject(faults: ReadonlyMap<number, Fault>): void {
    for (const number of faults.keys()) {
      const { tab, client } = this.pairs[number]!;
      this.parts.remove(tab, client);
    }
    this.#rejectItems(faults);
  }

  #rejectItems(faults: ReadonlyMap<number, Fault>): void {
    if (faults.size === 0) return;
    this.#staged.origins.take(faults, (index, number) => {
      const { code, message } = faults.get(number)!;
      this.rejections.add(index, code, message);
    });
  }
}
