import { TabaError } from '../../core/errors.js';
import type { ClientId } from '../../core/ids.js';
import { PartMap } from '../../core/parts.js';
import type { PushRaw } from '../../wire/frame.js';
import { type RawColumns, readRawColumns } from '../../wire/raw-columns.js';
import { allowedClient } from '../allowed-names.js';
import type { StageContext } from '../context.js';
import { Rejections } from '../rejections.js';
import { maxStagedSeconds } from '../staged-numbers.js';
import type { DefinedTab, TabDictionary } from './dictionary.js';
import { none, overflow, type RawPair, StagedColumns } from './staged-columns.js';

/**
 * Checks the events of a frame, apart from everything that the node holds.
 * @throws TabaError `corrupt`: nothing of the frame counts
 */
export function stageColumns(
  frame: PushRaw,
  dictionary: TabDictionary,
  context: StageContext,
): StagedColumns {
  return new ColumnStager(readRawColumns(frame), dictionary, context).stage(frame.client);
}

class ColumnStager {
  readonly #columns: RawColumns;
  readonly #dictionary: TabDictionary;
  readonly #context: StageContext;
  readonly #rejections = new Rejections();
  readonly #pairs: RawPair[] = [];
  /** By name: the number of the pair, or why there is no room for it. */
  readonly #claims = new Map<DefinedTab['name'], number | TabaError>();
  /** The same by definition, of which a name may have several. */
  readonly #numberOf = new Map<DefinedTab, number | TabaError>();
  readonly #seconds: number[] = [];
  readonly #nowSec: number;
  readonly #latestSec: number;
  /** Whether the second that was looked at last is that of the present, because the one given is too far ahead. */
  #isAhead = false;

  constructor(columns: RawColumns, dictionary: TabDictionary, context: StageContext) {
    this.#columns = columns;
    this.#dictionary = dictionary;
    this.#context = context;
    this.#nowSec = context.nowMs / 1000;
    this.#latestSec = this.#nowSec + context.limits.allowedSkewSec;
  }

  stage(clientText: string = this.#context.defaultClient): StagedColumns {
    const { tabs, counts, values } = this.#columns;
    const client = this.#clientOf(clientText);
    const groups = tabs.length;
    const pairOf = new Int32Array(groups).fill(none);
    const placeOf = new Int8Array(groups);
    const secondOf = new Float64Array(groups);
    const aheadOf = new Uint32Array(groups);
    let start = 0;
    for (let group = 0; group < groups; group++) {
      const end = start + counts[group]!;
      if (end > start) {
        const tab = client instanceof TabaError ? client : this.#tabOf(tabs[group]!);
        const second = tab instanceof TabaError ? tab : this.#secondOf(group);
        if (tab instanceof TabaError || second instanceof TabaError) {
          this.#reject(start, end, second as TabaError);
        } else {
          const good = this.#checkValues(start, end, tab);
          const pair = good > 0 ? this.#pairOf(tab, client as ClientId) : none;
          if (pair instanceof TabaError) this.#rejectGood(start, end, pair);
          else if (pair !== none) {
            pairOf[group] = pair;
            secondOf[group] = second;
            placeOf[group] = this.#placeOf(second);
            aheadOf[group] = this.#isAhead ? good : 0;
          }
        }
      }
      start = end;
    }
    const { registry, nextSequence } = this.#context;
    return new StagedColumns({
      ...{ counts, values, pairOf, placeOf, secondOf, aheadOf, seconds: this.#seconds, pairs: this.#pairs },
      ...{ rejections: this.#rejections, parts: new PartMap(registry), nextSequence },
    });
  }

  #clientOf(text: string): ClientId | TabaError {
    try {
      return allowedClient(text, this.#context);
    } catch (error) {
      if (error instanceof TabaError) return error;
      throw error;
    }
  }

  /** The tab, unless it is known under another type: to the node, or from what was accepted of this frame. */
  #tabOf(id: number): DefinedTab | TabaError {
    const tab = this.#dictionary.get(id);
    if (tab instanceof TabaError || this.#numberOf.has(tab)) return tab;
    const { name, type } = tab;
    const claimed = this.#claims.get(name);
    const known = typeof claimed === 'number' ? this.#pairs[claimed]!.type : this.#context.typeOf(name);
    if (known === undefined || known === type) return tab;
    return new TabaError('type_conflict', `${name}: is a ${known}, not a ${type}`);
  }

  /** The number of the pair, of which something counts; or why there is no room for it. */
  #pairOf(tab: DefinedTab, client: ClientId): number | TabaError {
    const known = this.#numberOf.get(tab);
    if (known !== undefined) return known;
    const { name, type } = tab;
    let claim = this.#claims.get(name);
    if (claim === undefined) {
      const code = this.#context.admits(name, client);
      const what = code === 'too_many_tabs' ? 'tabs' : 'clients';
      claim =
        code === undefined
          ? this.#pairs.push({ tab: name, type, client }) - 1
          : new TabaError(code, `${name}: the node knows as many ${what} as it is allowed to`);
      this.#claims.set(name, claim);
    }
    this.#numberOf.set(tab, claim);
    return claim;
  }

  #secondOf(group: number): number | TabaError {
    const { seconds } = this.#columns;
    this.#isAhead = false;
    if (seconds.length === 0) return Math.floor(this.#nowSec);
    const given = seconds[seconds.length === 1 ? 0 : group]!;
    if (!(given >= 0 && given < Number.POSITIVE_INFINITY)) {
      return new TabaError('bad_timestamp', `the timestamp is ${given}, not a number of seconds from 0`);
    }
    this.#isAhead = given > this.#latestSec;
    return Math.floor(this.#isAhead ? this.#nowSec : given);
  }

  #placeOf(second: number): number {
    const seconds = this.#seconds;
    const last = seconds.length - 1;
    if (seconds[last] === second) return last;
    const place = seconds.indexOf(second);
    if (place >= 0) return place;
    return seconds.length === maxStagedSeconds ? overflow : seconds.push(second) - 1;
  }

  /** Leaves NaN in the place of every value that does not count. @returns how many do */
  #checkValues(start: number, end: number, { name }: DefinedTab): number {
    const { values } = this.#columns;
    let good = end - start;
    for (let at = start; at < end; at++) {
      const value = values[at]!;
      // Of numbers that are finite alone.
      if (value - value === 0) continue;
      this.#rejections.add(at, 'bad_value', `${name}: ${value} is not a finite number`);
      values[at] = Number.NaN;
      good--;
    }
    return good;
  }

  #reject(start: number, end: number, { code, message }: TabaError): void {
    for (let at = start; at < end; at++) this.#rejections.add(at, code, message);
  }

  /** Those that are still good. */
  #rejectGood(start: number, end: number, { code, message }: TabaError): void {
    const { values } = this.#columns;
    for (let at = start; at < end; at++) {
      if (!Number.isNaN(values[at])) this.#rejections.add(at, code, message);
    }
  }
}
