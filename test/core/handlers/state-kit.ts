import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import type { EventMeta, Handler } from '../../../src/core/handlers/handler.js';

/** What the law tests fold: a payload as it would come in, and its meta. */
export interface TestEvent {
  readonly payload: unknown;
  readonly meta: EventMeta;
}

/** A second that is the start of a cell in every ring: 21,600 * 66,000. */
export const epochSec = 1_425_600_000;

export function bytesOf<S>(handler: Handler<S>, state: S): string {
  const out = new ByteWriter();
  handler.encode(state, out);
  return Buffer.from(out.finish()).toString('hex');
}

export function copyOf<S>(handler: Handler<S>, state: S): S {
  const out = new ByteWriter();
  handler.encode(state, out);
  const input = new ByteReader(out.finish());
  const copy = handler.decode(input);
  input.end();
  return copy;
}

export function stateOf<S>(handler: Handler<S>, events: Iterable<TestEvent>): S {
  const state = handler.newState();
  for (const { payload, meta } of events) handler.fold(state, handler.parse(payload), meta);
  return state;
}

/** Timestamps that lie on and next to window edges, in the skew, minutes, hours, days and years off. */
export const timestamps = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -95, max: 12 }).map((sec) => epochSec + sec) },
  { weight: 3, arbitrary: fc.integer({ min: -4000, max: 4000 }).map((sec) => epochSec + sec) },
  { weight: 2, arbitrary: fc.integer({ min: -200_000, max: 100_000 }).map((sec) => epochSec + sec) },
  fc.constantFrom(0, 0.5, epochSec - 0.001, epochSec + 59.999, epochSec + 900, 4_000_000_000),
);

/** Weights as sample rates make them (1 / rate), of which sums are exact in any order. */
export const metas: fc.Arbitrary<EventMeta> = fc.record({
  timestampSec: timestamps,
  sequence: fc.integer({ min: 0, max: 3 }),
  weight: fc.constantFrom(1, 1, 1, 2.5, 10, 1000),
});

/**
 * Numbers whose sums are exact in any order (multiples of 1/8 below 2^20), with everything else that bites: zeros of both
 * signs, duplicates, negatives.
 */
export const exactNumbers = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.125, 1.5, 1_000_000, -1_000_000),
  fc.integer({ min: -8_000_000, max: 8_000_000 }).map((eighths) => eighths / 8),
);

/** Any finite number, to its very edges. */
export const anyNumbers = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  exactNumbers,
);

const gaugeValues = fc.oneof(
  fc.constantFrom('', '1.10', 'up', '\u{1F600}', '__proto__', 'x'.repeat(1024), 1.1, 0, -0, 1e300),
  fc.string({ maxLength: 8 }),
  anyNumbers,
);
const expiries = fc.oneof(
  fc.constantFrom(0, epochSec, epochSec + 1),
  fc.integer({ min: epochSec - 100, max: epochSec + 100 }),
);

/** Payloads that each built-in type accepts. */
export const payloads: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  Buffer: fc.tuple(gaugeValues, expiries),
  CounterGroup: exactNumbers,
  ExpiryGauge: fc.tuple(gaugeValues, expiries),
  Gauge: gaugeValues,
  Noop: fc.anything(),
  PercentileCounter: exactNumbers,
  PercentileGroup: exactNumbers,
  TotalsCounter: exactNumbers,
  UniqueCounter: fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string()),
};

export function eventsOf(type: string, maxLength = 40): fc.Arbitrary<TestEvent[]> {
  return fc.array(fc.record({ payload: payloads[type]!, meta: metas }), { maxLength });
}
