import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import type { ErrorCode } from '../../src/core/errors.js';
import { type Entrance, handedOver, json, limitsWith, post, throughBoth, until, v1 } from './kit.js';

const limits = limitsWith({ maxBodyBytes: 100_000, maxDecompressedBytes: 1_000_000 });
const options = () => ({ server: { limits }, agent: { limits } });

const good = v1({ c: { tab: ['["TotalsCounter", 1700006400, "1"]'] } });
const zipped = deflateSync(v1({ c: { tab: Array(1000).fill('["TotalsCounter", 1700006400, "1"]') } }));
const bomb = deflateSync(Buffer.alloc(20_000_000, '\n'));

interface Refused {
  readonly fault: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body: string | Uint8Array;
  readonly status: number;
  readonly code: ErrorCode;
}

const refused: readonly Refused[] = [
  { fault: 'no body', body: '', status: 400, code: 'bad_framing' },
  { fault: 'version 2 as text', body: good.replace('1', '2'), status: 400, code: 'unsupported_version' },
  { fault: 'no version', body: good.slice(3), status: 400, code: 'unsupported_version' },
  {
    fault: 'no blank line behind the client',
    body: good.replace('c\n\n', 'c\n'),
    status: 400,
    code: 'bad_framing',
  },
  {
    fault: 'an event without a tab',
    body: `${good}d\n\n["TotalsCounter", 1, "1"]\n`,
    status: 400,
    code: 'bad_framing',
  },
  { fault: 'cut off within an event', body: good.slice(0, -8), status: 400, code: 'bad_framing' },
  { fault: 'cut off behind a tab name', body: `${good}d\n\ntab\n`, status: 400, code: 'bad_framing' },
  {
    fault: 'lines that end as on Windows',
    body: good.replaceAll('\n', '\r\n'),
    status: 400,
    code: 'bad_framing',
  },
  { fault: 'too large', body: 'x'.repeat(100_001), status: 413, code: 'body_too_large' },
  { fault: 'not compressed at all', path: '/post_zip', body: good, status: 400, code: 'bad_framing' },
  {
    fault: 'compressed, and cut off',
    path: '/post_zip',
    body: zipped.subarray(0, -5),
    status: 400,
    code: 'bad_framing',
  },
  {
    fault: 'compressed, and damaged',
    path: '/post_zip',
    body: damaged(zipped),
    status: 400,
    code: 'bad_framing',
  },
  {
    fault: 'bytes behind the compressed body',
    path: '/post_zip',
    body: Buffer.concat([zipped, zipped]),
    status: 400,
    code: 'bad_framing',
  },
  { fault: 'a bomb', path: '/post_zip', body: bomb, status: 413, code: 'body_too_large' },
  {
    fault: 'a bomb in a bomb',
    path: '/post_zip',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(bomb),
    status: 413,
    code: 'body_too_large',
  },
  {
    fault: 'an unknown compression',
    headers: { 'content-encoding': 'zstd' },
    body: good,
    status: 400,
    code: 'bad_framing',
  },
  {
    fault: 'JSON that is cut off',
    path: '/events',
    body: '[{"name":"tab","value":1}',
    status: 400,
    code: 'bad_framing',
  },
];

function damaged(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length >> 1]! ^= 0xff;
  return copy;
}

t.test('a body with a fault in its framing is refused whole, and says which', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { url, server } = entrance;
    for (const { fault, path = '/post', headers, body, status, code } of refused) {
      const answer = await post(`${url}${path}`, body, headers);
      t.equal(answer.status, status, fault);
      t.match(answer.json, { error: { code, message: /\w/ } }, fault);
    }
    await handedOver(entrance);
    t.strictSame((await json(`${server.url}/names`)).json, [], 'nothing was counted');
    t.equal(server.status().books.received, 0);
    t.equal((await post(`${url}/post`, good)).status, 200, 'good ones are taken as before');
    await handedOver(entrance);
    t.strictSame((await json(`${server.url}/names`)).json, ['tab']);
  }),
);

/** Says that more is to come than is sent. @returns what came back until the other side hung up, if it did */
async function half(
  url: string,
  head: string,
  sent: string,
): Promise<{ end(): void; closed: Promise<string> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  await once(socket, 'connect');
  socket.write(`POST /post HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${sent}`);
  return { end: () => socket.destroy(), closed };
}

const connectionsOf = ({ agent, server }: Entrance) => (agent ?? server).status().connections;

t.test('a body that stops half-way counts nothing', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const before = connectionsOf(entrance);
    const whole = v1({ c: { tab: Array(100).fill('["TotalsCounter", 1700006400, "1"]') } });
    const sent = whole.slice(0, whole.indexOf('\n', 500) + 1);
    const byLength = await half(entrance.url, `Content-Length: ${whole.length}`, sent);
    const chunk = `${sent.length.toString(16)}\r\n${sent}\r\n`;
    const inChunks = await half(entrance.url, 'Transfer-Encoding: chunked', chunk);
    await until('both are connected', () => connectionsOf(entrance) >= before + 2);
    byLength.end();
    inChunks.end();
    await until('both are gone', () => connectionsOf(entrance) <= before);
    t.equal((entrance.agent ?? entrance.server).status().books.received, 0);
    t.equal((await post(`${entrance.url}/post`, good)).status, 200);
    await handedOver(entrance);
    t.match(entrance.server.status().books, { received: 1, applied: 1 });
  }),
);

t.test('a body that is announced as too large is refused before it is sent', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { closed } = await half(entrance.url, 'Content-Length: 100000000', '1\n');
    const answer = await closed;
    t.match(answer, /^HTTP\/1.1 413 /);
    t.match(answer, /"code":"body_too_large"/);
  }),
);

t.test('bytes that are no HTTP at all', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { hostname, port } = new URL(entrance.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.resume();
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    socket.write(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 89) & 0xff)));
    await closed;
    t.equal((await post(`${entrance.url}/post`, good)).status, 200, 'others are served');
  }),
);
