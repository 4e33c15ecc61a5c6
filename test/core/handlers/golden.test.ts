import t from 'tap';
import { ByteReader } from '../../../src/core/bytes.js';
import type { Handler } from '../../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { bytesOf, epochSec, stateOf, type TestEvent } from './state-kit.js';

/**
 * States as each Handler writes them. They must decode for ever: when an encoding changes, its version counts up, what it
 * wrote before moves to `older`, and goes through `upgrade`.
 */
interface Golden {
  readonly payloads: readonly unknown[];
  readonly hex: string;
  /** Written by earlier versions, from version 1 on. */
  readonly older?: readonly string[];
}

const golden: Readonly<Record<string, Golden>> = {
  Buffer: {
    payloads: [
      ['up', epochSec + 60],
      [1.5, epochSec + 90],
    ],
    hex: '0201b209d0e59dbe2af8e19dbe2a0100027570e0e39dbe2a80e09dbe2a00',
  },
  CounterGroup: {
    payloads: [1, 1.37, 0, -2, 1000],
    hex: '01f8b9c7cf0a031b0102001e01020c1e0102c03e0232010208020102ca0800000aaaec300cc03e070200030101023a0102c009010201fe01010200',
    older: [
      '01f8b9c7cf0a031b0102001e01020c1e0102c03e0232010208020102ca0800000aaaec300cc03e070200030101023a0102c009010201fe010102',
    ],
  },
  ExpiryGauge: {
    payloads: [['up', epochSec + 60]],
    hex: '0280e09dbe2a0000027570e0e39dbe2a00',
  },
  Gauge: {
    payloads: ['1.10'],
    hex: '0180e09dbe2a000004312e313000',
  },
  Noop: {
    payloads: [null],
    hex: '80b8c7cf0a',
  },
  PercentileCounter: {
    payloads: [1, 1.37, 0, -2, 1000, 0.1 + 0.2],
    hex: '0c9aee300cc03e07020004bd030102dd0101023a0102c009010201fe010102b6bac7cf0a',
  },
  PercentileGroup: {
    payloads: [1, 1.37],
    hex: '04ea0e0184c8d15a020401020808080700000101010200010102ca08ca08ca08070000017401020000000000',
    older: ['04ea0e0184c8d15a020401020808080700000101010200010102ca08ca08ca080700000174010200000000'],
  },
  TotalsCounter: {
    payloads: [1, 1.37],
    hex: '04ea0ebeb8c7cf0a',
  },
  UniqueCounter: {
    payloads: ['a', 'b', 'a'],
    hex: '0188c8d15a03020102013c9394a71bb0565501010201a479cdd906d2ca7b010102013c9394a71bb0565500000006023c9394a71bb05655a479cdd906d2ca7b',
  },
};

/** One event every 31 seconds: several cells, in more than one ring. */
function eventsOf(payloads: readonly unknown[]): TestEvent[] {
  return payloads.map((payload, at) => ({
    payload,
    meta: { timestampSec: epochSec + at * 31, sequence: at },
  }));
}

for (const type of builtinHandlers().types()) {
  t.test(`${type} is written as ever, and what was written is read`, async (t) => {
    const handler = builtinHandlers().get(type) as Handler;
    const { payloads, hex, older = [] } = golden[type]!;
    t.equal(handler.version, older.length + 1);
    t.equal(bytesOf(handler, stateOf(handler, eventsOf(payloads))), hex);
    const input = new ByteReader(Buffer.from(hex, 'hex'));
    const state = handler.decode(input);
    input.end();
    t.equal(bytesOf(handler, state), hex);
    for (const [at, written] of older.entries()) {
      const before = new ByteReader(Buffer.from(written, 'hex'));
      const upgraded = handler.upgrade(before, at + 1);
      before.end();
      t.equal(bytesOf(handler, upgraded), hex, `version ${at + 1}`);
    }
  });
}
