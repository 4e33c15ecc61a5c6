import t from 'tap';
import type { ErrorCode } from '../../src/core/errors.js';
import { ask, json, limitsWith, post, SetClock, serverOf, until, v1 } from './kit.js';

const nowSec = 1_700_006_400;

function counter(value: number): string {
  return `["CounterGroup", ${nowSec}, "${value}"]`;
}

t.test('the form of an answer', async (t) => {
  const { url } = await serverOf(t, { clock: new SetClock() });
  await post(`${url}/post`, v1({ c: { tab: [counter(1), counter(2)] } }));
  const forms: [accept: string | undefined, type: string][] = [
    [undefined, 'text/plain; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/plain; charset=utf-8'],
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['text/plain;q=0.5, application/json', 'application/json'],
    ['application/json;q=0.5, text/plain', 'text/plain; charset=utf-8'],
    ['application/json-detailed', 'application/json-detailed'],
    ['application/json;q=0, text/plain', 'text/plain; charset=utf-8'],
    ['image/png', 'text/plain; charset=utf-8'],
  ];
  for (const [accept, type] of forms) {
    const { headers } = await ask(`${url}/tabs`, accept === undefined ? {} : { headers: { accept } });
    t.equal(headers.get('content-type'), type, accept ?? 'none');
    t.equal(headers.get('x-taba-as-of'), nowSec.toFixed(3), 'says of when it is');
  }
});

t.test('the detailed form holds the buckets themselves, and of when it is', async (t) => {
  const { url } = await serverOf(t, { clock: new SetClock() });
  await post(`${url}/post`, v1({ c: { tab: [counter(1), counter(2)] } }));
  const detailed = await ask(`${url}/tabs?name=tab`, { headers: { accept: 'application/json-detailed' } });
  const { tab } = JSON.parse(detailed.text);
  t.match(tab, {
    type: 'CounterGroup',
    as_of: nowSec,
    '1m': { count: 2, total: 3, average: 1.5, to: Number, from: Number, rate: Number, cells: { width: 1 } },
    pct: { count: 2, min: 1, max: 2, percentiles: { p50: 2 } },
  });
  t.equal(
    tab['1m'].cells.count.reduce((a: number, b: number) => a + b),
    2,
    'the cells hold the events',
  );
  const raw = await ask(`${url}/tabs?name=tab&raw=1`);
  t.equal(raw.text, detailed.text, 'raw is the same');
});

t.test('selections that cannot be are refused by name', async (t) => {
  const { url } = await serverOf(t, { clock: new SetClock() });
  await post(`${url}/post`, v1({ c: { tab: [counter(1)], gauge: ['["Gauge", 1, "1"]'] } }));
  const cases: [query: string, status: number, code: ErrorCode, message: RegExp][] = [
    ['/tabs?nmae=tab', 400, 'bad_parameter', /"nmae".*takes name, client, re/],
    ['/tabs?name=', 400, 'bad_parameter', /name is empty/],
    ['/tabs?name=tab&name=tab', 400, 'bad_parameter', /name is given twice/],
    ['/tabs?name=tab&re=maybe', 400, 'bad_parameter', /re is "maybe"/],
    ['/tabs?name=missing,tab,lost', 404, 'unknown_tab', /missing, lost/],
    ['/projection?name=missing', 404, 'unknown_tab', /missing/],
    ['/types?name=missing', 404, 'unknown_tab', /missing/],
    ['/tabs?client=nobody', 404, 'unknown_client', /nobody/],
    ['/supertabs?name=tab,gauge', 400, 'mixed_types', /CounterGroup, Gauge/],
    ['/supertabs?re=1&name=missing', 404, 'unknown_tab', /no tab/],
    ['/names?re=1&name=(', 400, 'bad_expression', /"\("/],
    ['/names?re=1&name=)(', 400, 'bad_expression', /regular expression/],
    ['/names?re=1&name=(?=a)', 400, 'bad_expression', /regular expression/],
    ['/names?re=1&name=(a)%5C1', 400, 'bad_expression', /regular expression/],
    [`/names?re=1&name=${'a'.repeat(1025)}`, 400, 'bad_expression', /1024 are allowed/],
    ['/status?name=tab', 400, 'bad_parameter', /"name"/],
    ['/nothing', 404, 'not_found', /"\/nothing"/],
  ];
  for (const [query, status, code, message] of cases) {
    const answer = await json(`${url}${query}`);
    t.equal(answer.status, status, query);
    t.match(answer.json, { error: { code, message } }, query);
  }
});

t.test('an expression matches from the beginning, and nothing found is an empty answer', async (t) => {
  const { url } = await serverOf(t);
  await post(`${url}/post`, v1({ c: { 'a.b': [counter(1)], ab: [counter(1)], 'x.ab': [counter(1)] } }));
  const names = async (expression: string) =>
    (await json(`${url}/names?re=true&name=${encodeURIComponent(expression)}`)).json;
  t.strictSame(await names('a'), ['a.b', 'ab']);
  t.strictSame(await names('a$|x'), ['x.ab']);
  t.strictSame(await names('.*b$'), ['a.b', 'ab', 'x.ab']);
  t.strictSame(await names('nothing'), []);
  t.strictSame((await json(`${url}/tabs?re=true&name=nothing`)).json, {});
  t.equal((await ask(`${url}/names?re=true&name=nothing`)).text, '');
});

t.test('a query by POST, with a form, where it is too long for a URL', async (t) => {
  const { url } = await serverOf(t);
  await post(`${url}/post`, v1({ c: { tab: [counter(1)], other: [counter(1)] } }));
  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  t.strictSame((await post(`${url}/names`, 'name=tab', form)).json, ['tab']);
  t.match((await post(`${url}/names`, '{"name":"tab"}', { 'content-type': 'application/json' })).json, {
    error: { code: 'bad_parameter' },
  });
});

t.test('an answer that is too large is refused, not sent in part', async (t) => {
  const { url } = await serverOf(t, { limits: limitsWith({ maxResultBytes: 300 }) });
  const tabs = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`tab_${i}`, [counter(1)]]));
  await post(`${url}/post`, v1({ c: tabs }));
  for (const route of ['/tabs', '/projection', '/names', '/types']) {
    for (const accept of ['text/plain', 'application/json']) {
      const answer = await ask(`${url}${route}`, { headers: { accept } });
      t.equal(answer.status, 413, `${route} ${accept}`);
      t.match(answer.json, { error: { code: 'result_too_large' } });
    }
  }
  t.equal((await json(`${url}/tabs?name=tab_1`)).status, 200, 'a narrow one is answered');
});

t.test('an expression made to be slow is bounded, and others are answered meanwhile', async (t) => {
  const { url } = await serverOf(t, { limits: limitsWith({ maxNameBytes: 1024 }) });
  const name = (i: number) => `${'a'.repeat(1000)}${i}`;
  const tabs = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [name(i), ['["Noop", 1, "1"]']]));
  t.equal((await post(`${url}/post`, v1({ c: tabs }))).status, 200);
  let over = false;
  const slow = json(`${url}/names?re=1&name=${encodeURIComponent('(((a+)+)+)+(a|aa|a?){30}b')}`).finally(
    () => {
      over = true;
    },
  );
  let served = 0;
  await until('the slow query ends', async () => {
    const answer = await ask(`${url}/healthz`);
    if (answer.status === 200 && !over) served++;
    return over;
  });
  const { status, json: answer } = await slow;
  if (status === 200) t.strictSame(answer, [], 'nothing matches');
  else t.match(answer, { error: { code: 'query_too_slow' } });
  t.ok(served > 0, `${served} others were answered meanwhile`);
});

t.test('what changes something is refused to GET, and changes nothing', async (t) => {
  const server = await serverOf(t);
  const { url } = server;
  await post(`${url}/post`, v1({ c: { tab: [counter(1)] } }));
  const changers = [
    '/delete?name=tab',
    '/gc',
    '/upgrade',
    '/recompute',
    '/flush_all',
    '/post',
    '/post_zip',
    '/events',
  ];
  for (const path of [...changers, '/check?dry=false']) {
    const answer = await json(`${url}${path}`);
    t.equal(answer.status, 405, path);
    t.match(answer.headers.get('allow'), /POST/, path);
    t.match(answer.json, { error: { code: 'wrong_method' } }, path);
  }
  t.strictSame((await json(`${url}/names`)).json, ['tab']);
  t.equal((await post(`${url}/status`, '')).status, 200, 'a query takes POST as well');
  t.equal((await post(`${url}/healthz`, '')).status, 405);
});

t.test('deleting takes whole tabs, by name or expression, and never all for want of a name', async (t) => {
  const { url } = await serverOf(t);
  const tabs = { test_a: [counter(1)], test_b: [counter(1)], keep: [counter(1)] };
  await post(`${url}/post`, v1({ c: tabs, d: tabs }));
  const say = async (path: string) => (await post(`${url}${path}`, '', { accept: 'application/json' })).json;
  t.match(await say('/delete'), { error: { code: 'bad_parameter', message: /wants a name/ } });
  t.match(await say('/delete?re=1'), { error: { code: 'bad_parameter' } });
  t.match(await say('/delete?name=keep&client=c'), { error: { code: 'bad_parameter', message: /"client"/ } });
  t.match(await say('/delete?name=keep,missing'), { error: { code: 'unknown_tab' } });
  t.strictSame((await json(`${url}/names`)).json, ['keep', 'test_a', 'test_b'], 'nothing has gone so far');
  t.strictSame(await say('/delete?re=1&name=test_'), { deleted: 2 });
  t.strictSame((await json(`${url}/names`)).json, ['keep']);
  await post(`${url}/post`, v1({ c: { test_a: ['["Gauge", 1, "5"]'] } }));
  t.strictSame(
    (await json(`${url}/types?name=test_a`)).json,
    { test_a: 'Gauge' },
    'it may come back as another type',
  );
});

t.test('recomputing all tabs or some changes no figure', async (t) => {
  const { url } = await serverOf(t);
  await post(`${url}/post`, v1({ c: { a: [counter(1)], b: [counter(2)] }, d: { a: [counter(3)] } }));
  const before = (await json(`${url}/tabs`)).json;
  const say = async (path: string) => (await post(`${url}${path}`, '', { accept: 'application/json' })).json;
  t.strictSame(await say('/recompute'), { recomputed: 2 });
  t.strictSame(await say('/recompute?name=a'), { recomputed: 1 });
  t.strictSame(await say('/recompute?re=true&name=.'), { recomputed: 2 });
  t.match(await say('/recompute?name=missing'), { error: { code: 'unknown_tab' } });
  t.strictSame((await json(`${url}/tabs`)).json, before);
});

t.test('administration answers in figures', async (t) => {
  const { url } = await serverOf(t);
  await post(`${url}/post`, v1({ c: { a: [counter(1)] } }));
  const say = async (path: string) => (await post(`${url}${path}`, '', { accept: 'application/json' })).json;
  t.strictSame(await say('/upgrade'), { upgraded: 0 });
  t.strictSame(await say('/check'), { findings: [], set_aside: [], repaired: false });
  t.strictSame(await say('/check?dry=false'), { findings: [], set_aside: [], repaired: true });
  t.strictSame(await say('/flush_all'), { dropped: 0 });
  t.match(await say('/flush_all?buckets=0,16'), { error: { code: 'bad_parameter', message: /"16"/ } });
  t.match((await json(`${url}/servers`)).json, { [new URL(url).host]: ['fe', 'be', 'ctrl'] });
  t.match((await json(`${url}/latency`)).json, {
    enqueue_avg: Number,
    processed_avg: Number,
    cluster_aggregate: Number,
  });
  t.match((await json(`${url}/status`)).json, {
    total_tasks: 0,
    max_age: 0,
    servers: { [new URL(url).host]: { queues: 1, tasks: 0, age: 0, load: Number, weight: 1 } },
  });
});
