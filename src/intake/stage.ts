import { type ErrorCode, TabaError } from '../core/errors.js';
import type { Handler } from '../core/handlers/handler.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { checkClientId, checkTabName } from '../core/names.js';
import { PartMap } from '../core/parts.js';
import type { ItemSink, Items, NumberRun, RawEvent } from '../wire/item-sink.js';
import type { StageContext } from './context.js';
import { faultCode, faultMessage } from './fault.js';
import type { WaitingPair } from './gathering.js';
import { Origins, type Pair } from './origins.js';
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

/** What is known of a tab after its first item. */
interface StagedTab {
  readonly name: TabName;
  /** Set by the node's knowledge, or by the first item that was accepted. */
  type: TabType | undefined;
}

/** Counts the bodies of this process: what bears another number was not met in this one. */
let bodies = 0;
const noNumber = -1;

class Stager implements ItemSink {
  readonly #context: StageContext;
  readonly #parts: PartMap;
  readonly #numbers = new StagedNumbers();
  readonly #rejections = new Rejections();
  readonly #origins = new Origins();
  readonly #tabs = new Map<string, StagedTab | TabaError>();
  readonly #clients = new Map<string, ClientId | TabaError>();
  readonly #body = ++bodies;
  readonly #nowSec: number;
  readonly #latestSec: number;
  /** Used again for every event: Handlers take what they need out of it. */
  readonly #meta = { timestampSec: 0, sequence: 0, weight: 1 };
  #received = 0;
  #clamped = 0;
  /** Those of the last item: items come in runs of one tab and one client. */
  #tabText: string | undefined;
  #tab: StagedTab | TabaError | undefined;
  #clientText: string | undefined;
  #client: ClientId | TabaError;
  #handler: Handler | undefined;

  constructor(context: StageContext) {
    this.#context = context;
    this.#parts = new PartMap(context.registry);
    this.#nowSec = context.nowMs / 1000;
    this.#latestSec = this.#nowSec + context.limits.allowedSkewSec;
    this.#client = this.#checkClient(context.defaultClient);
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

  numbers({ client, tab, type, timestampsSec, payloads, count }: NumberRun): void {
    const waiting = this.#waiting(client, tab, type);
    const known = waiting ?? this.#gatheringPair(client, tab, type);
    let number = noNumber;
    for (let at = 0; at < count; at++) {
      const timestampSec = timestampsSec[at]!;
      const payload = payloads[at]!;
      // Whatever is out of the ordinary is not a matter of speed.
      if (known === undefined || !this.#stagePlain(timestampSec, payload)) {
        this.event({ client, tab, type, timestampSec, payload });
        continue;
      }
      if (number === noNumber) number = this.#numberOf(waiting, known);
      this.#origins.add(this.#received++, number, false);
    }
  }

  /** The pair, if something of it waits under this type: nothing about it needs to be looked at then. */
  #waiting(client: string = this.#context.defaultClient, tab: string, type: string): WaitingPair | undefined {
    const waiting = this.#context.gathering?.find(client, tab);
    return waiting?.type === type ? waiting : undefined;
  }

  /** Whose numbers are gathered where nothing speaks against them; undefined where something does, or they cannot be. */
  #gatheringPair(client: string | undefined, tab: string, type: string): Pair | undefined {
    try {
      const handler = this.#handlerOf(type);
      const staged = this.#tabOf(tab);
      if (handler.foldGathered === undefined || (staged.type ?? handler.type) !== handler.type)
        return undefined;
      return { tab: staged.name, type: handler.type, client: this.#clientOf(client) };
    } catch {
      // It is `event` that says what.
      return undefined;
    }
  }

  /** The number of a pair in this body, of which an item is accepted. */
  #numberOf(waiting: WaitingPair | undefined, { tab, type, client }: Pair): number {
    if (waiting === undefined) {
      // The first item that is accepted says under which type a tab comes in this body.
      this.#tabOf(tab).type = type;
      return this.#origins.numberOf(tab, type, client);
    }
    if (waiting.body !== this.#body) {
      waiting.body = this.#body;
      waiting.number = this.#origins.enter(waiting);
    }
    return waiting.number;
  }

  /** @returns false, and has done nothing, where it is no finite number of a time that may be */
  #stagePlain(timestampSec: number, payload: number): boolean {
    const isPlain = timestampSec >= 0 && timestampSec <= this.#latestSec && Number.isFinite(payload);
    return isPlain && this.#numbers.add(this.#received, Math.floor(timestampSec), payload + 0);
  }

  #accept(event: RawEvent): void {
    const tab = this.#tabOf(event.tab);
    const client = this.#clientOf(event.client);
    const handler = this.#handlerOf(event.type);
    if (tab.type !== undefined && tab.type !== handler.type) {
      throw new TabaError('type_conflict', `is a ${tab.type}, not a ${handler.type}`);
    }
    const ahead = this.#setTime(event.timestampSec);
    if (!this.#stageNumber(event, handler)) this.#fold(event, tab.name, client, handler);
    const { type } = handler;
    if (ahead) this.#clamped++;
    const number = this.#numberOf(this.#waiting(client, tab.name, type), { tab: tab.name, type, client });
    this.#origins.add(this.#received, number, ahead);
  }

  /** Leaves a plain number apart: gathered with others it costs less than folded by itself. @returns whether it is one */
  #stageNumber({ payload, weight, histogram, cumulative }: RawEvent, { foldGathered }: Handler): boolean {
    if (typeof payload !== 'number' || foldGathered === undefined || !Number.isFinite(payload)) return false;
    if (weight !== undefined || histogram !== undefined || cumulative !== undefined) return false;
    // Adding 0 turns -0 into 0, as `parse` does.
    return this.#numbers.add(this.#received, Math.floor(this.#meta.timestampSec), payload + 0);
  }

  #fold(event: RawEvent, tab: TabName, client: ClientId, handler: Handler): void {
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

  #tabOf(text: string): StagedTab {
    if (text !== this.#tabText) {
      this.#tabText = text;
      this.#tab = this.#tabs.get(text);
      if (this.#tab === undefined) {
        this.#tab = caught(() => this.#checkTab(text));
        this.#tabs.set(text, this.#tab);
      }
    }
    if (this.#tab instanceof TabaError) throw this.#tab;
    return this.#tab!;
  }

  #checkTab(text: string): StagedTab {
    const { deny, limits } = this.#context;
    if (text.length > limits.maxNameBytes) {
      throw new TabaError(
        'bad_name',
        `the tab name has ${text.length} bytes; ${limits.maxNameBytes} are allowed`,
      );
    }
    const name = checkTabName(text);
    if (deny.deniesTab(name)) throw new TabaError('denied', 'the tab name is on the deny-list of this node');
    return { name, type: this.#context.typeOf(name) };
  }

  #clientOf(text: string = this.#context.defaultClient): ClientId {
    if (text !== this.#clientText) {
      this.#clientText = text;
      const known = this.#clients.get(text);
      this.#client = known ?? this.#checkClient(text);
      if (known === undefined) this.#clients.set(text, this.#client);
    }
    if (this.#client instanceof TabaError) throw this.#client;
    return this.#client;
  }

  #checkClient(text: string): ClientId | TabaError {
    const { deny, limits } = this.#context;
    return caught(() => {
      if (text.length > limits.maxNameBytes) {
        throw new TabaError(
          'bad_client',
          `the client id has ${text.length} bytes; ${limits.maxNameBytes} are allowed`,
        );
      }
      const client = checkClientId(text);
      if (deny.deniesClient(client)) {
        throw new TabaError('denied', `the client ${client} is on the deny-list of this node`);
      }
      return client;
    });
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

function caught<T>(check: () => T): T | TabaError {
  try {
    return check();
  } catch (error) {
    if (error instanceof TabaError) return error;
    throw error;
  }
}
