import { aggregateState, renderState } from '../../core/handlers/encoded-state.js';
import type { Handler, JsonValue, RenderForm, RenderView } from '../../core/handlers/handler.js';
import type { ClientId } from '../../core/ids.js';
import type { TabStates } from '../reduce/bucket-view.js';
import type { OwnedTab, Whose } from '../reduce/owned-tab.js';

/** Whose States, shown how, at which moment. */
export interface Showing {
  readonly clients: 'all' | ReadonlySet<ClientId>;
  readonly form: RenderForm;
  /** The same for everything in the answer. */
  readonly view: RenderView;
}

/** The States that an aggregate is made of. */
export function statesOfAggregate({ handler }: OwnedTab, { clients }: Showing): Whose {
  if (clients !== 'all') return clients;
  return handler?.tabState === 'kept' ? 'tab' : 'all clients';
}

/**
 * One State over the clients: the owner's own, or a fresh one.
 *
 * @returns undefined when none of the clients asked for has anything
 */
export function aggregateOf(
  { handler, tabState, clients }: TabStates,
  { clients: whose, view }: Showing,
): unknown {
  if (whose === 'all' && handler.tabState === 'kept') return tabState;
  if (whose !== 'all' && clients.size === 0) return undefined;
  const aggregate = handler.newState();
  for (const state of clients.values()) aggregateState(handler, aggregate, state, view.nowSec);
  return aggregate;
}

/** One client's State as it is shown. */
export function projectionOf(handler: Handler, state: unknown, showing: Showing): JsonValue {
  if (handler.tabState === 'kept') return rendered(handler, state, showing);
  const one = handler.newState();
  aggregateState(handler, one, state, showing.view.nowSec);
  return rendered(handler, one, showing);
}

export function rendered(handler: Handler, state: unknown, { form, view }: Showing): JsonValue {
  const rendering = renderState(handler, state, form, view);
  if (form !== 'detailed') return rendering;
  const isObject = typeof rendering === 'object' && rendering !== null && !Array.isArray(rendering);
  return { type: handler.type, as_of: view.nowSec, ...(isObject ? rendering : { values: rendering }) };
}

/** As it stands in an answer: text as it is, everything else as JSON. */
export function written(rendering: JsonValue, form: RenderForm): string {
  return form === 'text' ? String(rendering) : JSON.stringify(rendering);
}
