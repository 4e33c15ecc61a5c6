import { type ErrorCode, TabaError } from '../core/errors.js';
import type { Handler } from '../core/handlers/handler.js';
import type { TabType } from '../core/ids.js';
import { PartMap } from '../core/parts.js';
import type { ItemSink, Items, NumberRun, RawEvent } from '../wire/item-sink.js';
import { allowedClient, allowedTab } from './allowed-names.js';
import type { StageContext } from './context.js';
import { faultCode, faultMessage } from './fault.js';
import { type KnownPair, KnownPairs, type KnownTab } from './known-pairs.js';
import { Origins } from './origins.js';
import { Rejections } from './rejections.js';
import { Staged } from './staged.js';
import { StagedNumbers } from './staged-numbers.js';
import { isLargerThan } from './value-size.js';

/**
 * Checks and folds the items of a body, apart from everything that the node holds.
 *
 * @throws TabaError `bad_framing`, `unsupported_version`: nothing of the body counts
 */
export function stage(items: Items, context: StageContext): Staged {
  const staged = stageApart(items, context);
  staged.foldNumbers();
  return staged;
}

/** As `stage`, but plain numbers are left apart: for `gatherInto`, or for `foldNumbers`. */
export function stageApart(items: Items, context: StageContext): Staged {
  const stager = new Stager(context);
  items(stager);
  return stager.finish();
}

/** Counts the bodies of this process: what bears another number was not met in this one. */
let bodies = 0;

class Stager implements ItemSink {
  readonly #context: StageContext;
  readonly #parts: PartMap;
  readonly #numbers = new StagedNumbers();
  readonly #rejections = new Rejections();
  readonly #origins = new Origins();
  readonly #known: KnownPairs;
  /** Of names that are none, or denied. */
  readonly #badTabs = new Map<string, TabaError>();
  readonly #badClients = new Map<string, TabaError>();
  readonly #body = ++bodies;
  readonly #nowSec: number;
  readonly #latestSec: number;
  /** Used again for every event: Handlers take what they need out of it. */
  readonly #meta = { timestampSec: 0, sequence: 0, weight: 1 };
  #received = 0;
  #clamped = 0;
  #handler: Handler | undefined;

  constructor(context: StageContext) {
    this.#context = context;
    this.#parts = new PartMap(context.registry);
    this.#nowSec = context.nowMs / 1000;
    this.#latestSec = this.#nowSec + context.limits.allowedSkewSec;
    this.#known = context.gathering?.known ?? new KnownPairs();
  }

  fault(code: ErrorCode, message: string): void {
    this.#rejections.add(this.#received++, code, message);
  }

  event(event: RawEvent): void {
    try {
      this.#accept(event);
    } catch (error) {
      this.#rejections.add(this.#received, faultCode(error), faultMessage(error, event.tab));
    }
    this.#received++;
  }

  numbers(run: NumberRun): void {
    const { client, tab, type, timestampsSec, payloads, count } = run;
    const pair = this.#pairOfNumbers(client, tab, type);
    let at = 0;
    while (at < count) {
      const first = this.#received;
      const plain = pair === undefined ? 0 : this.#numbers.addRun(first, run, at, this.#latestSec);
      if (pair !== undefined && plain > 0) {
        this.#origins.addRun(first, plain, this.#numberOf(pair, this.#handlerOf(type).type));
        this.#received += plain;
        at += plain;
      } else {
        // Whatever is out of the ordinary is not a matter of speed.
        this.event({ client, tab, type, timestampSec: timestampsSec[at], payload: payloads[at] });
        at++;
      }
    }
  }

  /** Whose numbers are left apart where nothing speaks against them; undefined where something does, or they cannot be. */
  #pairOfNumbers(client: string | undefined, tab: string, type: string): KnownPair | undefined {
    try {
      const pair = this.#pairOf(client, tab);
      const handler = this.#handlerOf(type);
      const isFree = (this.#typeOf(pair.known) ?? handler.type) === handler.type;
      return isFree && handler.foldGathered !== undefined ? pair : undefined;
    } catch {
      // It is `event` that says what.
      return undefined;
    }
  }

  /** The number of a pair in this body, an item of which is accepted. */
  #numberOf(pair: KnownPair, type: TabType): number {
    pair.known.type = type;
    if (pair.body !== this.#body) {
      pair.body = this.#body;
      pair.number = this.#origins.enter(pair, type);
    }
    return pair.number;
  }

  #accept(event: RawEvent): void {
    const pair = this.#pairOf(event.client, event.tab);
    const handler = this.#handlerOf(event.type);
    const type = this.#typeOf(pair.known);
    if (type !== undefined && type !== handler.type) {
      throw new TabaError('type_conflict', `is a ${type}, not a ${handler.type}`);
    }
    const ahead = this.#setTime(event.timestampSec);
    if (!this.#stageNumber(event, handler)) this.#fold(event, pair, handler);
    if (ahead) this.#clamped++;
    this.#origins.add(this.#received, this.#numberOf(pair, handler.type), ahead);
  }

  /** Leaves a plain number apart: gathered with others it costs less than folded by itself. @returns whether it is one */
  #stageNumber({ payload, weight, histogram, cumulative }: RawEvent, { foldGathered }: Handler): boolean {
    if (typeof payload !== 'number' || foldGathered === undefined || !Number.isFinite(payload)) return false;
    if (weight !== undefined || histogram !== undefined || cumulative !== undefined) return false;
    // Adding 0 turns -0 into 0, as `parse` does.
    return this.#numbers.add(this.#received, Math.floor(this.#meta.timestampSec), payload + 0);
  }

  #fold(event: RawEvent, { tab, client }: KnownPair, handler: Handler): void {
    const { payload, weight = 1, histogram, cumulative } = event;
    const { maxValueBytes } = this.#context.limits;
    if (typeof payload !== 'number' && isLargerThan(payload, maxValueBytes)) {
      throw new TabaError('bad_value', `the value has more than ${maxValueBytes} bytes`);
    }
    this.#meta.sequence = this.#context.nextSequence();
    this.#meta.weight = weight;
    if (cumulative !== undefined) {
      const { timestampSec: timeSec } = this.#meta;
      this.#parts.foldCumulative(tab, handler.type, client, { ...cumulative, timeSec });
    } else if (histogram !== undefined) {
      this.#parts.foldHistogram(tab, handler.type, client, histogram, this.#meta);
    } else {
      this.#parts.fold(tab, handler.type, client, handler.parse(payload), this.#meta);
    }
  }

  #pairOf(client: string = this.#context.defaultClient, tab: string): KnownPair {
    const pair = this.#known.find(client, tab);
    if (pair !== undefined) return pair;
    const name = checked(tab, this.#badTabs, () => allowedTab(tab, this.#context));
    return this.#known.add(
      checked(client, this.#badClients, () => allowedClient(client, this.#context)),
      name,
    );
  }

  /** The type of a tab: that under which the node knows it, or that of its first item that was accepted. */
  #typeOf(tab: KnownTab): TabType | undefined {
    if (tab.body !== this.#body) {
      const context = this.#context;
      tab.type = context.gathering?.typeOfKnown(tab) ?? context.typeOf(tab.name);
      tab.body = this.#body;
    }
    return tab.type;
  }

  #handlerOf(type: string): Handler {
    if (this.#handler?.type !== type) {
      this.#handler = this.#context.registry.get(type);
      if (this.#handler === undefined) {
        throw new TabaError(
          'unknown_type',
          `no handler for the tab type ${JSON.stringify(type.slice(0, 100))}`,
        );
      }
    }
    return this.#handler;
  }

  /** @returns whether the event is counted at the present because it is stamped too far ahead */
  #setTime(timestampSec: unknown): boolean {
    if (timestampSec === undefined) {
      this.#meta.timestampSec = this.#nowSec;
      return false;
    }
    if (typeof timestampSec !== 'number' || !(timestampSec >= 0 && timestampSec < Number.POSITIVE_INFINITY)) {
      const shown = typeof timestampSec === 'number' ? timestampSec : `a ${typeof timestampSec}`;
      throw new TabaError('bad_timestamp', `the timestamp is ${shown}, not a number of seconds from 0`);
    }
    const ahead = timestampSec > this.#latestSec;
    this.#meta.timestampSec = ahead ? this.#nowSec : timestampSec;
    return ahead;
  }

  /** Asks for room only now that nothing can refuse the body as a whole any more. */
  finish(): Staged {
    const staged = new Staged({
      ...{ parts: this.#parts, numbers: this.#numbers, rejections: this.#rejections, origins: this.#origins },
      ...{ received: this.#received, clamped: this.#clamped },
      nextSequence: this.#context.nextSequence,
    });
    staged.admit(this.#context);
    return staged;
  }
}

/** What `check` gives. A fault is found once for each text: making an error costs more than throwing it again. */
function checked<T>(text: string, faults: Map<string, TabaError>, check: () => T): T {
  const known = faults.get(text);
  if (known !== undefined) throw known;
  try {
    return check();
  } catch (error) {
    if (error instanceof TabaError) faults.set(text, error);
    throw error;
  }
}
