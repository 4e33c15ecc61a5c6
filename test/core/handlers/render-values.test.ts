import t from 'tap';
import { maxBufferValues } from '../../../src/core/handlers/buffer.js';
import { gaugeMemorySec } from '../../../src/core/handlers/gauge.js';
import type { Handler } from '../../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { bytesOf, epochSec, stateOf } from './state-kit.js';

const registry = builtinHandlers();
const gauge = registry.get('Gauge') as Handler;
const expiryGauge = registry.get('ExpiryGauge') as Handler;
const buffer = registry.get('Buffer') as Handler;
const unique = registry.get('UniqueCounter') as Handler;
const view = { nowSec: epochSec };

const event = (payload: unknown, timestampSec = epochSec, sequence = 0) => ({
  payload,
  meta: { timestampSec, sequence },
});

function aggregateOf(handler: Handler, payloads: readonly unknown[], nowSec = epochSec): unknown {
  const into = handler.newState();
  for (const payload of payloads) handler.aggregate(into, stateOf(handler, [event(payload)]), nowSec);
  return into;
}

t.test('Gauge: what was set last, by time, then sequence, then value', async (t) => {
  const latest = (...events: ReturnType<typeof event>[]) =>
    gauge.render(stateOf(gauge, events), 'json', view);
  t.same(latest(event('new', epochSec), event('old', epochSec - 1)), { new: 1 });
  t.same(latest(event('a', epochSec, 2), event('b', epochSec, 1)), { a: 1 }, 'the later of one second');
  t.same(latest(event('b'), event('a')), { b: 1 });
  t.same(latest(event('2'), event(10)), { '2': 1 }, 'a string is above every number');
  t.match(gauge.render(stateOf(gauge, [event('up')]), 'detailed', view), {
    latest: { value: 'up', timestamp: epochSec },
  });
});

t.test('Gauge: the aggregate counts the clients that hold each value', async (t) => {
  const state = aggregateOf(gauge, ['up', 'down', 'up', 1.1, '1.10', '1.1', '__proto__']);
  const counts = { up: 2, '1.1': 2, '1.10': 1, down: 1, ['__proto__']: 1 };
  t.equal(
    JSON.stringify(Object.entries(gauge.render(state, 'json', view) as object).sort()),
    JSON.stringify(Object.entries(counts).sort()),
  );
  t.equal(
    gauge.render(state, 'text', view),
    '{\n    "up": 2,\n    "1.1": 2,\n    "1.10": 1,\n    "__proto__": 1,\n    "down": 1}',
  );
  t.match(gauge.render(state, 'detailed', view), {
    values: [
      { value: 'up', clients: 2 },
      { value: 1.1, clients: 1 },
      { value: '1.1', clients: 1 },
    ],
  });
  t.equal(gauge.render(gauge.newState(), 'text', view), '{}');
  t.same(gauge.render(gauge.newState(), 'json', view), {});
});

t.test('Gauge: forgotten after 48 h without an update', async (t) => {
  const state = stateOf(gauge, [event('up')]);
  const at = (nowSec: number) => [
    gauge.render(state, 'json', { nowSec }),
    gauge.render(aggregateOf(gauge, ['up'], nowSec), 'json', { nowSec }),
    gauge.shouldPrune(state, nowSec, 90 * 86_400),
  ];
  t.same(at(epochSec + gaugeMemorySec - 1), [{ up: 1 }, { up: 1 }, false]);
  t.same(at(epochSec + gaugeMemorySec), [{}, {}, true]);
  t.ok(gauge.shouldPrune(state, epochSec + 3600, 3600), 'sooner, if idle clients are forgotten sooner');
  t.equal(gaugeMemorySec, 172_800);
});

t.test('Gauge: accepts any string or number up to 1 KiB', async (t) => {
  t.equal(gauge.parse('1.10'), '1.10');
  t.equal(gauge.parse(1.1), 1.1);
  t.ok(Object.is(gauge.parse(-0), 0));
  t.equal((gauge.parse('x'.repeat(1024)) as string).length, 1024);
  t.throws(() => gauge.parse('x'.repeat(1025)), {
    code: 'bad_value',
    message: /1025 bytes; 1024 are allowed/,
  });
  t.throws(() => gauge.parse('\u00e9'.repeat(513)), { code: 'bad_value', message: /1026 bytes/ });
  for (const wrong of [Number.NaN, Number.NEGATIVE_INFINITY, true, null, undefined, ['up'], { up: 1 }]) {
    t.throws(() => gauge.parse(wrong), {
      code: 'bad_value',
      message: /neither a string nor a finite number/,
    });
  }
});

t.test('ExpiryGauge: until the given expiry, which a later value may shorten', async (t) => {
  const state = stateOf(expiryGauge, [event(['up', epochSec + 10])]);
  const at = (nowSec: number) => [
    expiryGauge.render(state, 'json', { nowSec }),
    expiryGauge.render(aggregateOf(expiryGauge, [['up', epochSec + 10]], nowSec), 'json', { nowSec }),
    expiryGauge.shouldPrune(state, nowSec, 1),
  ];
  t.same(at(epochSec + 9.9), [{ up: 1 }, { up: 1 }, false], 'not pruned before, however idle');
  t.same(at(epochSec + 10), [{}, {}, true]);
  const shortened = stateOf(expiryGauge, [
    event(['up', epochSec + 100]),
    event(['down', epochSec + 5], epochSec + 1),
  ]);
  t.same(expiryGauge.render(shortened, 'json', { nowSec: epochSec + 6 }), {});
  t.match(expiryGauge.render(shortened, 'detailed', view), {
    latest: { value: 'down', timestamp: epochSec + 1, expiry: epochSec + 5 },
  });
});

t.test('a pair of value and expiry', async (t) => {
  for (const handler of [expiryGauge, buffer]) {
    t.same(handler.parse(['up', 5.5]), { value: 'up', expirySec: 5.5 });
    for (const wrong of ['up', ['up'], ['up', 1, 2], null, { value: 'up', expiry: 1 }]) {
      t.throws(() => handler.parse(wrong), { code: 'bad_value', message: /is not a pair \[value, expiry/ });
    }
    for (const expiry of ['1', Number.NaN, -1, Number.POSITIVE_INFINITY, null]) {
      t.throws(() => handler.parse(['up', expiry]), { code: 'bad_value', message: /^the expiry / });
    }
    t.throws(() => handler.parse([true, 1]), { code: 'bad_value', message: /neither a string/ });
  }
});

t.test('Buffer: the values that have not expired, with their times', async (t) => {
  const state = stateOf(buffer, [
    event(['early', epochSec + 10], epochSec - 5),
    event(['late', epochSec + 20], epochSec - 4),
    event([7, epochSec + 20], epochSec - 6),
    event(['gone', epochSec], epochSec - 1),
  ]);
  t.same(buffer.render(state, 'json', view), [
    ['late', epochSec - 4],
    [7, epochSec - 6],
    ['early', epochSec - 5],
  ]);
  t.equal(
    buffer.render(state, 'text', { nowSec: epochSec + 10 }),
    `[\n    ["late", ${epochSec - 4}],\n    [7, ${epochSec - 6}]]`,
  );
  t.match(buffer.render(state, 'detailed', view), [
    { value: 'late', time: epochSec - 4, expiry: epochSec + 20 },
  ]);
  t.notOk(buffer.shouldPrune(state, epochSec + 19, 1));
  t.ok(buffer.shouldPrune(state, epochSec + 20, 1e9));
  t.equal(buffer.render(state, 'text', { nowSec: epochSec + 20 }), '[]');
});

t.test('Buffer: keeps the 1,000 that expire last, whoever merges', async (t) => {
  const all = Array.from({ length: maxBufferValues * 2 }, (_, at) =>
    event([at, epochSec + 1 + ((at * 7919) % 2000)]),
  );
  const folded = stateOf(buffer, all);
  const merged = stateOf(buffer, all.slice(500));
  buffer.reduce(merged, stateOf(buffer, all.slice(0, 500)));
  for (const state of [folded, merged]) {
    const rows = buffer.render(state, 'detailed', view) as { expiry: number }[];
    t.same([rows.length, rows[0]!.expiry, rows.at(-1)!.expiry], [1000, epochSec + 2000, epochSec + 1001]);
  }
});

t.test('Buffer: one value recorded twice in a moment is kept in one order', async (t) => {
  const twice = [event(['a', epochSec + 9], epochSec, 1), event(['a', epochSec + 9], epochSec, 2)];
  const [forth, back] = [twice, [...twice].reverse()].map((events) =>
    bytesOf(buffer, stateOf(buffer, events)),
  );
  t.equal(forth, back);
  t.equal((buffer.render(stateOf(buffer, twice), 'json', view) as unknown[]).length, 2);
});

t.test('Buffer and gauges: times ahead become the present', async (t) => {
  const ahead = [event(['a', epochSec + 99], epochSec + 11), event(['b', epochSec + 99], epochSec + 10)];
  const state = stateOf(buffer, ahead);
  t.equal(buffer.clampFuture(state, epochSec + 10, epochSec), 1);
  t.same(buffer.render(state, 'json', view), [
    ['b', epochSec + 10],
    ['a', epochSec],
  ]);
  const held = stateOf(gauge, [event('x', epochSec + 3600)]);
  t.equal(gauge.clampFuture(held, epochSec + 10, epochSec), 1);
  gauge.reduce(held, stateOf(gauge, [event('y', epochSec + 1)]));
  t.same(
    gauge.render(held, 'json', view),
    { y: 1 },
    'a clock that ran ahead does not hold its value for ever',
  );
});

t.test('UniqueCounter: distinct values per window and ever', async (t) => {
  const state = stateOf(unique, [
    event('a', epochSec),
    event('b', epochSec),
    event('a', epochSec - 1),
    event('c', epochSec - 300),
    event('a', epochSec - 2000),
    event('d', epochSec - 2000),
    event('e', epochSec - 50_000),
    event('f', epochSec - 500_000),
  ]);
  t.equal(unique.render(state, 'text', view), '{"1m": 2, "10m": 3, "1h": 4, "1d": 5, "all": 6}');
  t.same(unique.render(state, 'json', view), { '1m': 2, '10m': 3, '1h': 4, '1d': 5, all: 6 });
  t.match(unique.render(state, 'detailed', view), {
    '1m': { distinct: 2, count: 3, exact: true, cells: { width: 15, distinct: [0, 0, 0, 1, 2] } },
    all: { distinct: 6, count: 8, exact: true },
  });
  t.throws(() => unique.parse(1), { code: 'bad_value', message: '1 is not a string' });
  t.throws(() => unique.parse('x'.repeat(1025)), { code: 'bad_value', message: /1025 bytes/ });
});

t.test('Noop takes anything and shows nothing', async (t) => {
  const noop = registry.get('Noop') as Handler;
  const state = stateOf(noop, [event({ any: 'thing' }), event(Number.NaN)]);
  t.equal(noop.render(state, 'text', view), 'nothing');
  t.equal(noop.render(state, 'json', view), null);
});

t.test('who keeps a State over all clients', async (t) => {
  const derived = registry.types().filter((type) => registry.get(type)!.tabState === 'derived');
  t.same(derived, ['ExpiryGauge', 'Gauge']);
});
