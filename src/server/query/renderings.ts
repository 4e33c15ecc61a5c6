import { TabaError } from '../../core/errors.js';
import type { Handler, JsonValue, RenderForm, RenderView } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId } from '../../core/ids.js';
import type { Owners } from '../reduce/owners.js';
import type { OwnedTab, TabView } from '../reduce/reading.js';
import type { QueryTurn } from './query-turn.js';

/** One query: whose States, shown how, at which moment. */
export interface Showing {
  readonly clients: 'all' | ReadonlySet<ClientId>;
  readonly form: RenderForm;
  /** The same for everything in the answer. */
  readonly view: RenderView;
  readonly turn: QueryTurn;
}

/** Reads States at their owners and renders them. */
export class Renderings {
  readonly #owners: Owners;
  readonly #registry: HandlerRegistry;

  constructor(owners: Owners, registry: HandlerRegistry) {
    this.#owners = owners;
    this.#registry = registry;
  }

  /** Calls `emit` with the aggregate of each tab, over the clients of the query. */
  async aggregates(
    tabs: readonly OwnedTab[],
    showing: Showing,
    emit: (tab: OwnedTab, rendering: JsonValue) => void,
  ): Promise<void> {
    await this.#each(tabs, showing, (tab, handler, view) => {
      const aggregate = aggregateOf(handler, view, showing);
      if (aggregate !== undefined) emit(tab, rendered(handler, aggregate, showing));
    });
  }

  /** Calls `emit` with every State of the clients of the query. */
  async projections(
    tabs: readonly OwnedTab[],
    showing: Showing,
    emit: (tab: OwnedTab, client: ClientId, rendering: JsonValue) => void,
  ): Promise<void> {
    await this.#each(
      tabs,
      showing,
      (tab, handler, { clients }) => {
        for (const client of [...clients.keys()].sort()) {
          const one = handler.newState();
          handler.aggregate(one, clients.get(client), showing.view.nowSec);
          emit(tab, client, rendered(handler, one, showing));
        }
      },
      'clients',
    );
  }

  /**
   * One rendering over all the tabs.
   *
   * @throws TabaError `mixed_types`, naming them
   */
  async superAggregate(tabs: readonly OwnedTab[], showing: Showing): Promise<JsonValue> {
    const types = [...new Set(tabs.map(({ type }) => type))];
    if (types.length > 1) {
      throw new TabaError(
        'mixed_types',
        `the tabs are of types ${types.sort().join(', ')}; a super-aggregate takes one`,
        { types },
      );
    }
    const handler = this.#handlerOf(tabs[0]!);
    const total = handler.newState();
    await this.#each(tabs, showing, (_tab, _handler, view) => {
      const aggregate = aggregateOf(handler, view, showing);
      if (aggregate !== undefined) handler.aggregate(total, aggregate, showing.view.nowSec);
    });
    return rendered(handler, total, showing);
  }

  async #each(
    tabs: readonly OwnedTab[],
    { clients, turn }: Showing,
    look: (tab: OwnedTab, handler: Handler, view: TabView) => void,
    needs: 'aggregate' | 'clients' = 'aggregate',
  ): Promise<void> {
    for (const tab of tabs) {
      const handler = this.#handlerOf(tab);
      const kept = needs === 'aggregate' && clients === 'all' && handler.tabState === 'kept';
      const whose = kept ? [] : clients === 'all' ? 'all' : [...clients];
      await this.#owners.reading.viewTab(tab.tab, whose, (view) => look(tab, handler, view));
      if (turn.isOver) await turn.next();
    }
  }

  #handlerOf({ tab, type }: OwnedTab): Handler {
    const handler = this.#registry.get(type);
    if (handler !== undefined) return handler;
    throw new TabaError('unknown_type', `${tab} is a ${type}, and no handler for that is loaded here`);
  }
}

/** @returns undefined when none of the clients asked for has anything */
function aggregateOf(handler: Handler, { tabState, clients }: TabView, showing: Showing): unknown {
  if (showing.clients === 'all' && handler.tabState === 'kept') return tabState;
  if (showing.clients !== 'all' && clients.size === 0) return undefined;
  const aggregate = handler.newState();
  for (const state of clients.values()) handler.aggregate(aggregate, state, showing.view.nowSec);
  return aggregate;
}

function rendered(handler: Handler, state: unknown, { form, view }: Showing): JsonValue {
  const rendering = handler.render(state, form, view);
  if (form !== 'detailed') return rendering;
  const isObject = typeof rendering === 'object' && rendering !== null && !Array.isArray(rendering);
  return { type: handler.type, as_of: view.nowSec, ...(isObject ? rendering : { values: rendering }) };
}
