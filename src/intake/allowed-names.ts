import { TabaError } from '../core/errors.js';
import type { ClientId, TabName } from '../core/ids.js';
import type { Limits } from '../core/limits.js';
import { checkClientId, checkTabName } from '../core/names.js';
import type { DenyLists } from './deny-lists.js';

/** What a node allows of names, besides what is a name at all. */
export interface NameRules {
  readonly limits: Pick<Limits, 'maxNameBytes'>;
  readonly deny: DenyLists;
}

/** @throws TabaError `bad_name`, `denied` */
export function allowedTab(text: string, { limits, deny }: NameRules): TabName {
  if (text.length > limits.maxNameBytes) {
    throw new TabaError(
      'bad_name',
      `the tab name has ${text.length} bytes; ${limits.maxNameBytes} are allowed`,
    );
  }
  const name = checkTabName(text);
  if (deny.deniesTab(name)) throw new TabaError('denied', 'the tab name is on the deny-list of this node');
  return name;
}

/** @throws TabaError `bad_client`, `denied` */
export function allowedClient(text: string, { limits, deny }: NameRules): ClientId {
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
}
