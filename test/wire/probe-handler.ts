import type { ByteReader, ByteWriter } from '../../src/core/bytes.js';
import { TabaError } from '../../src/core/errors.js';
import type { Handler } from '../../src/core/handlers/handler.js';
import { HandlerRegistry } from '../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../src/core/ids.js';

export interface ProbeState {
  sum: number;
}

/**
 * The least that a Handler can be: sums integers, encodes a State as one zigzag varint. The tests of codecs use it so
 * that their golden bytes do not depend on any real tab type.
 */
export function probeHandler(type = 'Probe', version = 2): Handler<ProbeState, number> {
  const decode = (input: ByteReader): ProbeState => ({ sum: input.signedVarint() });
  return {
    type: type as TabType,
    version,
    tabState: 'kept',
    parse(payload) {
      if (typeof payload !== 'number') throw new TabaError('bad_value', 'not a number');
      return payload;
    },
    newState: () => ({ sum: 0 }),
    fold(state, value) {
      state.sum += value;
    },
    reduce(into, from) {
      into.sum += from.sum;
    },
    aggregate(into, from) {
      into.sum += from.sum;
    },
    clampFuture: () => 0,
    render: (state) => state.sum,
    shouldPrune: () => false,
    encode(state: ProbeState, out: ByteWriter) {
      out.signedVarint(state.sum);
    },
    decode,
    upgrade(input, fromVersion) {
      // Version 1 had the sum doubled.
      if (fromVersion === 1) return { sum: decode(input).sum / 2 };
      throw new TabaError('corrupt', `Probe never had version ${fromVersion}`);
    },
  };
}

export function registryOf(...handlers: Handler[]): HandlerRegistry {
  const registry = new HandlerRegistry();
  for (const handler of handlers) registry.add(handler);
  return registry;
}

export const tabName = (text: string): TabName => text as TabName;
export const clientId = (text: string): ClientId => text as ClientId;
export const tabType = (text: string): TabType => text as TabType;

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** `bytes` with the bit `bit` of the whole flipped. */
export function withBitFlipped(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
}
