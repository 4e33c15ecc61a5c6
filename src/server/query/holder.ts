import { aggregateState, figuresOfState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, ClientId, TabType } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { BucketView, Look, TabStates } from '../reduce/bucket-view.js';
import type { OwnedTab } from '../reduce/owned-tab.js';
import type { Reading } from '../reduce/reading.js';
import { type Ask, isListed, type Subject, type Told } from './ask.js';
import { handlerOf } from './handler-of.js';
import { type Asker, QueryTurn } from './query-turn.js';
import {
  aggregateOf,
  projectionOf,
  rendered,
  type Showing,
  statesOfAggregate,
  written,
} from './renderings.js';
import { Size } from './result.js';
import { knownClients, type SelectedTabs, selectClients, selectTabs, takePresent } from './selecting.js';

export interface HolderOptions {
  readonly reading: Reading;
  readonly registry: HandlerRegistry;
  readonly clock: Clock;
  readonly maxExpressionBytes: number;
}

/** How long choosing tabs by an expression may take. */
const selectBudgetMs = 1_000;
/** How long reading and rendering may take, which the size of the answer bounds as well. */
const renderBudgetMs = 30_000;
/** Buckets whose cold States are read at the same time. */
const parallelViews = 8;

/** What an answer holds, or what one bucket adds to it. */
interface Content {
  readonly rows: (readonly string[])[];
  sum: unknown;
}

/** Collects what is seen of States. */
type Collect = Omit<Look, 'turn'>;

/** Answers questions about the buckets that this process serves. */
export class Holder {
  readonly #options: HolderOptions;

  constructor(options: HolderOptions) {
    this.#options = options;
  }

  /**
   * @param asker who waits for the answer
   * @throws TabaError `bad_expression`, `query_too_slow`, `result_too_large`, `unknown_type`
   */
  async answer(ask: Ask, asker?: Asker): Promise<Told> {
    const { reading, clock, maxExpressionBytes } = this.#options;
    const missing: BucketIndex[] = [];
    const views: BucketView[] = [];
    for (const bucket of ask.buckets) {
      const view = reading.bucket(bucket);
      if (view === undefined) missing.push(bucket);
      else views.push(view);
    }
    const selecting = { reading, maxExpressionBytes, turn: new QueryTurn(clock, selectBudgetMs, asker) };
    const clients = await selectClients(ask.clients, selecting);
    const selected = await selectTabs(views, ask.tabs, selecting);
    const foundClients = isListed(ask.clients) ? await knownClients(ask.clients, selecting) : [];

    const showing = { clients, form: ask.form, view: { nowSec: ask.nowSec } };
    const turn = new QueryTurn(clock, renderBudgetMs, asker);
    const answering = new Answering(ask, showing, turn, this.#options);
    const lost = await answering.run(selected);
    const foundTabs = isListed(ask.tabs) ? namesOf(selected, new Set(lost)) : [];
    return { missing: [...missing, ...lost], foundTabs, foundClients, ...answering.content };
  }
}

function namesOf(selected: readonly SelectedTabs[], lost: ReadonlySet<BucketIndex>): string[] {
  return selected.flatMap(({ view, tabs }) =>
    lost.has(view.bucket) ? [] : Array.from(tabs, ({ tab }) => tab),
  );
}

/** One answer while it is made, bucket by bucket. */
class Answering {
  readonly #subject: Subject;
  readonly #showing: Showing;
  readonly #turn: QueryTurn;
  readonly #size: Size;
  readonly #options: HolderOptions;
  /** Of `clients`: those that have not shown up yet. */
  readonly #open: Set<ClientId> = new Set();
  readonly #content: Content = { rows: [], sum: undefined };
  #types: readonly TabType[] = [];

  constructor({ subject, maxBytes }: Ask, showing: Showing, turn: QueryTurn, options: HolderOptions) {
    this.#subject = subject;
    this.#showing = showing;
    this.#turn = turn;
    this.#size = new Size(maxBytes);
    this.#options = options;
    // There may be very many of them: copied only for the question that is about them.
    if (subject !== 'clients') return;
    const { clients } = showing;
    this.#open = new Set(clients === 'all' ? options.reading.clientIds() : clients);
  }

  get content(): Pick<Told, 'rows' | 'types' | 'sum'> {
    return { ...this.#content, types: this.#types };
  }

  /** @returns the buckets that were lost before they were done: nothing of them is in the answer */
  async run(selected: readonly SelectedTabs[]): Promise<BucketIndex[]> {
    const lost: BucketIndex[] = [];
    const collector = this.#collectors[this.#subject];
    if (this.#subject === 'sum') {
      this.#types = await this.#typesOf(selected);
      if (this.#types.length > 1) return lost;
    }
    // Details may be long: others run after each of them.
    const intoAnswer = this.#showing.form === 'detailed' ? undefined : collector?.(this.#content);
    let next = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        if (this.#turn.isOver) await this.#turn.next();
        const chosen = selected[next++];
        if (chosen === undefined) return;
        const { view, tabs } = chosen;
        if (intoAnswer !== undefined && view.viewAtOnce(tabs, intoAnswer)) continue;
        // By itself first: it may be lost on the way.
        const made = await this.#contentOf(view, tabs);
        if (made !== undefined && view.isValid) this.#keep(made);
        else {
          lost.push(view.bucket);
          // Others may have them as well.
          if (this.#subject === 'clients')
            for (const [client] of made?.rows ?? []) this.#open.add(client as ClientId);
        }
      }
    };
    // One after the other, for clients: what is taken by a bucket that is lost must not be missed by those beside it.
    const atOnce = this.#subject === 'clients' ? 1 : Math.min(parallelViews, selected.length);
    await Promise.all(Array.from({ length: atOnce }, work));
    return lost;
  }

  async #typesOf(selected: readonly SelectedTabs[]): Promise<TabType[]> {
    const all = new Set<TabType>();
    for (const { tabs, types } of selected) {
      if (types === undefined) for (const { type } of tabs) all.add(type);
      else for (const type of types) all.add(type);
      if (this.#turn.isOver) await this.#turn.next();
    }
    return [...all];
  }

  #keep({ rows, sum }: Content): void {
    for (const row of rows) this.#content.rows.push(row);
    if (sum !== undefined)
      this.#addSum(this.#content, handlerOf(this.#types[0], this.#options.registry), sum);
  }

  #addSum(content: Content, handler: Handler, sum: unknown): void {
    content.sum ??= handler.newState();
    aggregateState(handler, content.sum, sum, this.#showing.view.nowSec);
  }

  /** What a bucket adds; undefined when it was lost meanwhile. */
  async #contentOf(view: BucketView, tabs: Iterable<OwnedTab>): Promise<Content | undefined> {
    const content: Content = { rows: [], sum: undefined };
    const collect = this.#collectors[this.#subject]?.(content);
    if (collect !== undefined) {
      return (await view.view(tabs, { ...collect, turn: this.#turn })) ? content : undefined;
    }
    if (this.#subject === 'clients') {
      const present = await takePresent(this.#open, tabs, this.#turn);
      for (const client of present) content.rows.push(this.#row(client));
      return content;
    }
    for (const tab of tabs) {
      if (this.#concerns(tab)) content.rows.push(this.#row(tab.tab, tab.type));
      if (this.#turn.isOver) await this.#turn.next();
    }
    return content;
  }

  /** By subject, what is made of States; undefined for those that are about the index alone. */
  readonly #collectors: Readonly<Record<Subject, ((into: Content) => Collect) | undefined>> = {
    aggregates: ({ rows }) =>
      this.#ofAggregates(({ tab, handler }, aggregate) => {
        const { form } = this.#showing;
        rows.push(this.#row(tab.tab, written(rendered(handler, aggregate, this.#showing), form)));
      }),

    figures: ({ rows }) =>
      this.#ofAggregates(({ tab, handler }, aggregate) => {
        const figures = figuresOfState(handler, aggregate, this.#showing.view);
        if (figures !== undefined) rows.push(this.#row(tab.tab, tab.type, JSON.stringify(figures)));
      }),

    projections: ({ rows }) => {
      const showing = this.#showing;
      const { clients } = showing;
      return {
        whose: () => (clients === 'all' ? 'all clients' : clients),
        look: ({ tab, handler, clients: states }) => {
          for (const [client, state] of states) {
            const rendering = projectionOf(handler, state, showing);
            rows.push(this.#row(tab.tab, client, written(rendering, showing.form)));
          }
        },
      };
    },

    sum: (content) =>
      this.#ofAggregates(({ handler }, aggregate) => this.#addSum(content, handler, aggregate)),

    tabs: undefined,
    clients: undefined,
  };

  #ofAggregates(look: (states: TabStates, aggregate: unknown) => void): Collect {
    const showing = this.#showing;
    return {
      whose: (tab) => statesOfAggregate(tab, showing),
      look: (states) => {
        const aggregate = aggregateOf(states, showing);
        if (aggregate !== undefined) look(states, aggregate);
      },
    };
  }

  #concerns(tab: OwnedTab): boolean {
    const { clients } = this.#showing;
    if (clients === 'all') return true;
    for (const client of clients) if (tab.has(client)) return true;
    return false;
  }

  #row(...cells: string[]): string[] {
    this.#size.add(cells);
    return cells;
  }
}
