import { Readable } from 'node:stream';
import t from 'tap';
import { type Said, standIn } from '../stand-in.js';
import { taba } from '../terminal.js';

function accepting(body: string): Said {
  return { body: JSON.stringify({ accepted: body.split('\n').length, rejected: [] }) };
}

t.test('one event from the command line, its value as it was written', async (t) => {
  const server = await standIn(t, ({ body }) => accepting(body));
  const at = ['--server', server.url];
  t.same(await taba(['record', 'price', '1.10', ...at]), { code: 0, out: '', err: '' });
  t.equal(server.asked[0]?.body, '{"name":"price","type":"CounterGroup","value":1.10}');
  t.match(server.asked[0], {
    method: 'POST',
    path: '/events',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  await taba(['record', 'bids_won', ...at]);
  t.equal(
    server.asked[1]?.body,
    '{"name":"bids_won","type":"CounterGroup","value":1}',
    'the value is 1 unless given',
  );
  await taba(['record', 'temperature', '-5', '--client', '007', '--timestamp', '12.5', ...at]);
  t.same(JSON.parse(server.asked[2]?.body ?? ''), {
    name: 'temperature',
    type: 'CounterGroup',
    value: -5,
    client: '007',
    timestamp: 12.5,
  });
  t.match(await taba(['record', 'a', '1', '--expiry', 'soon', ...at]), { code: 2, err: /expiry "soon"/ });
  t.equal(server.asked.length, 3);
});

t.test('a rejected event is a failure', async (t) => {
  const answer = { accepted: 0, rejected: [{ index: 0, code: 'bad_value', message: 'not a number' }] };
  const server = await standIn(t, () => ({ status: 400, body: JSON.stringify(answer) }));
  t.same(await taba(['record', 'a', 'x', '--server', server.url]), {
    code: 1,
    out: '',
    err: 'taba: not a number (bad_value)\n',
  });
});

t.test('many from standard input: rejections are named by their line', async (t) => {
  const server = await standIn(t, () => ({
    body: JSON.stringify({
      accepted: 2,
      rejected: [{ index: 1, code: 'bad_name', message: 'a name is wrong' }],
    }),
  }));
  const stdin = '# counts\n\na 1\nß 1\nonly_a_name\n{"name":"c","value":1}\r\n';
  const ran = await taba(['record', '--server', server.url], { stdin });
  t.equal(ran.code, 1);
  t.equal(ran.out, '2 accepted, 2 rejected\n');
  t.same(ran.err.trim().split('\n').sort(), [
    'line 4: a name is wrong (bad_name)',
    'line 5: a value is missing: NAME VALUE [TYPE] [SECONDS] (bad_event)',
  ]);
  t.equal(server.asked.length, 1, 'in one batch');
});

t.test('a rejection names the line of the input alone, not that of the batch', async (t) => {
  const message = 'line 2: the field name is missing';
  const server = await standIn(t, () => ({
    body: JSON.stringify({ accepted: 1, rejected: [{ index: 1, code: 'bad_event', message }] }),
  }));
  const ran = await taba(['record', '--server', server.url], { stdin: '# counts\na 1\n{"value": 1}\n' });
  t.equal(ran.err, 'line 3: the field name is missing (bad_event)\n');
});

t.test('input that cannot be read to its end is a failure; what came before is recorded', async (t) => {
  const server = await standIn(t, ({ body }) => accepting(body));
  const pieces = ['a 1\na 2\n'];
  const broken = new Readable({
    read() {
      const piece = pieces.shift();
      if (piece === undefined) this.destroy(new Error('EIO: i/o error, read'));
      else this.push(piece);
    },
  });
  const ran = await taba(['record', '--server', server.url], { stdin: broken });
  t.match(ran, { code: 1, out: '2 accepted, 0 rejected\n', err: /^taba: standard input .*: EIO/ });
});

t.test('long input goes out in batches, every line once', async (t) => {
  const seen: string[] = [];
  const server = await standIn(t, ({ body }) => {
    seen.push(...body.split('\n').map((line) => JSON.parse(line).value));
    return accepting(body);
  });
  const stdin = Array.from({ length: 4_500 }, (_, index) => `a ${index}\n`).join('');
  const ran = await taba(['record', '--json', '--server', server.url], { stdin });
  t.same(JSON.parse(ran.out), { accepted: 4_500, rejectedTotal: 0, rejected: [] });
  t.equal(server.asked.length, 3);
  t.same(
    seen,
    Array.from({ length: 4_500 }, (_, index) => index),
  );
  t.equal(
    new Set(server.asked.map((asked) => asked.headers['idempotency-key'])).size,
    3,
    'each with a key of its own',
  );
});

t.test('a batch that was not answered is repeated under its key', async (t) => {
  const server = await standIn(t, ({ body }, count) => {
    if (count === 2)
      return { status: 503, body: JSON.stringify({ error: { code: 'overloaded', message: 'no room' } }) };
    if (count === 3) return 'hang up';
    return accepting(body);
  });
  const stdin = 'a 1\n'.repeat(2_500);
  const ran = await taba(['record', '--server', server.url], { stdin });
  t.same(ran, { code: 0, out: '2,500 accepted, 0 rejected\n', err: '' });
  const keys = server.asked.map((asked) => asked.headers['idempotency-key']);
  t.equal(keys.length, 4);
  t.equal(new Set(keys.slice(1)).size, 1);
  t.not(keys[0], keys[1]);
});

t.test('a body that is refused as a whole says which lines that were', async (t) => {
  const server = await standIn(t, () => ({
    status: 413,
    body: JSON.stringify({ error: { code: 'body_too_large', message: 'too large' } }),
  }));
  const ran = await taba(['record', '--server', server.url], { stdin: 'a 1\na 2\n' });
  t.match(ran, {
    code: 1,
    out: '',
    err: /lines 1 to 2: too large \(body_too_large\)\. Send smaller batches/,
  });
  t.equal(server.asked.length, 1, 'no use in repeating that');
});

t.test('progress is shown at a terminal only', async (t) => {
  const server = await standIn(t, ({ body }) => accepting(body));
  const quiet = await taba(['record', '--server', server.url], { stdin: 'a 1\n'.repeat(10) });
  t.equal(quiet.err, '');
});
