import { ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { EncodedState, reduceState } from '../handlers/encoded-state.js';
import type { EventMeta, Handler } from '../handlers/handler.js';
import type { Gathered } from './gathered.js';

/** What is written here is read at once. */
const scratch = new ByteWriter(1024);

/**
 * Adds numbers that were gathered before to a State: all of one timestamp, or of several seconds where the type can tell them apart.
 * @param meta `timestampSec`: of the newest of them
 * @throws TabaError `bad_value` if the type does not take them together
 */
export function foldGathered<S>(handler: Handler<S>, state: S, gathered: Gathered, meta: EventMeta): void {
  if (gathered.bySecond.length > 1 && handler.encodeGathered !== undefined) {
    scratch.clear();
    handler.encodeGathered(gathered, meta.timestampSec, scratch);
    reduceState(handler as Handler, state, new EncodedState(scratch.peek()));
  } else if (gathered.min === gathered.max) {
    handler.fold(state, gathered.min, { ...meta, weight: gathered.count });
  } else if (handler.foldGathered !== undefined) {
    handler.foldGathered(state, gathered.histogram(), meta);
  } else {
    throw new TabaError('bad_value', `a ${handler.type} takes one number at a time`);
  }
}
