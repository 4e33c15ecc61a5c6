import type { HandlerRegistry } from '../handlers/registry.js';
import { PartMap } from '../parts.js';

export interface Encoded {
  readonly payload: Uint8Array;
  readonly events: number;
  /** What did not fit. */
  readonly left: PartMap | undefined;
}

/**
 * Encodes as many of `parts` as fit into `maxBytes`, and at least one: after a long outage the merged Parts of a bucket
 * can be larger than a frame. `parts` is not changed.
 */
export function encodeWithin(
  parts: PartMap,
  registry: HandlerRegistry,
  encode: (parts: PartMap) => Uint8Array,
  maxBytes: number,
): Encoded {
  let chosen = parts;
  let payload = encode(chosen);
  while (payload.length > maxBytes && chosen.pairs > 1) {
    // The larger the excess the smaller the next try; a little less than the share that should fit.
    const share = Math.min(0.5, (0.9 * maxBytes) / payload.length);
    chosen = firstPairs(chosen, registry, Math.max(1, Math.floor(chosen.pairs * share)));
    payload = encode(chosen);
  }
  if (chosen === parts) return { payload, events: parts.events, left: undefined };
  return { payload, events: chosen.events, left: withoutFirst(parts, registry, chosen.pairs) };
}

function firstPairs(parts: PartMap, registry: HandlerRegistry, count: number): PartMap {
  const first = new PartMap(registry);
  for (const { tab, type, client, state, events } of parts.entries()) {
    if (first.pairs === count) break;
    first.reduce(tab, type, client, state, events);
  }
  return first;
}

function withoutFirst(parts: PartMap, registry: HandlerRegistry, count: number): PartMap {
  const rest = new PartMap(registry);
  let index = 0;
  for (const { tab, type, client, state, events } of parts.entries()) {
    if (index++ >= count) rest.reduce(tab, type, client, state, events);
  }
  return rest;
}
