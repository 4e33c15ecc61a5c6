import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../src/core/ids.js';
import { defaultLimits } from '../../src/core/limits.js';
import type { StageContext } from '../../src/intake/context.js';
import { noDenyLists } from '../../src/intake/deny-lists.js';
import type { Items } from '../../src/wire/item-sink.js';
import { parseJsonEvents } from '../../src/wire/json-events.js';

export const nowSec = 1_396_980_134;
export const registry = builtinHandlers();

/** A node that knows nothing yet and has room for everything, unless `change` says otherwise. */
export function contextWith(change: Partial<StageContext> = {}): StageContext {
  let sequence = 0;
  return {
    registry,
    limits: defaultLimits,
    nowMs: nowSec * 1000,
    defaultClient: 'me' as ClientId,
    deny: noDenyLists,
    typeOf: () => undefined,
    admits: () => undefined,
    nextSequence: () => sequence++,
    ...change,
  };
}

export const tab = (text: string): TabName => text as TabName;
export const client = (text: string): ClientId => text as ClientId;
export const type = (text: string): TabType => text as TabType;

/** Items as objects of the JSON protocol. */
export function jsonItems(...events: unknown[]): Items {
  const body = new TextEncoder().encode(JSON.stringify(events));
  return (sink) => parseJsonEvents(body, sink);
}
