import t from 'tap';
import { standIn } from './stand-in.js';
import { taba } from './terminal.js';

interface Expected {
  readonly method?: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
}

const rows: readonly (readonly [line: readonly string[], expected: Expected])[] = [
  [['agg', 'a', 'b'], { path: '/tabs', query: { name: 'a,b' } }],
  [['agg', '1.10', '0x1F'], { path: '/tabs', query: { name: '1.10,0x1F' } }],
  [['agg', 'a.*', '--re'], { path: '/tabs', query: { name: 'a.*', re: 'true' } }],
  [['agg', 'a.*', 'b', '--re'], { path: '/tabs', query: { name: '(?:a.*)|(?:b)', re: 'true' } }],
  [['agg', 'a', '--client', '1.10'], { path: '/tabs', query: { name: 'a', client: '1.10' } }],
  [
    ['agg', '--json', '--', '-a', '--json'],
    { path: '/tabs', query: { name: '-a,--json' }, accept: 'application/json' },
  ],
  [['agg', 'a', '--json'], { path: '/tabs', query: { name: 'a' }, accept: 'application/json' }],
  [['agg', 'a', '--detail'], { path: '/tabs', query: { name: 'a' }, accept: 'application/json-detailed' }],
  [['proj', 'a'], { path: '/projection', query: { name: 'a' } }],
  [['super', 'a;x=.*'], { path: '/supertabs', query: { name: 'a;x=.*', re: 'true' } }],
  [['agg', 'a', '--partial'], { path: '/tabs', query: { name: 'a', partial: 'true' } }],
  [['clients', '--partial'], { path: '/clients', query: { partial: 'true' } }],
  [['names'], { path: '/names' }],
  [['names', 'x', '--re'], { path: '/names', query: { name: 'x', re: 'true' } }],
  [['types', 'x'], { path: '/types', query: { name: 'x' } }],
  [['clients'], { path: '/clients' }],
  [['status'], { path: '/status' }],
  [['servers', '--json'], { path: '/servers', accept: 'application/json' }],
  [['latency'], { path: '/latency' }],
  [['gc'], { method: 'POST', path: '/gc' }],
  [['check'], { path: '/check' }],
  [['check', '--repair'], { method: 'POST', path: '/check', query: { dry: 'false' } }],
  [['upgrade'], { method: 'POST', path: '/upgrade' }],
  [['recompute', 'a'], { method: 'POST', path: '/recompute', query: { name: 'a' } }],
  [['flush-all', '--yes'], { method: 'POST', path: '/flush_all' }],
  [
    ['flush-all', '--yes', '--bucket', '3,4'],
    { method: 'POST', path: '/flush_all', query: { buckets: '3,4' } },
  ],
];

t.test('each command asks its route', async (t) => {
  const server = await standIn(t, () => ({ body: 'the answer' }));
  for (const [line, expected] of rows) {
    const ran = await taba(line, { env: { TABA_SERVER: server.url } });
    t.same(ran, { code: 0, out: 'the answer\n', err: '' }, line.join(' '));
    const asked = server.asked.at(-1);
    t.match(
      { ...asked, accept: asked?.headers.accept },
      { method: 'GET', accept: 'text/plain', ...expected },
    );
    t.same(asked?.query, expected.query ?? {}, 'and nothing besides');
  }
});

t.test('--server wins over TABA_SERVER; a wrong address is a usage error', async (t) => {
  const server = await standIn(t, () => ({ body: '{}' }));
  const ran = await taba(['names', '--server', server.url], { env: { TABA_SERVER: 'http://127.0.0.1:9' } });
  t.equal(ran.code, 0);
  t.match(await taba(['names'], { env: { TABA_SERVER: 'https://x' } }), {
    code: 2,
    err: /^taba: TABA_SERVER: "https:\/\/x" is wrong/,
  });
});

t.test('when nobody answers, the error says what to do', async (t) => {
  const ran = await taba(['agg', 'a', '--server', 'http://127.0.0.1:9']);
  t.match(ran, {
    code: 1,
    out: '',
    err: /no answer from http:\/\/127\.0\.0\.1:9: nobody listens there.*`taba up`.*TABA_SERVER/,
  });
  const hungUp = await standIn(t, () => 'hang up');
  t.match(await taba(['names', '--server', hungUp.url]), { code: 1, err: /no answer from/ });
});

t.test("a server's error is printed with its remedy, on standard error", async (t) => {
  const server = await standIn(t, () => ({
    status: 404,
    body: JSON.stringify({ error: { code: 'unknown_tab', message: 'no tab is named a' } }),
  }));
  const ran = await taba(['agg', 'a', '--server', server.url]);
  t.same(ran.code, 1);
  t.same(ran.out, '');
  t.match(ran.err, /no tab is named a \(unknown_tab\)\. taba names lists what is known/);
});

t.test('a partial answer says so, where it does not show', async (t) => {
  const headers = { 'x-taba-missing-buckets': '3-7,12' };
  const server = await standIn(t, () => ({ body: '{}', headers }));
  const at = ['--partial', '--server', server.url];
  t.match(await taba(['names', '--json', ...at]), {
    code: 0,
    out: '{}\n',
    err: /nothing of buckets 3-7,12 is in/,
  });
  t.match(await taba(['names', ...at]), { code: 0, err: '' }, 'the text has a line of its own');
});

t.test('work that was done in part says what was done, and fails', async (t) => {
  const error = {
    code: 'unavailable',
    message: 'not done in bucket 5: why',
    done: { recomputed: 12, list: [1] },
  };
  const server = await standIn(t, () => ({ status: 503, body: JSON.stringify({ error }) }));
  const at = ['--server', server.url];
  t.match(await taba(['recompute', ...at]), {
    code: 1,
    out: 'recomputed: 12\nlist: [1]\n',
    err: /^taba: not done in bucket 5: why \(unavailable\)\. Ask again/,
  });
  t.match(await taba(['recompute', '--json', ...at]), { code: 1, out: '{"recomputed":12,"list":[1]}\n' });
});

t.test('an agent that is asked like a server is told apart', async (t) => {
  const agent = await standIn(t, ({ path }) =>
    path === '/status'
      ? { body: JSON.stringify({ role: 'agent' }) }
      : { status: 404, body: JSON.stringify({ error: { code: 'not_found', message: 'no route' } }) },
  );
  t.match(await taba(['agg', 'a'], { env: { TABA_SERVER: agent.url } }), {
    code: 1,
    out: '',
    err: /is an agent, which takes events; questions go to a server/,
  });
});

t.test('what is no Taba is told apart', async (t) => {
  const server = await standIn(t, () => ({ status: 502, body: '<html>Bad Gateway</html>' }));
  t.match(await taba(['names', '--server', server.url]), { code: 1, err: /HTTP 502: <html>Bad Gateway/ });
});

t.test('deleting shows what it would delete, and needs --yes where nobody can be asked', async (t) => {
  const server = await standIn(t, ({ path }) => ({
    body: path === '/names' ? '["test_a","test_b"]' : '2 tabs deleted',
  }));
  const at = ['--server', server.url];
  const refused = await taba(['delete', 'test_.*', '--re', ...at]);
  t.match(refused, { code: 2, out: '', err: /test_a\n {2}test_b\n.*needs --yes/ });
  t.same(
    server.asked.map((asked) => asked.path),
    ['/names'],
    'nothing was deleted',
  );

  const done = await taba(['delete', 'test_.*', '--re', '--yes', ...at]);
  t.match(done, { code: 0, out: '2 tabs deleted\n' });
  t.match(server.asked.at(-1), {
    method: 'POST',
    path: '/delete',
    query: { name: 'test_.*', re: 'true' },
  });
});

t.test('nothing to delete is an error', async (t) => {
  const server = await standIn(t, () => ({ body: '[]' }));
  const ran = await taba(['delete', 'nothing', '--yes', '--server', server.url]);
  t.match(ran, { code: 1, err: /no tab matches nothing/ });
  t.same(
    server.asked.map((asked) => asked.path),
    ['/names'],
  );
});

t.test('flush-all needs --yes as well', async (t) => {
  const server = await standIn(t, () => ({ body: '' }));
  t.match(await taba(['flush-all', '--server', server.url]), { code: 2, err: /needs --yes/ });
  t.match(await taba(['flush-all', '--yes', '--bucket', 'x', '--server', server.url]), {
    code: 2,
    err: /--bucket: "x" is wrong/,
  });
  t.equal(server.asked.length, 0);
});
