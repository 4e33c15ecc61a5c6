import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { agentOf, post } from '../../agent/agent-kit.js';
import { folder, until } from '../kit.js';
import { mappingOf, statsdBench } from './kit.js';

t.setTimeout(60_000);

/** Sends datagrams, one after the other. */
async function send(t: Test, port: number, ...packets: readonly string[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const packet of packets) {
    await new Promise<void>((resolve, reject) => {
      socket.send(packet, port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
    });
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  t.pass('sent');
}

t.test('a broken line costs itself only, and is shown to whoever looks for its sender', async (t) => {
  const { port, agent, arrived, tab } = await statsdBench(t);
  await send(t, port, 'good:1|c\nbroken\nbad:x|c\ngood:2|c\n:1|c', 'worse:1|q');
  await arrived(6);
  t.match(await tab('good'), { pct: { count: 2, total: 3 } });
  const { books, malformed } = agent.status();
  t.same(books.rejected, { bad_event: 2, bad_value: 1, bad_name: 1 });
  t.match(malformed, [
    { code: 'bad_event', message: /broken/ },
    { code: 'bad_value', message: /"x"/ },
    { code: 'bad_name' },
    { code: 'bad_event', message: /worse:1\|q/ },
  ]);
  t.match(malformed[0]!.from, /^127\.0\.0\.1:\d+$/);
});

t.test('a gauge is changed by signed values, across restarts where there is a spool', async (t) => {
  const spoolFolder = folder(t);
  const first = await statsdBench(t, [], { spoolFolder });
  await send(t, first.port, 'queue:10|g', 'queue:+5|g\nqueue:-3|g', 'other:-4|g');
  await first.arrived(4);
  t.match(await first.tab('queue'), { 12: 1 });
  t.match(await first.tab('other'), { '-4': 1 });
  await first.agent.close();
  const second = await statsdBench(t, [], { spoolFolder });
  await send(t, second.port, 'queue:+1|g', 'other:7|g');
  await second.arrived(2);
  t.match(await second.tab('queue'), { 13: 1 });
  t.match(await second.tab('other'), { 7: 1 });
});

t.test('an event at its own time, and one from the future', async (t) => {
  const { port, agent, arrived, tab } = await statsdBench(t);
  const nowSec = Math.floor(Date.now() / 1000);
  await send(t, port, `then:1|c|T${nowSec - 1800}`, `then:2|c|T${nowSec + 3600}`);
  await arrived(2);
  t.match(await tab('then'), { '10m': { count: 1, total: 2 }, '1h': { count: 2, total: 3 } });
  t.equal(agent.status().clamped_timestamps, 1);
});

t.test('what waits under another type already is rejected, and counted once', async (t) => {
  const statsd = { port: 0, receiveBufferBytes: 2 ** 20, mapping: mappingOf([]) };
  const { agent } = await agentOf(t, { statsd });
  await post(`${agent.url}/events`, '{"name": "a", "value": 1, "type": "Gauge"}');
  await send(t, agent.status().statsd!.port!, 'a:1|c\nb:1|c');
  const books = await until('the rejection', () => {
    const { books } = agent.status();
    return books.rejected.type_conflict !== undefined && books;
  });
  t.match(books, { received: 3, buffered: 2, rejected: { type_conflict: 1 }, balance: 0 });
});

t.test('rules rename, retype and drop', async (t) => {
  const rules = [
    { match: 'noise\\.', drop: true },
    {
      match: 'app\\.[^.]+\\.latency$',
      rename: 'app.latency',
      type: 'PercentileCounter',
      'drop-tags': ['pod'],
    },
  ];
  const { port, agent, arrived, tab } = await statsdBench(t, rules);
  await send(
    t,
    port,
    'noise.a:1|c\nnoise.b:2|ms',
    'app.web1.latency:12|ms|#pod:x,env:prod',
    'app.web2.latency:14|ms',
  );
  await arrived(4);
  t.same(agent.status().books.dropped, { mapping: 2 });
  t.match(await tab('app.latency;env=prod'), { count: 1, total: 12 });
  t.match(await tab('app.latency'), { count: 1, total: 14 });
});

t.test('without room datagrams are dropped and counted, streams wait', async (t) => {
  // Nobody listens where it sends to, and three pairs fill it.
  const { agent } = await agentOf(t, {
    maxBufferedPairs: 3,
    statsd: { port: 0, receiveBufferBytes: 65_536, mapping: mappingOf([]) },
  });
  const port = agent.status().statsd!.port!;
  const books = () => agent.status().books;
  await send(t, port, 'a:1|c\nb:1|c\nc:1|c');
  await until('three', () => books().received === 3 && agent.status().buffered_pairs === 3);
  await send(t, port, 'd:1|c\ne:1|c\nf:1|c');
  await until('a shortage', () => agent.status().statsd!.waiting === 3);
  await new Promise((resolve) => setTimeout(resolve, 250));
  const stream = connect(port, '127.0.0.1');
  await once(stream, 'connect');
  stream.write('a:1|c\n');
  await until('one line of the stream', () => books().received === 7);
  stream.write('x:1|c\n'.repeat(100));
  await send(t, port, 'g:1|c', 'd:1|c');
  await until('the datagrams', () => books().received === 9);
  await until('the next turn', () => books().dropped.no_room !== undefined);
  t.same(books().dropped, { no_room: 1 }, 'g is new, d merges with what waits');
  t.equal(books().received, 9, 'the stream waits');
  t.equal(books().balance, 0);
  stream.destroy();
});

t.test('a port that is in use is named', async (t) => {
  const { port } = await statsdBench(t);
  await t.rejects(agentOf(t, { statsd: { port, receiveBufferBytes: 65_536, mapping: mappingOf([]) } }), {
    code: 'port_in_use',
    message: new RegExp(`statsd-port: 127\\.0\\.0\\.1:${port} is in use`),
  });
});
