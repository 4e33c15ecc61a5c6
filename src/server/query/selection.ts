import { TabaError } from '../../core/errors.js';
import type { ClientId, TabName } from '../../core/ids.js';
import type { Owners } from '../reduce/owners.js';
import type { OwnedTab } from '../reduce/reading.js';
import { Expression } from './expression.js';
import type { Parameters } from './parameters.js';
import type { QueryTurn } from './query-turn.js';

/** The parameters of routes that select tabs and clients. */
export const selectionParameters = ['name', 'client', 're'] as const;

/** What a query is about: all where nothing is said. With `re`, one expression for names and one for client ids. */
export interface Selection {
  readonly names: readonly string[] | Expression | undefined;
  readonly clients: readonly string[] | Expression | undefined;
}

/** @throws TabaError `bad_expression`, `bad_parameter` */
export function selectionOf(parameters: Parameters, maxExpressionBytes: number): Selection {
  if (!parameters.flag('re', false))
    return { names: parameters.list('name'), clients: parameters.list('client') };
  const expression = (name: string): Expression | undefined => {
    const text = parameters.text(name);
    return text === undefined ? undefined : new Expression(text, maxExpressionBytes);
  };
  return { names: expression('name'), clients: expression('client') };
}

/**
 * The tabs that a selection means, in the order of their names.
 *
 * @throws TabaError `unknown_tab`, naming those that were asked for by name and are not known
 */
export async function selectTabs(owners: Owners, { names }: Selection, turn: QueryTurn): Promise<OwnedTab[]> {
  const known = owners.reading.tabs();
  if (names === undefined) return sorted([...known]);
  if (names instanceof Expression) return sorted(await names.filter(known, ({ tab }) => tab, turn));
  const wanted = new Set(names);
  const found = [...known].filter(({ tab }) => wanted.has(tab));
  if (found.length < wanted.size) {
    for (const { tab } of found) wanted.delete(tab);
    const missing = [...wanted];
    throw new TabaError('unknown_tab', `unknown tab${missing.length > 1 ? 's' : ''}: ${missing.join(', ')}`, {
      missing,
    });
  }
  return sorted(found);
}

function sorted(tabs: OwnedTab[]): OwnedTab[] {
  return tabs.sort((a, b) => (a.tab < b.tab ? -1 : 1));
}

/**
 * The clients that a selection means, or `all` where it names none.
 *
 * @throws TabaError `unknown_client`, naming those that are not known
 */
export async function selectClients(
  owners: Owners,
  { clients }: Selection,
  turn: QueryTurn,
): Promise<'all' | ReadonlySet<ClientId>> {
  if (clients === undefined) return 'all';
  const known = owners.reading.clients();
  if (clients instanceof Expression) return new Set(await clients.filter(known, (client) => client, turn));
  const all = new Set<string>(known);
  const missing = clients.filter((client) => !all.has(client));
  if (missing.length > 0) {
    throw new TabaError(
      'unknown_client',
      `unknown client${missing.length > 1 ? 's' : ''}: ${missing.join(', ')}`,
      { missing },
    );
  }
  return new Set(clients as ClientId[]);
}

/** The selected names, for routes that change something. */
export async function selectNames(owners: Owners, selection: Selection, turn: QueryTurn): Promise<TabName[]> {
  return (await selectTabs(owners, selection, turn)).map(({ tab }) => tab);
}
