import t from 'tap';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { Mapping } from '../../../src/intake/mapping/mapping.js';
import { readRules } from '../../../src/intake/mapping/mapping-rule.js';
import { type MetricKind, metricNameOf } from '../../../src/wire/statsd/metric.js';

const context = { registry: builtinHandlers(), maxExpressionBytes: 100 };

function mapped(rules: unknown, kind: MetricKind, name: string, tags = ''): string {
  const bytes = Buffer.from(name + tags);
  const end = Buffer.byteLength(name);
  const metric = metricNameOf(bytes, 0, end, end, bytes.length);
  const { rule, tab, type, signIsChange } = new Mapping(readRules(rules, context)).map(kind, metric, 100);
  return [rule ?? '-', tab ?? 'dropped', type, ...(signIsChange ? [] : ['values'])].join(' ');
}

t.test('without rules, the kinds have their types', async (t) => {
  t.equal(mapped([], 'c', 'hits', 'env:prod'), '- hits;env=prod CounterGroup');
  t.equal(mapped([], 'g', 'hits'), '- hits Gauge');
  for (const kind of ['ms', 'h', 'd'] as const) t.equal(mapped([], kind, 'hits'), '- hits PercentileGroup');
  t.equal(mapped([], 's', 'hits'), '- hits UniqueCounter');
});

t.test('the first rule that fits decides', async (t) => {
  const rules = [
    { match: 'debug\\.', drop: true },
    { match: 'app\\.', metrics: ['ms', 'h'], type: 'PercentileCounter' },
    { match: 'app\\.[^.]+\\.latency$', type: 'TotalsCounter' },
    { match: '.*', 'drop-tags': ['pod', 'a b'] },
  ];
  t.equal(mapped(rules, 'c', 'debug.x'), '1 dropped CounterGroup');
  t.equal(mapped(rules, 'ms', 'app.web.latency'), '2 app.web.latency PercentileCounter');
  t.equal(mapped(rules, 'd', 'app.web.latency'), '3 app.web.latency TotalsCounter');
  t.equal(mapped(rules, 'd', 'app.web.latency2'), '4 app.web.latency2 PercentileGroup');
  t.equal(mapped(rules, 'c', 'not.app.x'), '4 not.app.x CounterGroup', 'from the beginning of the name');
  t.equal(mapped(rules, 'c', 'x', 'pod:1,env:prod,a b:c'), '4 x;env=prod CounterGroup');
});

t.test('renaming replaces what matched', async (t) => {
  const rename = (match: string, to: string, name: string) => mapped([{ match, rename: to }], 'c', name);
  t.equal(rename('app\\.([^.]+)\\.', 'app.', 'app.web1.hits'), '1 app.hits CounterGroup');
  t.equal(rename('(\\w+)\\.(\\w+)$', '$2.$1', 'a.b'), '1 b.a CounterGroup');
  t.equal(rename('a', '$$x', 'ab'), '1 $xb CounterGroup');
  t.equal(rename('a(x)?', 'q$1', 'ab'), '1 qb CounterGroup', 'a group that took no part is empty');
  t.equal(rename('x', 'y', 'ab'), '- ab CounterGroup', 'a rule that does not fit');
  t.throws(() => rename('a', '', 'a'), { code: 'bad_name' });
  t.throws(() => rename('a', 'b c', 'a'), { code: 'bad_name', message: /"b c"/ });
  t.throws(() => rename('a', 'b'.repeat(101), 'a'), { code: 'bad_name', message: '101 bytes' });
});

t.test('tags: none, some or all; signs of gauges', async (t) => {
  t.equal(mapped([{ match: 'x', 'drop-tags': true }], 'c', 'x;a=b', 'c:d,e'), '1 x CounterGroup');
  t.equal(mapped([{ match: 'x', 'drop-tags': ['a'] }], 'c', 'x;a=b', 'a:c,e'), '1 x;e CounterGroup');
  t.equal(mapped([{ match: 'x', signed: 'value' }], 'g', 'x'), '1 x Gauge values');
  t.equal(mapped([{ match: 'x', signed: 'change' }], 'g', 'x'), '1 x Gauge');
});

t.test('rules that cannot be meant are refused, by number', async (t) => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /^mapping: not a list of rules$/],
    [[1], /^mapping: rule 1: not an object/],
    [[[]], /rule 1: not an object/],
    [[{ match: 'a' }, {}], /rule 2: match: undefined is wrong: it takes a regular expression/],
    [[{ match: '' }], /rule 1: match: "" is wrong/],
    [[{ match: '(' }], /rule 1: match: "\(" is not a regular expression/],
    [[{ match: 'a)(?:b' }], /is not a regular expression/],
    [[{ match: '(?=a)' }], /is not a regular expression/],
    [[{ match: 'x'.repeat(101) }], /101 bytes; 100 are allowed/],
    [[{ match: 'a', mtach: 'b' }], /"mtach": there are match, metrics, drop/],
    [[{ match: 'a', metrics: 'c' }], /metrics: "c" is wrong: it takes a list of kinds/],
    [[{ match: 'a', metrics: [] }], /metrics/],
    [[{ match: 'a', metrics: ['x'] }], /metrics: \["x"\]/],
    [[{ match: 'a', drop: false }], /drop: false is wrong: it takes true/],
    [[{ match: 'a', drop: true, type: 'Gauge' }], /nothing for the other fields/],
    [[{ match: 'a', type: 'Guage' }], /type: there is no "Guage"; there are Buffer, CounterGroup/],
    [[{ match: 'a', type: 'Buffer' }], /Buffer takes an expiry/],
    [[{ match: 'a', type: 1 }], /type: 1 is wrong/],
    [[{ match: 'a', rename: 1 }], /rename: 1 is wrong/],
    [[{ match: 'a', rename: '$1' }], /rename: \$1 is none of the 0 groups/],
    [[{ match: '(a)', rename: '$2' }], /rename: \$2 is none of the 1 groups/],
    [[{ match: '(a)', rename: '$x' }], /rename: \$x/],
    [[{ match: '(a)', rename: 'a$' }], /rename: \$ is none/],
    [[{ match: '(a)', rename: '$0' }], /rename: \$0/],
    [[{ match: 'a', 'drop-tags': [] }], /drop-tags/],
    [[{ match: 'a', 'drop-tags': 'x' }], /drop-tags: "x" is wrong: it takes a list of keys, or true/],
    [[{ match: 'a', signed: 'yes' }], /signed: "yes" is wrong: it takes "value" or "change"/],
  ];
  for (const [rules, message] of cases) {
    t.throws(() => readRules(rules, context), { code: 'bad_setting', message }, JSON.stringify(rules));
  }
});
