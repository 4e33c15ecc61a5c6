import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { folder } from '../system/kit.js';
import { taba } from './terminal.js';

const rules = [
  { match: 'debug\\.', drop: true },
  { match: 'app\\.[^.]+\\.latency$', rename: 'app.latency', 'drop-tags': ['pod'] },
];

t.test('says what becomes of each value, and by which rule', async (t) => {
  const asked = ['map', '--mapping', JSON.stringify(rules)];
  const lines = ['app.web1.latency:12:13|ms|@0.5|#env:prod,pod:x', 'debug.x:1|c', 'queue:+3|g', '_sc|db|0'];
  const { code, out } = await taba([...asked, ...lines]);
  t.equal(code, 0);
  t.equal(
    out,
    [
      'app.web1.latency:12:13|ms|@0.5|#env:prod,pod:x',
      '  app.latency;env=prod  PercentileGroup  12, as 2 events  (rule 2: app\\.[^.]+\\.latency$)',
      '  app.latency;env=prod  PercentileGroup  13, as 2 events  (rule 2: app\\.[^.]+\\.latency$)',
      'debug.x:1|c',
      '  dropped  (rule 1: debug\\.)',
      'queue:+3|g',
      '  queue  Gauge  changed by 3  (no rule fits)',
      '_sc|db|0',
      '  ignored: service check',
      '',
    ].join('\n'),
  );
});

t.test('rules come from a settings file as well; what is rejected ends with 1', async (t) => {
  const file = join(folder(t), 'agent.json');
  writeFileSync(file, JSON.stringify({ mapping: rules }));
  const { code, out } = await taba([
    'map',
    '--config',
    file,
    'debug.x:1|c',
    'broken',
    `${'x'.repeat(2000)}:1|c`,
  ]);
  t.equal(code, 1);
  t.match(out, /dropped {2}\(rule 1/);
  t.match(out, /rejected: bad_event: a line without a colon: "broken"/);
  t.match(out, /rejected: bad_name: the tab name has 2000 bytes/);
});

t.test(
  'what the agent would refuse is rejected: values that the type does not take, names that are denied',
  async (t) => {
    const typed = [{ match: 'users', type: 'CounterGroup' }];
    const file = join(folder(t), 'agent.json');
    writeFileSync(
      file,
      JSON.stringify({ mapping: typed, 'name-denylist': ['secret'], 'max-name-bytes': 16 }),
    );
    const lines = ['users:ann|s', 'users:5|s', 'secret:1|c', `${'x'.repeat(17)}:1|c`];
    const { code, out } = await taba(['map', '--config', file, ...lines]);
    t.equal(code, 1);
    const said = out.split('\n').filter((line) => line.startsWith('  '));
    t.match(said, [
      /^ {2}rejected: bad_value: users: "ann" is not a finite number/,
      /^ {2}users {2}CounterGroup {2}5 {2}\(rule 1: users\)/,
      /^ {2}rejected: denied: secret is on the deny-list of this node/,
      /^ {2}rejected: bad_name: the tab name has 17 bytes; 16 are allowed/,
    ]);
  },
);

t.test('rules that are wrong are named', async (t) => {
  t.match(await taba(['map', '--mapping', '[{"match":"("}]', 'x:1|c']), {
    code: 2,
    err: /^taba: mapping: rule 1: match: "\(" is not a regular expression.*\n$/,
  });
  const deny = { env: { TABA_NAME_DENYLIST: '(' } };
  t.match(await taba(['map', 'x:1|c'], deny), { code: 2, err: /^taba: name-denylist: .*\n$/ });
  t.match(await taba(['map', '--mapping', 'nonsense', 'x:1|c']), { code: 2, err: /--mapping.*a JSON list/ });
});
