import t from 'tap';
import { NumberColumns } from '../../src/core/gather/number-columns.js';
import { decodedState, EncodedState } from '../../src/core/handlers/encoded-state.js';
import type { Handler } from '../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../src/core/ids.js';
import { PartMap } from '../../src/core/parts.js';
import { bytesOf, epochSec } from './handlers/state-kit.js';

const registry = builtinHandlers();
const gatheredTypes = ['CounterGroup', 'TotalsCounter', 'PercentileGroup', 'PercentileCounter'];
const tab = (name: string) => name as TabName;
const type = (name: string) => name as TabType;
const client = (name: string) => name as ClientId;
const meta = { timestampSec: epochSec, sequence: 0 };

function contents(parts: PartMap): unknown[] {
  return [...parts.entries()].map((part) => [
    part.tab,
    part.type,
    part.client,
    part.events,
    bytesOf(registry.get(part.type) as Handler, decodedState(registry.get(part.type) as Handler, part.state)),
  ]);
}

function example(): PartMap {
  const parts = new PartMap(registry);
  parts.fold(tab('hits'), type('TotalsCounter'), client('a'), 1, meta);
  parts.fold(tab('hits'), type('TotalsCounter'), client('a'), 2, meta);
  parts.fold(tab('hits'), type('TotalsCounter'), client('b'), 4, meta);
  parts.fold(tab('state'), type('Gauge'), client('a'), 'up', meta);
  return parts;
}

t.test('counts events and pairs, tab by tab', async (t) => {
  const parts = example();
  t.same([parts.events, parts.pairs, parts.tabs], [4, 3, 2]);
  t.same(
    contents(parts).map((row) => (row as unknown[]).slice(0, 4)),
    [
      ['hits', 'TotalsCounter', 'a', 2],
      ['hits', 'TotalsCounter', 'b', 1],
      ['state', 'Gauge', 'a', 1],
    ],
  );
  t.equal(parts.typeOf(tab('hits')), 'TotalsCounter');
  t.equal(parts.typeOf(tab('misses')), undefined);
  t.ok(parts.has(tab('hits'), client('b')));
  t.notOk(parts.has(tab('state'), client('b')));
});

t.test('an event weighs one in the books, whatever its weight', async (t) => {
  const parts = new PartMap(registry);
  parts.fold(tab('hits'), type('TotalsCounter'), client('a'), 3, { ...meta, weight: 10 });
  t.equal(parts.events, 1);
  const [part] = [...parts.entries()];
  t.match(part, { events: 1, state: { count: 10, total: 30 } });
});

t.test('an unknown type, and a second type of one tab, are refused and change nothing', async (t) => {
  const parts = example();
  const before = contents(parts);
  const conflict = { code: 'type_conflict', message: 'hits is a TotalsCounter, not a Gauge' };
  t.throws(() => parts.fold(tab('hits'), type('Gauge'), client('a'), 'up', meta), conflict);
  t.throws(() => parts.reduce(tab('hits'), type('Gauge'), client('a'), {}, 1), conflict);
  const unknown = { code: 'unknown_type', message: 'no handler for the tab type "Counter"' };
  t.throws(() => parts.fold(tab('new'), type('Counter'), client('a'), 1, meta), unknown);
  t.throws(() => parts.reduce(tab('new'), type('Counter'), client('a'), {}, 1), unknown);
  t.same(contents(parts), before);
  t.equal(parts.typeOf(tab('new')), undefined, 'no empty tab stays behind');
});

t.test('reduce keeps a copy', async (t) => {
  const handler = registry.get('TotalsCounter')!;
  const state = handler.newState();
  handler.fold(state, 5, meta);
  const parts = new PartMap(registry);
  parts.reduce(tab('hits'), type('TotalsCounter'), client('a'), state, 1);
  parts.fold(tab('hits'), type('TotalsCounter'), client('a'), 1, meta);
  parts.reduce(tab('hits'), type('TotalsCounter'), client('a'), state, 1);
  t.match(state, { count: 1, total: 5 });
  t.match([...parts.entries()], [{ events: 3, state: { count: 3, total: 11 } }]);
});

t.test('reduceAll merges everything, or nothing at all', async (t) => {
  const into = example();
  into.reduceAll(example());
  t.same([into.events, into.pairs], [8, 3]);
  t.match([...into.entries()][0], { events: 4, state: { count: 4, total: 6 } });

  const other = new PartMap(registry);
  other.fold(tab('fresh'), type('TotalsCounter'), client('a'), 1, meta);
  other.fold(tab('state'), type('TotalsCounter'), client('a'), 1, meta);
  t.same(into.conflicts(other), [{ tab: 'state', type: 'Gauge', otherType: 'TotalsCounter' }]);
  const before = contents(into);
  t.throws(() => into.reduceAll(other), {
    code: 'type_conflict',
    message: 'state is a Gauge, not a TotalsCounter',
  });
  t.same(contents(into), before);
});

t.test('what is given away is merged where it goes, and is here no more', async (t) => {
  const merged = new PartMap(registry);
  merged.reduceAll(example());
  merged.reduceAll(example());

  const [from, hits, others] = [example(), new PartMap(registry), new PartMap(registry)];
  from.giveAway(({ name }) => (name === 'hits' ? hits : others));
  t.same([from.events, from.pairs, from.tabs, contents(from)], [0, 0, 0, []]);
  t.same([hits.events, hits.pairs, hits.tabs], [3, 2, 1]);
  t.same([others.events, others.pairs, others.tabs], [1, 1, 1]);
  example().giveAway(({ name }) => (name === 'hits' ? hits : others));
  t.same([hits.events, hits.pairs, others.events], [6, 2, 2]);
  t.same([...contents(hits), ...contents(others)], contents(merged));

  from.fold(tab('hits'), type('TotalsCounter'), client('a'), 8, meta);
  t.same([from.events, hits.events], [1, 6], 'what comes here later stays here');
  const last = example();
  last.giveAway(({ name }) => (name === 'hits' ? undefined : others));
  t.same([last.events, others.events], [0, 3], 'a tab that nobody wants is gone');
  const conflicting = new PartMap(registry);
  conflicting.fold(tab('hits'), type('Gauge'), client('a'), 'up', meta);
  t.throws(() => conflicting.giveAway(() => hits), { code: 'type_conflict' });
});

t.test('put keeps what it is given, and a copy is apart', async (t) => {
  const parts = new PartMap(registry);
  const handler = registry.get(type('TotalsCounter'))! as Handler;
  const state = handler.newState();
  handler.fold(state, 1, meta);
  parts.put(tab('hits'), type('TotalsCounter'), client('a'), state, 1);
  t.equal([...parts.entries()][0]?.state, state);
  const copy = parts.copy();
  parts.put(tab('hits'), type('TotalsCounter'), client('a'), state, 1);
  t.same([parts.events, parts.pairs, copy.events, copy.pairs], [2, 1, 1, 1]);
  t.notSame(contents(copy), contents(parts));
});

t.test('a State that is still encoded counts as the State itself, and stays as it is', async (t) => {
  const handler = registry.get(type('CounterGroup'))! as Handler<unknown, number>;
  const hits = [tab('hits'), type('CounterGroup')] as const;
  const stateWith = (value: number) => {
    const state = handler.newState();
    handler.fold(state, value, meta);
    return state;
  };
  const encodedWith = (value: number) => {
    // Between other bytes: only its own are its own.
    const bytes = Buffer.from(`ff${bytesOf(handler, stateWith(value))}ff`, 'hex');
    return new EncodedState(bytes, 1, bytes.length - 1);
  };
  const gathered = new NumberColumns();
  const fill = (parts: PartMap, stateOf: (value: number) => unknown) => {
    parts.put(...hits, client('alone'), stateOf(1), 1);
    parts.put(...hits, client('put'), stateOf(2), 1);
    parts.put(...hits, client('put'), stateOf(3), 1);
    parts.reduce(...hits, client('reduced'), stateOf(4), 1);
    parts.reduce(...hits, client('reduced'), stateOf(5), 1);
    parts.put(...hits, client('folded'), stateOf(6), 1);
    parts.fold(...hits, client('folded'), 7, meta);
    parts.put(...hits, client('gathered'), stateOf(8), 1);
    gathered.add(0, 9, 1);
    gathered.drain((_row, numbers) => parts.foldGathered(...hits, client('gathered'), numbers, meta));
    parts.put(...hits, client('cumulative'), stateOf(10), 1);
    parts.foldCumulative(...hits, client('cumulative'), {
      stream: 1,
      startSec: epochSec - 9,
      timeSec: epochSec,
      monotonic: true,
      value: 4,
    });
  };
  const expected = new PartMap(registry);
  fill(expected, stateWith);
  const parts = new PartMap(registry);
  const kept = new Map<number, EncodedState>();
  fill(parts, (value) => {
    const state = encodedWith(value);
    kept.set(value, state);
    return state;
  });
  t.same(contents(parts), contents(expected));
  t.same(contents(parts.copy()), contents(expected));
  t.equal([...parts.entries()][0]?.state, kept.get(1), 'what is alone is not decoded');
  for (const [value, state] of kept) {
    t.equal(
      bytesOf(handler, state.decoded(handler)),
      bytesOf(handler, stateWith(value)),
      `${value} as before`,
    );
  }
});

t.test('remove says how many events went', async (t) => {
  const parts = example();
  t.equal(parts.remove(tab('hits'), client('a')), 2);
  t.same([parts.events, parts.pairs], [2, 2]);
  t.equal(parts.remove(tab('hits'), client('a')), 0);
  t.equal(parts.remove(tab('hits')), 1);
  t.equal(parts.typeOf(tab('hits')), undefined);
  t.equal(parts.remove(tab('hits')), 0);
  parts.fold(tab('hits'), type('Gauge'), client('a'), 'up', meta);
  t.equal(parts.typeOf(tab('hits')), 'Gauge', 'the name is free for another type');
  parts.clear();
  t.same([parts.events, parts.pairs, parts.tabs, contents(parts)], [0, 0, 0, []]);
  t.equal(parts.remove(tab('hits')), 0);
});

t.test('a histogram from outside goes to the types of numbers only', async (t) => {
  const parts = new PartMap(registry);
  const histogram = { ranges: [{ low: 0, high: 10, count: 6 }], total: 30 };
  for (const name of ['CounterGroup', 'PercentileGroup', 'PercentileCounter', 'TotalsCounter']) {
    parts.foldHistogram(tab(name), type(name), client('a'), histogram, meta);
    const [part] = [...parts.entries()].filter((entry) => entry.tab === name);
    const view = { nowSec: epochSec };
    t.match(
      JSON.stringify(registry.get(name)!.render(part!.state, 'json', view)),
      '"count":6,"total":30',
      name,
    );
  }
  t.equal(parts.events, 4);
  const fault = { code: 'bad_value', message: 'a Gauge takes no histograms' };
  t.throws(() => parts.foldHistogram(tab('g'), type('Gauge'), client('a'), histogram, meta), fault);
});

t.test('a Handler that throws leaves nothing behind', async (t) => {
  const broken = builtinHandlers();
  const fold = () => {
    throw new Error('broken');
  };
  broken.add({ ...(registry.get('Noop') as Handler), type: type('Broken'), fold });
  const parts = new PartMap(broken);
  t.throws(() => parts.fold(tab('x'), type('Broken'), client('a'), 1, meta), /broken/);
  t.same([parts.events, parts.pairs, parts.typeOf(tab('x'))], [0, 0, undefined]);
});

t.test('numbers that were gathered count as if each had come by itself', (t) => {
  const values = [1, 2, 2, 1000, -3];
  for (const name of gatheredTypes) {
    const columns = new NumberColumns();
    const single = new PartMap(registry);
    for (const value of values) {
      columns.add(0, value, 1);
      single.fold(tab('many'), type(name), client('a'), value, meta);
    }
    for (const weight of [1, 4]) {
      columns.add(1, 7, weight);
      single.fold(tab('one'), type(name), client('a'), 7, { ...meta, weight });
    }
    const gathered = new PartMap(registry);
    columns.drain((row, its) => {
      gathered.foldGathered(tab(row === 0 ? 'many' : 'one'), type(name), client('a'), its, meta);
    });
    t.same(contents(gathered), contents(single), name);
    t.equal(gathered.events, 7);
    columns.add(0, 5, 1);
    columns.drain((_, its) => gathered.foldGathered(tab('many'), type(name), client('a'), its, meta));
    single.fold(tab('many'), type(name), client('a'), 5, meta);
    t.same(contents(gathered), contents(single), `${name}, once more`);
  }
  t.end();
});

t.test('types that do not take numbers together say so, and keep nothing', (t) => {
  const columns = new NumberColumns();
  columns.add(0, 1, 1);
  columns.add(0, 2, 1);
  const parts = new PartMap(registry);
  columns.drain((_, its) => {
    t.throws(() => parts.foldGathered(tab('g'), type('Gauge'), client('a'), its, meta), {
      code: 'bad_value',
    });
  });
  t.equal(parts.pairs, 0);
  t.end();
});

t.test('one value may stand for several events whose values do not matter any more', (t) => {
  const parts = new PartMap(registry);
  parts.fold(tab('g'), type('Gauge'), client('a'), 3, meta, 5);
  parts.fold(tab('g'), type('Gauge'), client('a'), 4, { ...meta, sequence: 1 }, 2);
  t.equal(parts.events, 7);
  t.end();
});
