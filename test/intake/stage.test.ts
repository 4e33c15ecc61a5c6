import t from 'tap';
import { TabaError } from '../../src/core/errors.js';
import type { Handler } from '../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { defaultLimits } from '../../src/core/limits.js';
import type { PartMap } from '../../src/core/parts.js';
import { DenyLists } from '../../src/intake/deny-lists.js';
import { stage } from '../../src/intake/stage.js';
import type { Staged } from '../../src/intake/staged.js';
import type { Items } from '../../src/wire/item-sink.js';
import { encodeParts } from '../../src/wire/parts.js';
import { parseV1 } from '../../src/wire/v1.js';
import { probeHandler } from '../wire/probe-handler.js';
import { client, contextWith, jsonItems, nowSec, tab, type } from './node.js';

/** Pairs and their events, as `tab client type events`. */
function pairsOf(parts: PartMap): string[] {
  return [...parts.entries()].map((one) => `${one.tab} ${one.client} ${one.type} ${one.events}`).sort();
}

function codesOf(staged: Staged): [number, string][] {
  return staged.rejections.listed.map(({ index, code }) => [index, code]);
}

t.test('folds by tab and client; who names no client is the node itself', (t) => {
  const staged = stage(
    jsonItems(
      { name: 'a', value: 1 },
      { name: 'a', value: 2, client: 'c' },
      { name: 'b', value: 'up', type: 'Gauge' },
      { name: 'a', value: 3 },
    ),
    contextWith(),
  );
  t.strictSame(pairsOf(staged.parts), ['a c CounterGroup 1', 'a me CounterGroup 2', 'b me Gauge 1']);
  t.match(staged, { received: 4, accepted: 4, clamped: 0 });
  t.strictSame(codesOf(staged), []);
  t.end();
});

t.test('every fault of an item is rejected by its code and index, and the others count', (t) => {
  const deny = new DenyLists({ names: ['secret'], clients: ['evil'], maxExpressionBytes: 100 });
  const limits = { ...defaultLimits, maxNameBytes: 20, maxValueBytes: 8 };
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ name: '' }, 'bad_name', /empty/],
    [{ name: 'a b' }, 'bad_name', /" "/],
    [{ name: 'x'.repeat(21) }, 'bad_name', /21 bytes; 20 are allowed/],
    [{ name: 'ä' }, 'bad_name', /ä/],
    [{ client: '' }, 'bad_client', /empty/],
    [{ client: 'a,b' }, 'bad_client', /","/],
    [{ client: 'x'.repeat(21) }, 'bad_client', /21 bytes; 20 are allowed/],
    [{ name: 'secret_tab' }, 'denied', /^secret_tab: the tab name is on the deny-list/],
    [{ client: 'evil-host' }, 'denied', /the client evil-host is on the deny-list/],
    [{ type: 'Countergroup' }, 'unknown_type', /"Countergroup"/],
    [{ type: '__proto__' }, 'unknown_type', /"__proto__"/],
    [{ value: 'many' }, 'bad_value', /^a: /],
    [{ value: [1, 2] }, 'bad_value', /^a: /],
    [{ name: 'g', type: 'Gauge', value: '123456789' }, 'bad_value', /more than 8 bytes/],
    [{ timestamp: -1 }, 'bad_timestamp', /^a: the timestamp is -1/],
    [{ timestamp: -0.001 }, 'bad_timestamp', /-0.001/],
    [{ timestamp: '1' }, 'bad_timestamp', /a string/],
    [{ timestamp: [1] }, 'bad_timestamp', /a object/],
    [{ other: 1 }, 'bad_event', /"other"/],
  ];
  for (const [change, code, message] of cases) {
    const good = { name: 'a', value: 1 };
    const staged = stage(jsonItems(good, { ...good, ...change }, good), contextWith({ deny, limits }));
    const what = JSON.stringify(change);
    t.match(staged.rejections.listed, [{ index: 1, code, message }], what);
    t.match(staged, { received: 3, accepted: 2 }, what);
    t.strictSame(pairsOf(staged.parts), ['a me CounterGroup 2'], what);
  }
  t.end();
});

t.test('numbers that JSON cannot even say are rejected, too', (t) => {
  const staged = stage((sink) => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      sink.event({ client: 'c', tab: 'a', type: 'CounterGroup', timestampSec: 1, payload: odd });
      sink.event({ client: 'c', tab: 'a', type: 'CounterGroup', timestampSec: odd, payload: 1 });
    }
  }, contextWith());
  t.strictSame(
    codesOf(staged).map(([, code]) => code),
    ['bad_value', 'bad_timestamp', 'bad_value', 'bad_timestamp', 'bad_value', 'bad_timestamp'],
  );
  t.equal(staged.parts.pairs, 0);
  t.end();
});

t.test('a timestamp beyond the allowed skew is counted at the present and reported', (t) => {
  const times: number[] = [];
  const probe = {
    ...probeHandler('Probe'),
    fold: (_: unknown, __: unknown, meta: { timestampSec: number }) => {
      times.push(meta.timestampSec);
    },
  };
  const registry = builtinHandlers();
  registry.add(probe as Handler);
  const at = (timestamp?: number) => ({ name: 'a', value: 1, type: 'Probe', timestamp });
  const staged = stage(
    jsonItems(at(nowSec + 10), at(nowSec + 10.001), at(nowSec * 1000), at(0), at()),
    contextWith({ registry }),
  );
  t.strictSame(times, [nowSec + 10, nowSec, nowSec, 0, nowSec]);
  t.match(staged, { accepted: 5, clamped: 2 });
  t.end();
});

t.test('the type that the node knows wins, else the first that is accepted', (t) => {
  const gauge = { name: 'a', type: 'Gauge', value: 'x' };
  const count = { name: 'a', value: 1 };
  t.strictSame(codesOf(stage(jsonItems(gauge, count, gauge), contextWith())), [[1, 'type_conflict']]);
  const known = contextWith({ typeOf: () => type('CounterGroup') });
  t.strictSame(codesOf(stage(jsonItems(gauge, count, gauge), known)), [
    [0, 'type_conflict'],
    [2, 'type_conflict'],
  ]);
  const broken = { ...count, value: 'x' };
  t.strictSame(
    codesOf(stage(jsonItems(broken, gauge), contextWith())),
    [[0, 'bad_value']],
    'an item that does not count does not decide',
  );
  t.end();
});

t.test('room is asked for once a pair, and only when the framing is known to be good', (t) => {
  const asked: string[] = [];
  const context = contextWith({
    admits: (tab, client) => {
      asked.push(`${tab} ${client}`);
      if (tab === 'b') return 'too_many_tabs';
      return client === 'x' ? 'too_many_clients' : undefined;
    },
  });
  const future = { timestamp: nowSec + 60 };
  const staged = stage(
    jsonItems(
      { name: 'a', value: 1 },
      { name: 'b', value: 1, ...future },
      { name: 'a', value: 1, client: 'x' },
      { name: 'b', value: 1 },
      { name: 'a', value: 1, ...future },
    ),
    context,
  );
  t.strictSame(asked.sort(), ['a me', 'a x', 'b me']);
  t.strictSame(codesOf(staged), [
    [1, 'too_many_tabs'],
    [2, 'too_many_clients'],
    [3, 'too_many_tabs'],
  ]);
  t.match(staged, { received: 5, accepted: 2, clamped: 1 });
  t.strictSame(pairsOf(staged.parts), ['a me CounterGroup 2']);

  asked.length = 0;
  const breaks = new TabaError('bad_framing', 'cut off');
  t.throws(
    () =>
      stage((sink) => {
        jsonItems({ name: 'new', value: 1 })(sink);
        throw breaks;
      }, context),
    { code: 'bad_framing' },
  );
  t.strictSame(asked, []);
  t.end();
});

t.test('what an owner rejects later is mapped back to the items', (t) => {
  const one = (name: string, client: string) => ({ name, value: 1, client });
  const staged = stage(
    jsonItems(one('a', 'c'), one('b', 'c'), { bad: 1 }, one('a', 'd'), one('a', 'c'), one('b', 'd')),
    contextWith(),
  );
  const reject = (tab: string, client: string) =>
    staged.rejectLater([{ tab, client, code: 'type_conflict', message: `${tab} is a Gauge` }]);
  reject('a', 'c');
  t.strictSame(codesOf(staged), [
    [0, 'type_conflict'],
    [2, 'bad_event'],
    [4, 'type_conflict'],
  ]);
  t.equal(staged.accepted, 3);
  reject('a', 'c');
  reject('nobody', 'c');
  reject('b', 'nobody');
  t.equal(staged.accepted, 3, 'an item is rejected once');
  reject('b', '');
  t.strictSame(
    codesOf(staged).map(([index]) => index),
    [0, 1, 2, 4, 5],
  );
  t.equal(staged.accepted, 1);
  t.strictSame(
    [...staged.rejections.byCode],
    [
      ['bad_event', 1],
      ['type_conflict', 4],
    ],
  );
  t.end();
});

t.test('a Handler that throws anything at a value rejects that value', (t) => {
  const registry = builtinHandlers();
  const brittle: Handler = {
    ...(probeHandler('Brittle') as Handler),
    parse: () => {
      throw new TypeError('undefined is not a function');
    },
  };
  registry.add(brittle);
  const staged = stage(
    jsonItems({ name: 'a', type: 'Brittle', value: 1 }, { name: 'b', value: 1 }),
    contextWith({ registry }),
  );
  t.match(staged.rejections.listed, [
    { index: 0, code: 'bad_value', message: 'a: undefined is not a function' },
  ]);
  t.strictSame(pairsOf(staged.parts), ['b me CounterGroup 1']);
  t.end();
});

t.test('a Handler that throws at gathered numbers rejects all items of that tab and client', (t) => {
  const { staged } = brittleBody(1000);
  t.equal(staged.rejections.total, 1000);
  t.match(staged.rejections.listed[999], { index: 1998, code: 'bad_value', message: 'a: many are too much' });
  t.equal(staged.accepted, 1000);
  t.strictSame(pairsOf(staged.parts), ['b me CounterGroup 1000']);
  t.end();
});

t.test('a few numbers are folded one by one: a Handler that throws at one rejects that one', (t) => {
  const { staged } = brittleBody(3);
  t.match(staged.rejections.listed, [{ index: 2, code: 'bad_value', message: 'a: unlucky' }]);
  t.strictSame(pairsOf(staged.parts), ['a me Brittle 2', 'b me CounterGroup 3']);
  t.end();
});

/** Numbers 0 to `count` - 1 in turns to a tab whose Handler does not like 1, nor many at once, and to another. */
function brittleBody(count: number) {
  const registry = builtinHandlers();
  const { encodeGathered: _, ...counter } = registry.get('TotalsCounter')!;
  const brittle: Handler = {
    ...counter,
    type: type('Brittle'),
    fold(state, value, meta) {
      if (value === 1) throw new RangeError('unlucky');
      counter.fold(state, value, meta);
    },
    foldGathered() {
      throw new RangeError('many are too much');
    },
  };
  registry.add(brittle);
  const events = Array.from({ length: 2 * count }, (_, index) =>
    index % 2 === 0 ? { name: 'a', type: 'Brittle', value: index / 2 } : { name: 'b', value: index / 2 },
  );
  return { staged: stage(jsonItems(...events), contextWith({ registry })) };
}

t.test('many items: origins grow, rejections are counted in full and listed in part', (t) => {
  const events = Array.from({ length: 5000 }, (_, index) => ({
    name: `t${index % 7}`,
    value: index % 2 ? 1 : 'x',
  }));
  const staged = stage(jsonItems(...events), contextWith());
  t.match(staged, { received: 5000, accepted: 2500 });
  t.equal(staged.rejections.total, 2500);
  t.equal(staged.rejections.listed.length, 1000);
  t.equal(staged.rejections.listed[999]?.index, 1998);
  staged.rejectLater([{ tab: 't3', client: 'me', code: 'denied', message: '' }]);
  const expected = events.filter(({ name, value }) => name === 't3' && value === 1).length;
  t.equal(staged.rejections.byCode.get('denied'), expected);
  t.end();
});

t.test('numbers that come in runs are taken as if they came one by one', (t) => {
  const deny = new DenyLists({ names: ['secret'], clients: ['evil'], maxExpressionBytes: 100 });
  const types = ['CounterGroup', 'CounterGroup', 'PercentileGroup', 'Gauge', 'NoSuchType'];
  const typeOfTab: Record<string, string> = { t2: 'PercentileGroup', t3: 'Gauge', t4: 'NoSuchType' };
  const seconds = [nowSec, nowSec - 0.75, nowSec - 3, nowSec + 9, nowSec + 11, nowSec * 1000, -1, 1e25];
  let body = '1\n\n';
  let state = 7;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (const name of ['c1', 'evil', 'c2', 'a client', 'c3']) {
    body += `${name}\n\n`;
    for (const tabName of ['t1', 't2', 'secret', 't3', 'not a name', 't4']) {
      body += `${tabName}\n`;
      const type = typeOfTab[tabName] ?? 'CounterGroup';
      for (let left = 1 + next(700); left > 0; left--) {
        const own = next(50) === 0 ? types[next(5)]! : type;
        const value = next(60) === 0 ? 'x' : (next(90) - 10) / 8;
        const at = next(9) === 0 ? seconds[next(8)]! : nowSec - next(12) / 4;
        body += next(80) === 0 ? 'broken\n' : `["${own}", ${at}, "${value}"]\n`;
      }
      body += '\n';
    }
    body += '\n';
  }
  const bytes = new TextEncoder().encode(body);
  const inRuns = stage((sink) => parseV1(bytes, sink), contextWith({ deny }));
  const oneByOne = stage(
    (sink) =>
      parseV1(bytes, {
        event: (event) => sink.event(event),
        fault: (code, message) => sink.fault(code, message),
      }),
    contextWith({ deny }),
  );
  const { received, accepted, clamped, rejections } = inRuns;
  t.ok(accepted > 1000 && rejections.total > 500 && clamped > 10);
  t.match(oneByOne, { received, accepted, clamped });
  t.strictSame(rejections.byCode.size, 7);
  t.strictSame([...oneByOne.rejections.byCode].sort(), [...rejections.byCode].sort());
  t.strictSame(oneByOne.rejections.listed, rejections.listed);
  t.strictSame(pairsOf(oneByOne.parts), pairsOf(inRuns.parts));
  const encoded = ({ parts }: Staged) => Buffer.from(encodeParts(parts, builtinHandlers())).toString('hex');
  t.equal(encoded(oneByOne), encoded(inRuns));
  t.end();
});

t.test('a body of very many tabs, none of which is taken, costs no more than one that is', (t) => {
  const names = Array.from({ length: 200_000 }, (_, index) => `t${index}`);
  const items: Items = (sink) => {
    for (const name of names) {
      sink.event({ client: 'c', tab: name, type: 'CounterGroup', timestampSec: nowSec, payload: 1 });
    }
  };
  const refused = stage(items, contextWith({ admits: () => 'too_many_tabs' }));
  t.match(refused, { received: 200_000, accepted: 0 });
  t.strictSame([...refused.rejections.byCode], [['too_many_tabs', 200_000]]);
  t.equal(refused.parts.pairs, 0);
  const late = stage(items, contextWith());
  late.rejectLater(
    names.map((name) => ({ tab: tab(name), client: client('c'), code: 'too_many_states', message: name })),
  );
  t.match(late, { received: 200_000, accepted: 0 });
  t.match(late.rejections.listed[999], { index: 999, code: 'too_many_states', message: 't999' });
  t.end();
});

t.test('a value nested deeper than any stack is larger than the limit, not a crash', (t) => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 200_000; depth++) deep = [deep];
  const staged = stage(
    (sink) => sink.event({ client: 'c', tab: 'a', type: 'Noop', timestampSec: 1, payload: deep }),
    contextWith(),
  );
  t.match(staged.rejections.listed, [{ code: 'bad_value', message: /more than 1024 bytes/ }]);
  t.end();
});
