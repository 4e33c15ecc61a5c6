/** StatsD straight into a server, without an agent. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DgramSocket } from 'node-unix-socket';
import t, { type Test } from 'tap';
import type { RunningServer } from '../../../src/server/server.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Store } from '../../../src/storage/store.js';
import { ask, bucketCount, folder, json, serverOf, until } from '../kit.js';
import { mappingOf } from './kit.js';

const statsd = { port: 0, receiveBufferBytes: 2 ** 20, mapping: mappingOf([]) };

async function sendUdp(t: Test, server: RunningServer, ...packets: readonly string[]): Promise<void> {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  for (const packet of packets) {
    await new Promise<void>((resolve) => {
      socket.send(packet, server.status().statsd!.port!, '127.0.0.1', () => resolve());
    });
  }
}

function booksOf(server: RunningServer) {
  return server.status().books;
}

async function settled(server: RunningServer, events: number): Promise<void> {
  await until(
    `${events} events`,
    () => booksOf(server).received === events && booksOf(server).buffered === 0,
  );
}

t.test('over UDP, TCP and a Unix socket; the books balance, and faults are shown', async (t) => {
  const socket = join(folder(t), 'statsd.sock');
  const server = await serverOf(t, { statsd: { ...statsd, socket } });
  await sendUdp(t, server, 'hits:1|c\nhits:2|c', 'price:1.5|ms\nbroken', 'queue:5|g');
  const stream = connect(server.status().statsd!.port!, '127.0.0.1');
  await once(stream, 'connect');
  stream.end('hits:3|c\n');
  const unix = new DgramSocket();
  t.teardown(() => unix.close());
  const packet = Buffer.from('hits:4|c\nqueue:+2|g');
  await until('the gauge is set', () => booksOf(server).received >= 5);
  await new Promise<void>((resolve) => unix.sendTo(packet, 0, packet.length, socket, () => resolve()));
  await settled(server, 8);
  const { json: tabs } = await json(`${server.url}/tabs?client=server-host`);
  t.match(tabs, {
    hits: { pct: { count: 4, total: 10 } },
    price: { '1m': { count: 1, total: 1.5 } },
    queue: { '7': 1 },
  });
  const { books, statsd: shown, malformed } = server.status();
  t.match(books, { received: 8, applied: 7, rejected: { bad_event: 1 }, balance: 0 });
  t.match(shown, { datagrams: 4, socket, series: 3, gauges: 1 });
  t.match(malformed, [{ code: 'bad_event', message: /broken/ }]);
  const { text } = await ask(`${server.url}/status`);
  t.match(text, new RegExp(`statsd on port \\d+ and ${socket}: 4 datagrams`));
  t.match(text, /bad_event: .*broken/);
});

t.test('rules hold, and are replaced', async (t) => {
  const mapping = mappingOf([{ match: 'noise', drop: true }]);
  const server = await serverOf(t, { statsd: { ...statsd, mapping } });
  await sendUdp(t, server, 'noise:1|c\na:1|c');
  await settled(server, 2);
  t.match(booksOf(server), { dropped: { mapping: 1 }, applied: 1, balance: 0 });
  server.setMapping(mappingOf([{ match: 'a', rename: 'b' }]));
  await sendUdp(t, server, 'noise:1|c\na:1|c');
  await settled(server, 4);
  t.same(Object.keys((await json(`${server.url}/tabs`)).json).sort(), ['a', 'b', 'noise']);
});

t.test('a stream waits while the store does, and nothing of it is lost', async (t) => {
  const store = openMemoryStore({ bucketCount });
  let waitingFor: string | undefined = 'room on the disk';
  const full: Store = new Proxy(store, {
    get: (target, name) => {
      if (name === 'stats')
        return () => ({ ...target.stats(), ...(waitingFor !== undefined && { waitingFor }) });
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const server = await serverOf(t, { store: full, statsd });
  await sendUdp(t, server, 'first:1|c');
  await until('it waits', () => booksOf(server).buffered === 1);
  await new Promise((resolve) => setTimeout(resolve, 250));
  const stream = connect(server.status().statsd!.port!, '127.0.0.1');
  await once(stream, 'connect');
  const lines = 200_000;
  const padding = 'x'.repeat(90);
  let isBlocked = false;
  for (let line = 0; line < lines; line++)
    isBlocked = !stream.write(`${padding}${line % 50}:1|c\n`) || isBlocked;
  stream.end();
  t.ok(isBlocked, 'the sender feels it');
  await new Promise((resolve) => setTimeout(resolve, 250));
  const { received } = booksOf(server);
  t.ok(received < lines, `${received} of ${lines} were read`);
  waitingFor = undefined;
  await settled(server, lines + 1);
  t.match(booksOf(server), { applied: lines + 1, dropped: {}, balance: 0 });
});

t.test('what came in is counted although the server is stopped at once', async (t) => {
  const store = openMemoryStore({ bucketCount });
  let applied = 0;
  const server = await serverOf(t, { store, statsd });
  await sendUdp(t, server, 'a:1|c\na:1|c\nb:1|c');
  await until('it came in', () => booksOf(server).received === 3);
  await server.close();
  applied = booksOf(server).applied;
  t.equal(applied, 3);
});

t.test('a socket that cannot be is refused by its name', async (t) => {
  const nowhere = join(folder(t), 'missing', 'statsd.sock');
  const { port: _, ...rest } = statsd;
  await t.rejects(serverOf(t, { statsd: { ...rest, socket: nowhere } }), {
    code: 'bad_setting',
    message: /^statsd-socket: .*missing.* cannot listen/,
  });
});
