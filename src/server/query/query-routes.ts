import { TabaError } from '../../core/errors.js';
import type { RenderForm } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { Limits } from '../../core/limits.js';
import type { Clock } from '../../runtime/clock.js';
import { formOf, replyInForm, replyWith } from '../../transport/inbound/accept.js';
import type { HttpReply, HttpRequest, Route } from '../../transport/inbound/http.js';
import type { Latency } from '../cluster/latency.js';
import type { Owners } from '../reduce/owners.js';
import type { OwnedTab } from '../reduce/reading.js';
import { Parameters } from './parameters.js';
import { QueryTurn } from './query-turn.js';
import { Renderings, type Showing } from './renderings.js';
import { Result } from './result.js';
import { type Selection, selectClients, selectionOf, selectionParameters, selectTabs } from './selection.js';

export interface QueryOptions {
  readonly owners: Owners;
  readonly registry: HandlerRegistry;
  readonly latency: Latency;
  readonly limits: Pick<Limits, 'maxResultBytes' | 'maxExpressionBytes'>;
  readonly clock: Clock;
}

/** How long choosing tabs by an expression may take. */
const selectBudgetMs = 1_000;
/** How long reading and rendering may take, which the size of the answer bounds as well. */
const renderBudgetMs = 30_000;

/** Routes that only look: by GET, or by POST with a form where a selection is too long for a URL. */
export function queryRoutes(options: QueryOptions): Route[] {
  const queries = new Queries(options);
  const routes = {
    '/tabs': (query) => queries.tabs(query),
    '/projection': (query) => queries.projection(query),
    '/supertabs': (query) => queries.superTabs(query),
    '/names': (query) => queries.names(query),
    '/clients': (query) => queries.clients(query),
    '/types': (query) => queries.types(query),
  } satisfies Record<string, (query: Query) => Promise<HttpReply>>;
  return Object.entries(routes).flatMap(([path, answer]) => {
    const handle = async (request: HttpRequest): Promise<HttpReply> =>
      bounded(await answer(queries.read(request)), options.limits.maxResultBytes);
    return [
      { method: 'GET', path, handle },
      { method: 'POST', path, handle },
    ] satisfies Route[];
  });
}

interface Query {
  readonly selection: Selection;
  readonly form: RenderForm;
}

class Queries {
  readonly #options: QueryOptions;
  readonly #renderings: Renderings;

  constructor(options: QueryOptions) {
    this.#options = options;
    this.#renderings = new Renderings(options.owners, options.registry);
  }

  read(request: HttpRequest): Query {
    const parameters = Parameters.of(request, [...selectionParameters, 'raw']);
    const selection = selectionOf(parameters, this.#options.limits.maxExpressionBytes);
    return { selection, form: parameters.flag('raw', false) ? 'detailed' : formOf(request) };
  }

  async tabs(query: Query): Promise<HttpReply> {
    const { tabs, showing } = await this.#select(query);
    const result = this.#result(query);
    await this.#renderings.aggregates(tabs, showing, ({ tab }, rendering) => result.add(tab, rendering));
    return result.reply(asOf(showing));
  }

  async projection(query: Query): Promise<HttpReply> {
    const { tabs, showing } = await this.#select(query);
    const { form } = query;
    const result = this.#result(query);
    if (form === 'text') {
      await this.#renderings.projections(tabs, showing, ({ tab }, client, rendering) =>
        result.add(`(${tab}, ${client})`, rendering),
      );
      return result.reply(asOf(showing));
    }
    // Grouped by client, as the first Taba answers; gathered as text to bound the size while it grows.
    const byClient = new Map<string, Result>();
    let bytes = 0;
    await this.#renderings.projections(tabs, showing, ({ tab }, client, rendering) => {
      const known = byClient.get(client) ?? this.#result(query);
      byClient.set(client, known);
      bytes += known.add(tab, rendering);
      if (bytes > this.#options.limits.maxResultBytes) throw tooLarge(this.#options.limits.maxResultBytes);
    });
    const clients = [...byClient].sort(([a], [b]) => (a < b ? -1 : 1));
    const body = clients.map(
      ([client, tabsOfClient]) => `${JSON.stringify(client)}: ${tabsOfClient.body.trimEnd()}`,
    );
    return replyWith(form, `{${body.join(',\n')}}\n`, asOf(showing));
  }

  async superTabs(query: Query): Promise<HttpReply> {
    const { tabs, showing } = await this.#select(query);
    if (tabs.length === 0) throw new TabaError('unknown_tab', 'no tab matches');
    const rendering = await this.#renderings.superAggregate(tabs, showing);
    return replyInForm(query.form, rendering, (text) => `${text}\n`, asOf(showing));
  }

  async names({ selection, form }: Query): Promise<HttpReply> {
    const names = (await this.#tabsOf(selection)).map(({ tab }) => tab);
    return replyInForm(form, names, lines);
  }

  async clients({ selection, form }: Query): Promise<HttpReply> {
    const { owners, clock } = this.#options;
    const chosen = await selectClients(owners, selection, new QueryTurn(clock, selectBudgetMs));
    const ofTabs =
      selection.names === undefined
        ? undefined
        : clientsOf(await this.#tabsOf({ ...selection, clients: undefined }));
    const clients = owners.reading
      .clients()
      .filter((client) => (chosen === 'all' || chosen.has(client)) && (ofTabs?.has(client) ?? true));
    return replyInForm(form, clients, lines);
  }

  async types({ selection, form }: Query): Promise<HttpReply> {
    const tabs = await this.#tabsOf(selection);
    const types = Object.fromEntries(tabs.map(({ tab, type }) => [tab, type]));
    return replyInForm(form, types, () => lines(tabs.map(({ tab, type }) => `${tab}: ${type}`)));
  }

  /** The tabs of a selection; those of the clients, where it names some. */
  async #tabsOf(selection: Selection): Promise<OwnedTab[]> {
    const { owners, clock } = this.#options;
    const turn = new QueryTurn(clock, selectBudgetMs);
    const tabs = await selectTabs(owners, selection, turn);
    const clients = await selectClients(owners, selection, turn);
    if (clients === 'all') return tabs;
    return tabs.filter((tab) => [...tab.clients].some((client) => clients.has(client)));
  }

  async #select({
    selection,
    form,
  }: Query): Promise<{ readonly tabs: OwnedTab[]; readonly showing: Showing }> {
    const { owners, clock, latency } = this.#options;
    const selecting = new QueryTurn(clock, selectBudgetMs);
    const tabs = await selectTabs(owners, selection, selecting);
    const clients = await selectClients(owners, selection, selecting);
    const view = { nowSec: clock.nowMs() / 1000 - latency.discountSec };
    return { tabs, showing: { clients, form, view, turn: new QueryTurn(clock, renderBudgetMs) } };
  }

  #result({ form }: Query): Result {
    return new Result(form, this.#options.limits.maxResultBytes);
  }
}

function clientsOf(tabs: readonly OwnedTab[]): Set<string> {
  const clients = new Set<string>();
  for (const tab of tabs) for (const client of tab.clients) clients.add(client);
  return clients;
}

function asOf({ view }: Showing): Record<string, string> {
  return { 'x-taba-as-of': view.nowSec.toFixed(3) };
}

function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('');
}

/** What is made as a whole is measured as a whole; what grows is measured while it grows, see `Result`. */
function bounded(reply: HttpReply, maxBytes: number): HttpReply {
  if ((reply.body?.length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return reply;
}

function tooLarge(maxBytes: number): TabaError {
  return new TabaError('result_too_large', `the answer has more than ${maxBytes} bytes`);
}
