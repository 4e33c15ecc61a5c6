import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { type LinePort, type LinePortOptions, openLinePort } from '../../src/transport/inbound/line-port.js';
import { until } from '../agent/agent-kit.js';

/** A port that keeps what came in, as text. */
async function openPort(t: Test, options: Partial<LinePortOptions> = {}) {
  const taken: string[] = [];
  const state = { isFull: false, tooLong: 0 };
  const port: LinePort = await openLinePort({
    ...{ host: '127.0.0.1', port: 0, receiveBufferBytes: 65_536, maxLineBytes: 100, maxConnections: 2 },
    sink: {
      takeDatagram: (bytes) => {
        taken.push(Buffer.from(bytes).toString());
      },
      takeLines: (bytes, start, end) => {
        taken.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
      },
      tooLong: () => {
        state.tooLong++;
      },
      isFull: () => state.isFull,
    },
    onError: (error) => t.fail(error.message),
    ...options,
  });
  t.teardown(() => port.close());
  return { port, taken, state, text: () => taken.join('') };
}

async function connected(port: LinePort) {
  const socket = connect(port.port, '127.0.0.1');
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

t.test('connections beyond the limit are refused and counted', async (t) => {
  const { port } = await openPort(t);
  const sockets = [await connected(port), await connected(port)];
  await until('two', () => port.streams.connections === 2);
  const third = await connected(port);
  await once(third, 'close');
  t.equal(port.streams.refused, 1);
  for (const socket of sockets) socket.destroy();
  await until('none', () => port.streams.connections === 0);
});

t.test('what the kernel throws away is counted to the datagram', async (t) => {
  const { port, taken } = await openPort(t, { receiveBufferBytes: 4096 });
  const { datagrams } = port;
  t.equal(datagrams.dropped(), 0);
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  // Sent in one go: nobody reads meanwhile.
  const sent = 500;
  for (let index = 0; index < sent; index++) socket.send('x'.repeat(1000), port.port, '127.0.0.1');
  await until('all of them', () => datagrams.received + datagrams.dropped()! === sent);
  t.ok(datagrams.dropped()! > 0);
  t.equal(taken.length, datagrams.received);
});

t.test('a port that is taken is an error, and leaves nothing open', async (t) => {
  const { port } = await openPort(t);
  await t.rejects(openPort(t, { port: port.port }), { code: 'EADDRINUSE' });
  const blocker = createSocket('udp4');
  await new Promise<void>((resolve) => blocker.bind(0, '127.0.0.1', resolve));
  const taken = blocker.address().port;
  await t.rejects(openPort(t, { port: taken }), { code: 'EADDRINUSE' });
  await new Promise<void>((resolve) => blocker.close(() => resolve()));
  const { port: free } = await openPort(t, { port: taken });
  t.equal(free.port, taken);
});
