import { bucketOf } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, MemberId, TabName, TabType } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Peers } from '../cluster/peers.js';
import { type Ask, isListed, type Told } from './ask.js';
import { decodeTold, encodeAsk } from './ask-codec.js';
import { bucketRanges } from './bucket-ranges.js';
import type { Holder } from './holder.js';
import type { Asker } from './query-turn.js';
import { Size } from './result.js';
import { askWhileAlive, type Scatter } from './scatter.js';
import { bucketsOf, choiceWithin } from './selecting.js';

/** A question about the whole cluster. */
export interface Question extends Omit<Ask, 'buckets'> {
  /** Answer for the buckets that are served, where some are not. */
  readonly partial: boolean;
  readonly asker: Asker;
}

export interface Gathered {
  /** In no order. */
  readonly rows: readonly (readonly string[])[];
  readonly types: readonly TabType[];
  readonly sum: unknown;
  /** Buckets that the answer says nothing about; only where a partial answer was asked for. */
  readonly missing: readonly BucketIndex[];
}

export interface GatherOptions {
  readonly bucketCount: number;
  readonly holder: Holder;
  readonly peers: Peers;
  readonly scatter: Scatter;
  readonly registry: HandlerRegistry;
  readonly clock: Clock;
}

/** Name of the question under which servers ask each other, see `Questions`. */
export const queryQuestion = 'query';
/** Longer than a holder works on an answer, see `Holder`. */
const askTimeoutMs = 60_000;

/** Asks the holders of all buckets that a question is about, and makes one answer of what they say. */
export class Gather {
  readonly #options: GatherOptions;

  constructor(options: GatherOptions) {
    this.#options = options;
  }

  /**
   * @throws TabaError `unavailable`, naming the buckets that nobody serves; `unknown_tab`, `unknown_client`, naming those
   *   that were listed and are nowhere; and what the holders say
   */
  async gather(question: Question): Promise<Gathered> {
    const { bucketCount } = this.#options;
    const buckets = bucketsOf(question.tabs, bucketCount);
    const merged = new Merged(question, this.#options.registry);
    const missing = await this.#ask(question, buckets, merged);
    refuseMissing(missing, question);
    this.#refuseUnknownTabs(question, merged, missing);
    await this.#refuseUnknownClients(question, merged, buckets, missing);
    const { rows, types, sum } = merged;
    return { rows, types, sum, missing };
  }

  #ask(question: Question, buckets: readonly BucketIndex[], merged: Merged): Promise<BucketIndex[]> {
    const tabsIn = choiceWithin(question.tabs, this.#options.bucketCount);
    return this.#options.scatter.ask(buckets, async (holder, its) => {
      const ask = { ...question, tabs: tabsIn(its), buckets: its };
      const told = await this.#askHolder(holder, ask, question.asker);
      merged.add(told);
      return told.missing;
    });
  }

  async #askHolder(member: MemberId, ask: Ask, asker: Asker): Promise<Told> {
    const { holder, peers, registry, clock } = this.#options;
    if (member === peers.self) return holder.answer(ask, asker);
    const question = { name: queryQuestion, body: encodeAsk(ask), timeoutMs: askTimeoutMs };
    return decodeTold(await askWhileAlive({ peers, clock }, member, question), ask, registry);
  }

  #refuseUnknownTabs({ tabs }: Question, { foundTabs }: Merged, missing: readonly BucketIndex[]): void {
    if (!isListed(tabs)) return;
    const open = new Set(missing);
    const unknown = [...new Set(tabs)].filter(
      (tab) => !foundTabs.has(tab) && !open.has(bucketOf(tab as TabName, this.#options.bucketCount)),
    );
    if (unknown.length > 0) throw unknownNames('unknown_tab', 'tab', unknown);
  }

  /** Whoever holds the tabs need not know the clients: they are known if anybody knows them. */
  async #refuseUnknownClients(
    question: Question,
    merged: Merged,
    asked: readonly BucketIndex[],
    missing: readonly BucketIndex[],
  ): Promise<void> {
    if (!isListed(question.clients)) return;
    const unknown = new Set(question.clients.filter((client) => !merged.foundClients.has(client)));
    if (unknown.size === 0) return;
    const done = new Set(asked);
    const others = bucketsOf('all', this.#options.bucketCount).filter((bucket) => !done.has(bucket));
    const search: Question = { ...question, subject: 'clients', tabs: 'all', clients: [...unknown] };
    const found = new Merged(search, this.#options.registry);
    const open = await this.#ask(search, others, found);
    for (const client of found.foundClients) unknown.delete(client);
    if (unknown.size === 0) return;
    // Somebody who cannot be asked may know them.
    refuseMissing(open, question);
    if (open.length + missing.length > 0) return;
    throw unknownNames('unknown_client', 'client', [...unknown]);
  }
}

function refuseMissing(missing: readonly BucketIndex[], { partial }: Question): void {
  if (missing.length === 0 || partial) return;
  throw missingBuckets(missing);
}

/** The fault of a question that nobody could answer for some buckets. */
export function missingBuckets(
  missing: readonly BucketIndex[],
  details: Readonly<Record<string, unknown>> = {},
): TabaError {
  const buckets = bucketRanges(missing);
  const are = missing.length === 1 ? `bucket ${buckets} is` : `buckets ${buckets} are`;
  return new TabaError('unavailable', `${are} not served at the moment`, { buckets, ...details });
}

function unknownNames(
  code: 'unknown_tab' | 'unknown_client',
  what: string,
  missing: readonly string[],
): TabaError {
  const message = `unknown ${what}${missing.length > 1 ? 's' : ''}: ${missing.join(', ')}`;
  return new TabaError(code, message, { missing });
}

/** What the holders said, as one answer that is bounded while it grows. */
class Merged {
  readonly foundTabs = new Set<string>();
  readonly foundClients = new Set<string>();
  readonly rows: (readonly string[])[] = [];
  readonly #question: Question;
  readonly #registry: HandlerRegistry;
  readonly #size: Size;
  readonly #types = new Set<TabType>();
  #sum: { readonly handler: Handler; readonly state: unknown } | undefined;

  constructor(question: Question, registry: HandlerRegistry) {
    this.#question = question;
    this.#registry = registry;
    this.#size = new Size(question.maxBytes);
  }

  get types(): readonly TabType[] {
    return [...this.#types].sort();
  }

  get sum(): unknown {
    return this.#sum?.state;
  }

  add({ foundTabs, foundClients, rows, types, sum }: Told): void {
    for (const tab of foundTabs) this.foundTabs.add(tab);
    for (const client of foundClients) this.foundClients.add(client);
    for (const row of rows) {
      this.#size.add(row);
      this.rows.push(row);
    }
    for (const type of types) this.#types.add(type);
    if (sum !== undefined) this.#addSum(types[0]!, sum);
  }

  /** States of several types are not added: `types` says that there are several. */
  #addSum(type: TabType, sum: unknown): void {
    const handler = this.#registry.get(type);
    if (handler === undefined || this.#types.size > 1) return;
    this.#sum ??= { handler, state: handler.newState() };
    handler.aggregate(this.#sum.state, sum, this.#question.nowSec);
  }
}
