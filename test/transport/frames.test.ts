import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import WebSocket, { WebSocketServer } from 'ws';
import type { FrameLink, FrameLinkEvents } from '../../src/transport/frame-link.js';
import { startHttpServer } from '../../src/transport/inbound/http-server.js';
import { connectFrames, framesUrl } from '../../src/transport/outbound/frame-client.js';
import type { Frame } from '../../src/wire/frame.js';
import { decodeFrame } from '../../src/wire/frame-codec.js';

function query(id: number, bytes = 0): Frame {
  return { kind: 'query', id, name: 'q', body: new Uint8Array(bytes).fill(id % 251) };
}

async function start(t: Test, frames: FrameLinkEvents, options: { frameSilenceMs?: number } = {}) {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    routes: [],
    maxBodyBytes: 1000,
    maxFrameBytes: 100_000,
    maxConnections: 10,
    frames,
    ...options,
  });
  t.teardown(() => server.close());
  return { server, url: `http://127.0.0.1:${server.port}` };
}

t.test('many frames both ways, in order, past full buffers', async (t) => {
  const count = 2000;
  const blocked: Frame[] = [];
  const flushBlocked = (link: FrameLink) => {
    while (blocked.length > 0 && link.trySend(blocked[0]!)) blocked.shift();
  };
  const { url, server } = await start(t, {
    frame: (link, frame) => {
      blocked.push(frame);
      flushBlocked(link);
    },
    drain: flushBlocked,
    closed: () => {},
  });
  let next = 0;
  const ids: number[] = [];
  await new Promise<void>((resolve) => {
    const pump = (link: FrameLink) => {
      while (next < count && link.trySend(query(next, 5000))) next++;
    };
    connectFrames(
      { url, maxFrameBytes: 100_000, maxBufferedBytes: 20_000 },
      {
        open: pump,
        drain: pump,
        frame: (link, frame) => {
          if (frame.kind === 'query' && frame.body[4999] === frame.id % 251) ids.push(frame.id);
          if (ids.length === count) link.close('enough');
        },
        closed: () => resolve(),
      },
    );
  });
  t.strictSame(
    ids,
    Array.from({ length: count }, (_, id) => id),
  );
  while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
});

for (const [name, message, code] of [
  ['text', 'hello', 'bad_framing'],
  ['bytes that are no frame', Buffer.from([1, 2, 3]), 'bad_framing'],
  ['a frame above the limit', Buffer.alloc(150_000), 'frame_too_large'],
] as const) {
  t.test(`${name}: an error frame, then the end`, async (t) => {
    const reasons: string[] = [];
    const { url } = await start(t, {
      frame: () => t.fail('no frame'),
      closed: (_, reason) => reasons.push(reason),
    });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send(message);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    t.match(decodeFrame(answer), { kind: 'error', code, fatal: true });
    await closed;
    t.match(reasons, [new RegExp(`^${code}`)]);
  });
}

t.test('a frozen client is noticed by the server', async (t) => {
  const { promise, resolve } = settlement();
  const { url } = await start(
    t,
    { frame: () => {}, closed: (_, reason) => resolve(reason) },
    { frameSilenceMs: 60 },
  );
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`, { autoPong: false });
  t.teardown(() => socket.terminate());
  t.match(await promise, /^silent for/);
});

t.test('a frozen server is noticed by the client, before and after the hand-shake', async (t) => {
  const mute = createServer((socket) => {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  });
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => mute.close());
  const before = settlement();
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  connectFrames(
    { url, maxFrameBytes: 1000, connectTimeoutMs: 30 },
    { frame: () => {}, closed: (_, reason) => before.resolve(reason) },
  );
  t.equal(await before.promise, 'no connection within 30 ms');

  const silent = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const after = settlement();
  connectFrames(
    { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, maxFrameBytes: 1000, silenceMs: 60 },
    { frame: () => {}, closed: (_, reason) => after.resolve(reason) },
  );
  t.match(await after.promise, /^silent for/);
});

t.test('a quiet connection whose peer answers pings lives on', async (t) => {
  const { promise, resolve } = settlement();
  const { url } = await start(
    t,
    { frame: () => resolve('frame'), closed: (_, reason) => resolve(reason) },
    { frameSilenceMs: 1500 },
  );
  let pings = 0;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`);
  socket.on('ping', () => {
    if (++pings === 4) socket.send(Buffer.from([1]));
  });
  t.match(await promise, /^bad_framing/, 'ended by what was sent, after four pings');
});

t.test('URLs', async (t) => {
  t.equal(framesUrl('http://h:1').href, 'ws://h:1/v2');
  t.equal(framesUrl('https://h').href, 'wss://h/v2');
  t.equal(framesUrl('ws://h:1/other').href, 'ws://h:1/other');
  for (const url of ['', 'h:1', 'ftp://h']) t.throws(() => framesUrl(url), { code: 'bad_setting' });
});

function settlement() {
  let resolve!: (value: string) => void;
  const promise = new Promise<string>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
