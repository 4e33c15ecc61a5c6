import type { BlockRejection } from '../../core/block.js';
import type { Rejection } from '../../core/errors.js';
import { SecondColumns } from '../../core/gather/second-columns.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import type { PartMap } from '../../core/parts.js';
import { faultCode, faultMessage } from '../fault.js';
import type { Gathering } from '../gathering.js';
import type { Rejections } from '../rejections.js';
import { maxStagedSeconds } from '../staged-numbers.js';

/** Of a group without a pair: its events are rejected, or there are none. */
export const none = -1;
/** The place of a second for which there is no place any more. */
export const overflow = -1;

/** Whose events a group holds. */
export interface RawPair {
  readonly tab: TabName;
  readonly type: TabType;
  readonly client: ClientId;
}

interface Columns {
  readonly counts: Uint32Array;
  /** NaN where an event does not count. */
  readonly values: Float64Array;
  /** By group: the number of its pair, the place of its second in `seconds`, and the second itself. */
  readonly pairOf: Int32Array;
  readonly placeOf: Int8Array;
  readonly secondOf: Float64Array;
  /** By group: how many of its events were stamped too far ahead. */
  readonly aheadOf: Uint32Array;
  readonly seconds: readonly number[];
  readonly pairs: readonly RawPair[];
  readonly rejections: Rejections;
  /** Gets what is folded. */
  readonly parts: PartMap;
  nextSequence(): number;
}

type Fault = Pick<Rejection, 'code' | 'message'>;

/** Numbers of the frame that is being folded: there is one at a time. */
const frameColumns = new SecondColumns({
  maxSeconds: maxStagedSeconds,
  maxCounts: 2 ** 22,
  maxSpareRows: 2 ** 14,
});

/** A frame of events that was checked on its own: nothing of it counts until somebody takes the columns, or `parts`. */
export class StagedColumns {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  /** What is folded. */
  get parts(): PartMap {
    return this.#columns.parts;
  }

  get pairs(): readonly RawPair[] {
    return this.#columns.pairs;
  }

  get rejections(): Rejections {
    return this.#columns.rejections;
  }

  get received(): number {
    return this.#columns.values.length;
  }

  get accepted(): number {
    return this.received - this.rejections.total;
  }

  /** Events stamped too far ahead, which count at the present. */
  get clamped(): number {
    return this.#columns.aheadOf.reduce((sum, events) => sum + events, 0);
  }

  /** Adds the events to those of other bodies. Of more seconds than columns are kept for, the further ones are folded. */
  gatherInto(gathering: Gathering): void {
    const { values, pairs, placeOf, seconds } = this.#columns;
    const bySecond = gathering.columnsOf(seconds);
    this.#eachGroup((group, pair, start, end) => {
      if (placeOf[group] === overflow) {
        this.#foldEach(group, pair, start, end);
        return;
      }
      const { tab, type, client } = pairs[pair]!;
      const known = gathering.known.find(client, tab) ?? gathering.known.add(client, tab);
      const row = gathering.rowOf(known, type);
      bySecond[placeOf[group]!]!.addRun(row, values, start, end);
    });
  }

  /** Turns the events into Parts. A Handler that throws at the numbers of a tab rejects all events of it. */
  fold(): void {
    const { values, parts, pairs, placeOf, seconds, nextSequence } = this.#columns;
    const bySecond = seconds.map((second) => frameColumns.of(second));
    this.#eachGroup((group, pair, start, end) => {
      if (placeOf[group] === overflow) this.#foldEach(group, pair, start, end);
      else bySecond[placeOf[group]!]!.addRun(pair, values, start, end);
    });
    const faults = new Map<number, Fault>();
    frameColumns.drain((second, row, gathered) => {
      const { tab, type, client } = pairs[row]!;
      const meta = { timestampSec: second, sequence: nextSequence() };
      try {
        parts.foldGathered(tab, type, client, gathered, meta);
      } catch (error) {
        faults.set(row, { code: faultCode(error), message: faultMessage(error, tab) });
      }
    });
    for (const pair of faults.keys()) parts.remove(pairs[pair]!.tab);
    this.#reject((pair) => faults.get(pair));
  }

  #foldEach(group: number, pair: number, start: number, end: number): void {
    const { values, parts, pairs, secondOf, aheadOf, rejections, nextSequence } = this.#columns;
    const { tab, type, client } = pairs[pair]!;
    const meta = { timestampSec: secondOf[group]!, sequence: 0 };
    for (let at = start; at < end; at++) {
      const value = values[at]! + 0;
      if (Number.isNaN(value)) continue;
      meta.sequence = nextSequence();
      try {
        parts.fold(tab, type, client, value, meta);
      } catch (error) {
        rejections.add(at, faultCode(error), faultMessage(error, tab));
        values[at] = Number.NaN;
        if (aheadOf[group]! > 0) aheadOf[group]!--;
      }
    }
  }

  /** Rejects, after the fact, what others refused of `parts`. An empty client stands for all clients of the tab. */
  rejectLater(refusals: readonly Pick<BlockRejection, 'tab' | 'client' | 'code' | 'message'>[]): void {
    if (refusals.length === 0) return;
    const { pairs } = this.#columns;
    const byTab = new Map(refusals.map((refusal) => [refusal.tab, refusal]));
    this.#reject((pair) => {
      const refusal = byTab.get(pairs[pair]!.tab);
      return refusal?.client === '' || refusal?.client === pairs[pair]!.client ? refusal : undefined;
    });
  }

  #reject(faultOf: (pair: number) => Fault | undefined): void {
    const { values, pairOf, aheadOf, rejections } = this.#columns;
    this.#eachGroup((group, pair, start, end) => {
      const fault = faultOf(pair);
      if (fault === undefined) return;
      for (let at = start; at < end; at++) {
        if (!Number.isNaN(values[at])) rejections.add(at, fault.code, fault.message);
      }
      pairOf[group] = none;
      aheadOf[group] = 0;
    });
  }

  #eachGroup(take: (group: number, pair: number, start: number, end: number) => void): void {
    const { counts, pairOf } = this.#columns;
    let start = 0;
    for (let group = 0; group < counts.length; group++) {
      const end = start + counts[group]!;
      if (pairOf[group] !== none) take(group, pairOf[group]!, start, end);
      start = end;
    }
  }
}
