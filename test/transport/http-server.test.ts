import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { TabaError } from '../../src/core/errors.js';
import type { HttpServerOptions } from '../../src/transport/inbound/http.js';
import { startHttpServer } from '../../src/transport/inbound/http-server.js';
import { askHttp } from '../../src/transport/outbound/http-client.js';
import { FakeClock } from '../support/fake-clock.js';

const doc = { summary: 'for tests', gives: ['text/plain'] };

const big = new Uint8Array(20 * 2 ** 20).fill(7);
// Whatever is left out or swapped shows.
for (let at = 0; at < big.length; at += 1000) big[at] = at / 1000;
const bigInPieces = Array.from({ length: Math.ceil(big.length / 50_000) }, (_, at) =>
  big.subarray(at * 50_000, (at + 1) * 50_000),
);
const bits = [Buffer.from('one'), new Uint8Array(), Buffer.from(', two')];

async function start(t: Test, options: Partial<HttpServerOptions> = {}) {
  const bodies: string[] = [];
  const errors: unknown[] = [];
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1000,
    maxFrameBytes: 1000,
    maxConnections: 10,
    onError: (error) => errors.push(error),
    routes: [
      {
        method: 'POST',
        path: '/post',
        doc,
        handle: ({ body, query, headers }) => {
          bodies.push(Buffer.from(body).toString());
          return { status: 200, body: `${query.get('a')} ${headers.get('x-test')} ${body.length}` };
        },
      },
      { method: 'GET', path: '/big', doc, handle: async () => ({ status: 200, body: big }) },
      { method: 'GET', path: '/pieces', doc, handle: async () => ({ status: 200, body: bigInPieces }) },
      { method: 'GET', path: '/bits', doc, handle: async () => ({ status: 200, body: bits }) },
      {
        method: 'GET',
        path: '/busy',
        doc,
        handle: () => {
          throw new TabaError('overloaded', 'no room', { retryAfterSec: 7 });
        },
      },
      {
        method: 'GET',
        path: '/defect',
        doc,
        handle: () => {
          throw new Error('secret detail');
        },
      },
    ],
    ...options,
  });
  t.teardown(() => server.close());
  return { server, bodies, errors, url: `http://127.0.0.1:${server.port}` };
}

async function raw(t: Test, port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  socket.write(text);
  await once(socket, 'connect');
  return socket;
}

const textOf = ({ body }: { body: Uint8Array }) => Buffer.from(body).toString();
const codeOf = (answer: { body: Uint8Array }) =>
  (JSON.parse(textOf(answer)) as { error: { code: string } }).error.code;

t.test('hands body, query and headers to the route', async (t) => {
  const { url } = await start(t);
  const answer = await askHttp({ url: `${url}/post?a=1%202`, body: 'hello', headers: { 'X-Test': 'y' } });
  t.equal(answer.status, 200);
  t.equal(textOf(answer), '1 2 y 5');
});

t.test('unknown path, wrong method, a route that refuses, a defect', async (t) => {
  const { url, errors } = await start(t);
  const missing = await askHttp({ url: `${url}/nowhere` });
  t.strictSame([missing.status, codeOf(missing)], [404, 'not_found']);
  const wrong = await askHttp({ url: `${url}/post` });
  t.strictSame([wrong.status, codeOf(wrong), wrong.headers.get('allow')], [405, 'wrong_method', 'POST']);
  const busy = await askHttp({ url: `${url}/busy` });
  t.strictSame([busy.status, codeOf(busy), busy.headers.get('retry-after')], [503, 'overloaded', '7']);
  const defect = await askHttp({ url: `${url}/defect` });
  t.strictSame([defect.status, codeOf(defect)], [500, 'internal']);
  t.notMatch(textOf(defect), /secret/);
  t.equal(errors.length, 1);
});

t.test('a body over the limit is refused, announced or not, and counts nothing', async (t) => {
  const { url, server, bodies } = await start(t);
  const announced = await askHttp({ url: `${url}/post`, body: 'x'.repeat(1001) });
  t.strictSame([announced.status, codeOf(announced)], [413, 'body_too_large']);
  const chunk = `${(1001).toString(16)}\r\n${'x'.repeat(1001)}\r\n`;
  const socket = await raw(
    t,
    server.port,
    `POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.match(answer.toString(), /^HTTP\/1.1 413 /);
  t.equal((await askHttp({ url: `${url}/post`, body: 'x'.repeat(1000) })).status, 200);
  t.equal(bodies.length, 1);
});

t.test('a body arrives whole, in however many pieces, whether or not its size is said', async (t) => {
  const { server, bodies } = await start(t, { maxBodyBytes: 2 ** 22 });
  for (const bytes of [1, 1000, 2 ** 20, 2 ** 20 + 1]) {
    const body = Array.from({ length: bytes }, (_, index) => String.fromCharCode(97 + (index % 23))).join('');
    const said = await raw(
      t,
      server.port,
      `POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`,
    );
    const unsaid = await raw(
      t,
      server.port,
      'POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (const socket of [said, unsaid]) {
      const answered = once(socket, 'data');
      const pieceBytes = Math.ceil(bytes / 3);
      for (let from = 0; from < bytes; from += pieceBytes) {
        const piece = body.slice(from, from + pieceBytes);
        socket.write(socket === said ? piece : `${piece.length.toString(16)}\r\n${piece}\r\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (socket === unsaid) socket.write('0\r\n\r\n');
      await answered;
      t.ok(bodies.pop() === body, `${bytes} bytes, ${socket === said ? 'said' : 'unsaid'}`);
    }
  }
});

t.test('a body that stops half-way counts nothing, and its connection ends', async (t) => {
  const clock = new FakeClock();
  const { server, bodies } = await start(t, { clock, idleTimeoutSec: 3 });
  const head = 'POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf';
  const slow = await raw(t, server.port, head);
  while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = once(slow, 'close');
  clock.advance(3000);
  await closed;
  const gone = await raw(t, server.port, head);
  while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve));
  gone.destroy();
  while (clock.timers > 0) await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(bodies, []);
});

t.test('a large answer arrives whole; HEAD tells its length alone', async (t) => {
  const { url } = await start(t);
  const answer = await askHttp({ url: `${url}/big` });
  t.equal(Buffer.compare(answer.body, big), 0);
  const head = await fetch(`${url}/big`, { method: 'HEAD' });
  t.strictSame([head.status, head.headers.get('content-length')], [200, String(big.length)]);
  await t.rejects(askHttp({ url: `${url}/big`, maxAnswerBytes: 1000 }), { code: 'result_too_large' });
});

t.test('an answer in pieces arrives as one', async (t) => {
  const { url } = await start(t);
  t.equal(
    Buffer.compare((await askHttp({ url: `${url}/pieces` })).body, big),
    0,
    'more than a socket takes at once',
  );
  const head = await fetch(`${url}/pieces`, { method: 'HEAD' });
  t.strictSame([head.status, head.headers.get('content-length')], [200, String(big.length)]);
  t.equal((await askHttp({ url: `${url}/bits` })).body.toString(), 'one, two');
});

t.test('a port in use is refused by name', async (t) => {
  const { server } = await start(t);
  await t.rejects(start(t, { port: server.port }), {
    code: 'port_in_use',
    message: new RegExp(`port ${server.port} `),
  });
});

t.test('more connections than allowed are told so', async (t) => {
  const { url, server } = await start(t, { maxConnections: 1 });
  const idle = await raw(t, server.port, 'GET /busy HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'data');
  const answer = await askHttp({ url: `${url}/busy` });
  t.strictSame([answer.status, codeOf(answer)], [503, 'too_many_connections']);
});
