import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DgramSocket } from 'node-unix-socket';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/runtime/system-clock.js';
import { type LinePort, type LinePortOptions, openLinePort } from '../../src/transport/inbound/line-port.js';
import { until } from '../agent/agent-kit.js';
import { folder } from '../system/kit.js';

/** A port that keeps what came in, as text. */
async function openPort(t: Test, options: Partial<LinePortOptions> = {}) {
  const taken: string[] = [];
  const state = { isFull: false, tooLong: 0, cut: [] as number[] };
  const port: LinePort = await openLinePort({
    ...{
      host: '127.0.0.1',
      port: 0,
      socket: undefined,
      receiveBufferBytes: 65_536,
      maxLineBytes: 100,
      maxConnections: 2,
    },
    sink: {
      takeDatagram: (bytes, start, end) => {
        taken.push(Buffer.from(bytes.subarray(start, end)).toString());
      },
      takeLines: (bytes, start, end) => {
        taken.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
      },
      takeCutDatagram: (bytes) => {
        state.cut.push(bytes.length);
      },
      tooLong: () => {
        state.tooLong++;
      },
      isFull: () => state.isFull,
    },
    clock: systemClock(),
    onError: (error) => t.fail(error.message),
    onResumed: () => t.fail('it was not away'),
    ...options,
  });
  t.teardown(() => port.close());
  return { port, taken, state, text: () => taken.join('') };
}

async function connected(port: LinePort) {
  const socket = connect(port.figures().port!, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.setNoDelay(true);
  return socket;
}

t.test('a stream is cut where lines end, however it comes in', async (t) => {
  const { port, taken, text } = await openPort(t);
  const socket = await connected(port);
  for (const piece of ['first:1|', 'c\nsecond:', '2|c\nthird:3|c\nfou', 'rth:4|c']) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.equal(text(), 'first:1|c\nsecond:2|c\nthird:3|c\n', 'the last line has no end yet');
  for (const piece of taken) t.ok(piece.endsWith('\n'));
  socket.end();
  await until('the end', () => text().endsWith('fourth:4|c'));
});

t.test('a line that is too long is named once and skipped; what follows is taken', async (t) => {
  const { port, state, text } = await openPort(t);
  const socket = await connected(port);
  for (let index = 0; index < 5; index++) {
    socket.write('x'.repeat(60));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  socket.write('\nnext:1|c\n');
  await until('the next line', () => text() === 'next:1|c\n');
  t.equal(state.tooLong, 1);
  socket.destroy();
});

t.test('nothing is read from a stream while there is no room, and nothing of it is lost', async (t) => {
  const { port, state, text } = await openPort(t);
  const socket = await connected(port);
  state.isFull = true;
  socket.write('a:1|c\n');
  await until('the first line', () => text() === 'a:1|c\n');
  const line = `${'b'.repeat(90)}:1|c\n`;
  const count = 100_000;
  let isBlocked = false;
  for (let index = 0; index < count; index++) isBlocked = !socket.write(line) || isBlocked;
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.ok(isBlocked, 'the sender feels it');
  t.equal(text(), 'a:1|c\n');
  state.isFull = false;
  await until('all of it', () => text().length === 'a:1|c\n'.length + count * line.length);
  socket.destroy();
});

t.test('what had been sent over a connection is taken before it is closed, room or not', async (t) => {
  const { port, state, text } = await openPort(t);
  const sockets = [await connected(port), await connected(port)];
  sockets[0]!.write('a:1|c\n');
  await until('both are there', () => port.figures().connections === 2 && text() === 'a:1|c\n');
  state.isFull = true;
  sockets[1]!.write('b:1|c\n');
  await until('one is made to wait', () => text().endsWith('b:1|c\n'));
  const lines = `${'c'.repeat(90)}:1|c\n`.repeat(2000);
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(lines, resolve))));
  await port.close();
  t.equal(text().length, 'a:1|c\n'.length * 2 + lines.length * 2);
});

t.test('connections beyond the limit are refused and counted', async (t) => {
  const { port } = await openPort(t);
  const sockets = [await connected(port), await connected(port)];
  await until('two', () => port.figures().connections === 2);
  const third = await connected(port);
  await once(third, 'close');
  t.equal(port.figures().connections_refused, 1);
  for (const socket of sockets) socket.destroy();
  await until('none', () => port.figures().connections === 0);
});

t.test('what the kernel throws away is counted to the datagram', async (t) => {
  const { port, taken } = await openPort(t, { receiveBufferBytes: 4096 });
  const figures = () => port.figures();
  t.equal(figures().datagrams_dropped, 0);
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  // Sent in one go: nobody reads meanwhile.
  const sent = 500;
  for (let index = 0; index < sent; index++) socket.send('x'.repeat(1000), figures().port!, '127.0.0.1');
  await until('all of them', () => figures().datagrams + figures().datagrams_dropped! === sent);
  t.ok(figures().datagrams_dropped! > 0);
  t.equal(taken.length, figures().datagrams);
});

t.test('a port that is taken is an error, and leaves nothing open', async (t) => {
  const { port } = await openPort(t);
  await t.rejects(openPort(t, { port: port.figures().port! }), { code: 'EADDRINUSE' });
  const blocker = createSocket('udp4');
  await new Promise<void>((resolve) => blocker.bind(0, '127.0.0.1', resolve));
  const taken = blocker.address().port;
  await t.rejects(openPort(t, { port: taken }), { code: 'EADDRINUSE' });
  await new Promise<void>((resolve) => blocker.close(() => resolve()));
  const { port: free } = await openPort(t, { port: taken });
  t.equal(free.figures().port, taken);
});

function unixSender(t: Test, path: string): (bytes: Uint8Array) => Promise<void> {
  const socket = new DgramSocket();
  t.teardown(() => socket.close());
  return (bytes) =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null | undefined): void => (error == null ? resolve() : reject(error));
      socket.sendTo(Buffer.from(bytes), 0, bytes.length, path, done);
    });
}

t.test('datagrams over a Unix socket, as long as they come; one that is cut off is named', async (t) => {
  const path = join(folder(t), 'statsd.sock');
  const { port, taken, state } = await openPort(t, { port: undefined, socket: path });
  t.match(port.figures(), { port: null, socket: path, datagrams: 0, receive_buffer_bytes: null });
  t.equal(statSync(path).mode & 0o777, 0o666);
  const send = unixSender(t, path);
  await send(Buffer.from('a:1|c'));
  await send(Buffer.alloc(65_534, 'b'));
  await until('both', () => taken.length === 2);
  t.equal(taken[0], 'a:1|c');
  t.equal(taken[1]!.length, 65_534);
  await send(Buffer.alloc(70_000, 'c'));
  await until('the long one', () => state.cut.length === 1);
  t.equal(port.figures().datagrams, 3);
  await port.close();
  t.notOk(existsSync(path), 'nothing is left behind');
});

t.test('datagrams that had come in over a Unix socket are taken before it is closed', async (t) => {
  const path = join(folder(t), 'statsd.sock');
  const { port, taken } = await openPort(t, { port: undefined, socket: path });
  const send = unixSender(t, path);
  const sent = Promise.all(Array.from({ length: 8 }, () => send(Buffer.from('a:1|c'))));
  await port.close();
  await sent;
  t.equal(taken.length, 8);
});

t.test(
  'a Unix socket that somebody listens on is in use, one that nobody listens on is replaced',
  async (t) => {
    const path = join(folder(t), 'statsd.sock');
    const unix = { port: undefined, socket: path };
    const { taken } = await openPort(t, unix);
    await t.rejects(openPort(t, unix), { code: 'EADDRINUSE', message: /another process listens on/ });
    await unixSender(t, path)(Buffer.from('still:1|c'));
    await until('the first one goes on', () => taken.includes('still:1|c'));
    const dead = join(folder(t), 'dead.sock');
    const bind = `const { DgramSocket } = require('node-unix-socket'); new DgramSocket().bind(${JSON.stringify(dead)}); process.exit();`;
    execFileSync(process.execPath, ['-e', bind]);
    t.ok(existsSync(dead));
    const { taken: its } = await openPort(t, { port: undefined, socket: dead });
    await unixSender(t, dead)(Buffer.from('alive:1|c'));
    await until('the new one takes', () => its.length === 1);
    const file = join(folder(t), 'file');
    writeFileSync(file, 'kept');
    await t.rejects(openPort(t, { port: undefined, socket: file }), {
      code: 'EADDRINUSE',
      message: /no socket/,
    });
    t.equal(readFileSync(file, 'utf8'), 'kept');
  },
);
