import { TabaError } from '../errors.js';
import type { EventMeta, Handler } from '../handlers/handler.js';
import type { Gathered } from './number-columns.js';

/**
 * Adds numbers that were gathered before to a State, all of one timestamp. They must not be used any more.
 * @throws TabaError `bad_value` if the type does not take them together
 */
export function foldGathered<S>(handler: Handler<S>, state: S, gathered: Gathered, meta: EventMeta): void {
  const { single } = gathered;
  if (single !== undefined) {
    handler.fold(state, single.value, { ...meta, weight: single.weight });
  } else if (handler.foldGathered !== undefined) {
    handler.foldGathered(state, gathered.numbers, meta);
  } else {
    throw new TabaError('bad_value', `a ${handler.type} takes one number at a time`);
  }
}
