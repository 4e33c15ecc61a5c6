import type { BlockRejection } from '../core/block.js';
import { type ErrorCode, TabaError } from '../core/errors.js';
import type { Handler } from '../core/handlers/handler.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import { checkClientId, checkTabName } from '../core/names.js';
import { PartMap } from '../core/parts.js';
import type { ItemSink, Items, RawEvent } from '../wire/item-sink.js';
import type { StageContext } from './context.js';
import { Origins } from './origins.js';
import { Rejections } from './rejections.js';
import { isLargerThan } from './value-size.js';

/** A body that was taken apart and folded on its own: nothing of it counts until somebody merges `parts`. */
export class Staged {
  readonly parts: PartMap;
  readonly rejections: Rejections;
  /** Items of the body. */
  readonly received: number;
  /** Events counted at the present because they were stamped too far ahead of it. */
  readonly clamped: number;
  readonly #origins: Origins;

  constructor(parts: PartMap, rejections: Rejections, received: number, clamped: number, origins: Origins) {
    this.parts = parts;
    this.rejections = rejections;
    this.received = received;
    this.clamped = clamped;
    this.#origins = origins;
  }

  get accepted(): number {
    return this.received - this.rejections.total;
  }

  /**
   * Rejects, after the fact, what an owner refused: its Parts may hold events of other bodies as well, so that only
   * the items of this one are counted. An empty client stands for all clients of the tab.
   */
  rejectLater(rejection: Pick<BlockRejection, 'tab' | 'client' | 'code' | 'message'>): void {
    for (const index of this.#origins.take(rejection.tab, rejection.client)) {
      this.rejections.add(index, rejection.code, rejection.message);
    }
  }
}

/**
 * Checks and folds the items of a body, apart from everything that the node holds.
 *
 * @throws TabaError `bad_framing`, `unsupported_version`: nothing of the body counts
 */
export function stage(items: Items, context: StageContext): Staged {
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

class Stager implements ItemSink {
  readonly #context: StageContext;
  readonly #parts: PartMap;
  readonly #rejections = new Rejections();
  readonly #origins = new Origins();
  readonly #tabs = new Map<string, StagedTab | TabaError>();
  readonly #clients = new Map<string, ClientId | TabaError>();
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
      this.#rejections.add(this.#received, codeOf(error), messageOf(error, event.tab));
    }
    this.#received++;
  }

  #accept(event: RawEvent): void {
    const tab = this.#tabOf(event.tab);
    const client = this.#clientOf(event.client);
    const handler = this.#handlerOf(event.type);
    if (tab.type !== undefined && tab.type !== handler.type) {
      throw new TabaError('type_conflict', `is a ${tab.type}, not a ${handler.type}`);
    }
    const ahead = this.#setTime(event.timestampSec);
    this.#fold(event, tab.name, client, handler);
    tab.type = handler.type;
    if (ahead) this.#clamped++;
    this.#origins.add(this.#received, tab.name, client, ahead);
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
    for (const { name, clients } of this.#parts.byTab()) {
      for (const client of clients.keys()) {
        const limit = this.#context.admits(name, client);
        if (limit !== undefined) this.#refuse(name, client, limit);
      }
    }
    const clamped = this.#clamped - this.#origins.takenAhead;
    return new Staged(this.#parts, this.#rejections, this.#received, clamped, this.#origins);
  }

  #refuse(tab: TabName, client: ClientId, limit: 'too_many_tabs' | 'too_many_clients'): void {
    this.#parts.remove(tab, client);
    const what = limit === 'too_many_tabs' ? 'tabs' : 'clients';
    for (const index of this.#origins.take(tab, client)) {
      this.#rejections.add(index, limit, `${tab}: the node knows as many ${what} as it is allowed to`);
    }
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

/** What an additional Handler throws at a value is a fault of that value, whatever it is. */
function codeOf(error: unknown): ErrorCode {
  return error instanceof TabaError ? error.code : 'bad_value';
}

function messageOf(error: unknown, tab: string): string {
  const message = error instanceof Error ? error.message : String(error);
  // Faults of the name itself show it, escaped and clipped.
  return error instanceof TabaError && error.code === 'bad_name' ? message : `${tab}: ${message}`;
}
