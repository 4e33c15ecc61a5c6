import t from 'tap';
import type { Handler } from '../../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { epochSec, stateOf, type TestEvent } from './state-kit.js';

const registry = builtinHandlers();
const nowSec = epochSec + 30;

function rendered(
  type: string,
  form: 'text' | 'json' | 'detailed',
  events: readonly TestEvent[],
  at = nowSec,
) {
  const handler = registry.get(type) as Handler;
  return handler.render(stateOf(handler, events), form, { nowSec: at });
}

/** One event per payload, `ageSec` before the present. */
function events(payloads: readonly unknown[], ageSec = 0): TestEvent[] {
  return payloads.map((payload, sequence) => ({
    payload,
    meta: { timestampSec: nowSec - ageSec, sequence },
  }));
}

const spread = [
  ...events([1, 2]),
  ...events([3, 4.5], 100),
  ...events([-6], 1000),
  ...events([0.25], 10_000),
];

t.test('CounterGroup as the first page of Taba shows it', async (t) => {
  t.equal(
    rendered('CounterGroup', 'text', spread),
    [
      '{',
      '    "1m": {"count": 2, "total": 3.00},',
      '    "10m": {"count": 4, "total": 10.50},',
      '    "1h": {"count": 5, "total": 4.50},',
      '    "1d": {"count": 6, "total": 4.75},',
      '    "pct": [0.25, 2.00, 3.00, 4.50, 4.50, 4.50, 4.50]}',
    ].join('\n'),
  );
});

t.test('CounterGroup as programs get it', async (t) => {
  t.same(rendered('CounterGroup', 'json', spread), {
    '1m': { count: 2, total: 3, average: 1.5 },
    '10m': { count: 4, total: 10.5, average: 2.625 },
    '1h': { count: 5, total: 4.5, average: 0.9 },
    '1d': { count: 6, total: 4.75, average: 4.75 / 6 },
    pct: { count: 6, total: 4.75, pct: [0.25, 2, 3, 4.5, 4.5, 4.5, 4.5] },
  });
});

t.test('CounterGroup in detail: its cells, its bounds, its histogram', async (t) => {
  const detailed = rendered('CounterGroup', 'detailed', spread) as unknown as Record<
    string,
    Record<string, unknown>
  >;
  const minute = detailed['1m']!;
  t.match(minute, { count: 2, total: 3, average: 1.5, from: nowSec - 59, to: nowSec + 1, rate: 2 / 60 });
  t.match(minute.cells, { width: 1, from: nowSec - 59 });
  t.same((minute.cells as { count: number[] }).count, [...new Array(59).fill(0), 2]);
  const day = detailed['1d']!.cells as { count: number[]; total: number[]; width: number };
  t.same([day.count.length, day.width], [96, 900]);
  t.equal(
    day.total.reduce((sum, total) => sum + total, 0),
    4.75,
  );
  t.match(detailed.pct, {
    count: 6,
    min: -6,
    max: 4.5,
    average: 4.75 / 6,
    percentiles: { p25: 0.25, p50: 2, p75: 3, p90: 4.5, p95: 4.5, p99: 4.5, 'p99.9': 4.5 },
    error_bound: 2 ** (1 / 128) - 1,
  });
  const { histogram } = detailed.pct as unknown as { histogram: [number, number, number][] };
  t.equal(histogram.length, 6);
  t.ok(histogram.every(([low, high, count]) => low < high && count === 1));
  t.notOk('coarse' in detailed.pct! || 'saturated' in detailed.pct!);
});

t.test('empty: zeros, and no percentiles', async (t) => {
  t.equal(
    rendered('CounterGroup', 'text', []),
    [
      '{',
      '    "1m": {"count": 0, "total": 0.00},',
      '    "10m": {"count": 0, "total": 0.00},',
      '    "1h": {"count": 0, "total": 0.00},',
      '    "1d": {"count": 0, "total": 0.00},',
      '    "pct": []}',
    ].join('\n'),
  );
  t.same(rendered('PercentileCounter', 'json', []), { count: 0, total: 0, pct: [] });
  t.match(rendered('PercentileCounter', 'detailed', []), { min: null, max: null, histogram: [] });
  t.same(rendered('TotalsCounter', 'json', []), { count: 0, total: 0, average: 0 });
  t.equal(rendered('TotalsCounter', 'text', []), '{"count": 0, "total": 0.00, "average": 0.00}');
});

t.test('PercentileGroup has a distribution per window, and forgets it', async (t) => {
  t.equal(
    rendered('PercentileGroup', 'text', spread),
    [
      '{',
      '    "1m": {"count": 2, "total": 3.00, "pct": [1.00, 2.00, 2.00, 2.00, 2.00, 2.00, 2.00]},',
      '    "10m": {"count": 4, "total": 10.50, "pct": [2.00, 3.00, 4.50, 4.50, 4.50, 4.50, 4.50]},',
      '    "1h": {"count": 5, "total": 4.50, "pct": [1.00, 2.00, 3.00, 4.50, 4.50, 4.50, 4.50]},',
      '    "1d": {"count": 6, "total": 4.75, "pct": [0.25, 2.00, 3.00, 4.50, 4.50, 4.50, 4.50]}}',
    ].join('\n'),
  );
  t.match(rendered('PercentileGroup', 'json', spread, nowSec + 86_400 * 2), {
    '1d': { count: 0, total: 0, pct: [] },
  });
  const detailed = rendered('PercentileGroup', 'detailed', spread, nowSec + 86_400 * 2);
  t.match(detailed, { all: { count: 6, total: 4.75, average: 4.75 / 6 } }, 'all time stays');
  const today = rendered('PercentileGroup', 'detailed', spread) as unknown as Record<
    string,
    Record<string, unknown>
  >;
  t.match(today['1m'], { min: 1, max: 2, from: epochSec - 30, to: epochSec + 45, rate: 2 / 75 });
  t.match(today['1m']!.cells, {
    width: 15,
    from: epochSec - 30,
    count: [0, 0, 0, 0, 2],
    total: [0, 0, 0, 0, 3],
  });
});

t.test('all-time counters', async (t) => {
  t.equal(
    rendered('PercentileCounter', 'text', spread),
    '{"count": 6, "total": 4.75, "pct": [0.25, 2.00, 3.00, 4.50, 4.50, 4.50, 4.50]}',
  );
  t.same(rendered('PercentileCounter', 'json', events([5])), {
    count: 1,
    total: 5,
    pct: [5, 5, 5, 5, 5, 5, 5],
  });
  t.equal(rendered('TotalsCounter', 'text', spread), '{"count": 6, "total": 4.75, "average": 0.79}');
  t.same(rendered('TotalsCounter', 'json', spread), { count: 6, total: 4.75, average: 4.75 / 6 });
});

t.test('small values keep three significant digits, fractional counts two decimals', async (t) => {
  const small = [0.00123456, 0.0099, 0.01, -0.005].map((value) =>
    rendered('TotalsCounter', 'text', events([value])),
  );
  t.same(small, [
    '{"count": 1, "total": 0.00123, "average": 0.00123}',
    '{"count": 1, "total": 0.00990, "average": 0.00990}',
    '{"count": 1, "total": 0.01, "average": 0.01}',
    '{"count": 1, "total": -0.00500, "average": -0.00500}',
  ]);
  const [event] = events([1]) as [TestEvent];
  const weighted = [{ ...event, meta: { ...event.meta, weight: 2.5 } }];
  t.equal(rendered('TotalsCounter', 'text', weighted), '{"count": 3, "total": 2.50, "average": 1.00}');
  t.match(rendered('CounterGroup', 'json', weighted), {
    '1m': { count: 2.5 },
    pct: { count: 2.5, total: 2.5 },
  });
});

t.test('totals that left the doubles are the largest one, and say so in detail', async (t) => {
  const huge = events([Number.MAX_VALUE, Number.MAX_VALUE]);
  for (const type of ['CounterGroup', 'PercentileGroup', 'PercentileCounter', 'TotalsCounter']) {
    const json = JSON.stringify(rendered(type, 'json', huge));
    t.match(json, '"total":1.7976931348623157e+308', type);
    t.match(JSON.stringify(rendered(type, 'detailed', huge)), '"saturated":true', type);
  }
  const both = [...huge, ...events([-Number.MAX_VALUE, -Number.MAX_VALUE], 5)];
  const handler = registry.get('TotalsCounter') as Handler;
  const into = handler.newState();
  handler.reduce(into, stateOf(handler, both.slice(0, 2)));
  handler.reduce(into, stateOf(handler, both.slice(2)));
  t.match(handler.render(into, 'detailed', { nowSec }), { total: 0, average: 0, saturated: true });
});

t.test('coarse values show in detail, with the bound that holds', async (t) => {
  const handler = registry.get('PercentileCounter') as Handler;
  const state = handler.newState();
  const meta = { timestampSec: nowSec, sequence: 0 };
  handler.foldHistogram!(state, { ranges: [{ low: 8, high: 10, count: 4 }] }, meta);
  t.match(handler.render(state, 'detailed', { nowSec }), {
    total: 36,
    coarse: { count: 4, error_bound: 0.25 },
  });
  handler.foldHistogram!(state, { ranges: [{ low: 0, high: 10, count: 1 }] }, meta);
  t.match(handler.render(state, 'detailed', { nowSec }), { coarse: { count: 5, error_bound: null } });
});

t.test('numbers are numbers', async (t) => {
  for (const type of ['CounterGroup', 'PercentileGroup', 'PercentileCounter', 'TotalsCounter']) {
    const { parse } = registry.get(type)!;
    t.same([parse(1.5), parse([1.5]), parse(0)], [1.5, 1.5, 0]);
    t.ok(Object.is(parse(-0), 0), 'there is one zero');
    for (const wrong of [
      '1.5',
      Number.NaN,
      Number.POSITIVE_INFINITY,
      true,
      null,
      undefined,
      [],
      [1, 2],
      ['1'],
      {},
      [[1]],
    ]) {
      t.throws(() => parse(wrong), { code: 'bad_value', message: /is not a finite number such as 1\.5/ });
    }
    t.throws(() => parse('1.5'), { message: '"1.5" is not a finite number such as 1.5, bare or as [1.5]' });
    t.throws(() => parse(Number.NaN), { message: /^NaN is not/ });
  }
});

t.test('idle for so long may be forgotten', async (t) => {
  for (const type of [
    'CounterGroup',
    'PercentileGroup',
    'PercentileCounter',
    'TotalsCounter',
    'Noop',
    'UniqueCounter',
  ]) {
    const handler = registry.get(type) as Handler;
    const state = stateOf(handler, events([type === 'UniqueCounter' ? 'x' : 1], 30));
    t.notOk(handler.shouldPrune(state, epochSec + 3599, 3600), type);
    t.ok(handler.shouldPrune(state, epochSec + 3600, 3600), type);
  }
});
