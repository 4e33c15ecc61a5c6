import { TabaError } from '../errors.js';
import type { EventMeta, Handler } from '../handlers/handler.js';
import type { Gathered } from './gathered.js';

/**
 * Adds numbers that were gathered before to a State, all of one timestamp.
 * @throws TabaError `bad_value` if the type does not take them together
 */
export function foldGathered<S>(handler: Handler<S>, state: S, gathered: Gathered, meta: EventMeta): void {
  if (gathered.min === gathered.max) {
    handler.fold(state, gathered.min, { ...meta, weight: gathered.count });
  } else if (handler.foldGathered !== undefined) {
    handler.foldGathered(state, gathered.histogram(), meta);
  } else {
    throw new TabaError('bad_value', `a ${handler.type} takes one number at a time`);
  }
}
