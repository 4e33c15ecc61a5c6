import type { TabType } from '../ids.js';
import { buffer } from './buffer.js';
import { counterGroup } from './counter-group.js';
import { expiryGauge } from './expiry-gauge.js';
import { gauge } from './gauge.js';
import type { Handler } from './handler.js';
import { checkHandler, handlerFault } from './handler-shape.js';
import { noop } from './noop.js';
import { percentileCounter } from './percentile-counter.js';
import { percentileGroup } from './percentile-group.js';
import { totalsCounter } from './totals-counter.js';
import { uniqueCounter } from './unique-counter.js';

/** The tab types that every node has: one row per type, under the name that the wire and the store know it by. */
const builtins = {
  Buffer: buffer,
  CounterGroup: counterGroup,
  ExpiryGauge: expiryGauge,
  Gauge: gauge,
  Noop: noop,
  PercentileCounter: percentileCounter,
  PercentileGroup: percentileGroup,
  TotalsCounter: totalsCounter,
  UniqueCounter: uniqueCounter,
} satisfies Record<string, Handler>;

/** Name of a tab type that every node has. */
export type BuiltinType = keyof typeof builtins;

/** Handlers by tab type. */
export class HandlerRegistry {
  readonly #handlers = new Map<string, Handler>();

  get(type: string): Handler | undefined {
    return this.#handlers.get(type);
  }

  /** @throws TabaError `bad_setting` if the type is taken */
  add(handler: Handler): void {
    if (this.#handlers.has(handler.type)) {
      throw handlerFault(handler.type, 'there is a handler for this type already');
    }
    this.#handlers.set(handler.type, handler);
  }

  types(): TabType[] {
    return [...this.#handlers.keys()].sort() as TabType[];
  }
}

/** A fresh registry of the built-in types. */
export function builtinHandlers(): HandlerRegistry {
  const registry = new HandlerRegistry();
  for (const handler of Object.values(builtins)) registry.add(handler);
  return registry;
}

/**
 * Adds handlers from modules that were loaded already: by tab type, what the module exports. All or none.
 * @throws TabaError `bad_setting`, see `checkHandler`
 */
export function loadHandlers(registry: HandlerRegistry, modules: Readonly<Record<string, unknown>>): void {
  const handlers = Object.entries(modules).map(([type, module]) => checkHandler(type, module));
  for (const { type } of handlers) {
    if (registry.get(type) !== undefined)
      throw handlerFault(type, 'there is a handler for this type already');
  }
  for (const handler of handlers) registry.add(handler);
}
