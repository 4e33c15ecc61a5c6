/** Clients that others wrote send known sequences, over every way that they have. */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { StatsD } from 'hot-shots';
import { DgramSocket } from 'node-unix-socket';
import t, { type Test } from 'tap';
import { folder } from '../kit.js';
import { type StatsdBench, statsdBench } from './kit.js';

t.setTimeout(120_000);

const require = createRequire(import.meta.url);

/**
 * The package through which hot-shots sends over Unix sockets has to be compiled where it is installed. In its place stands
 * what it would be, on another one.
 */
const unixDgram = require.resolve('unix-dgram', { paths: [require.resolve('hot-shots')] });
require.cache[unixDgram] = {
  ...{ id: unixDgram, filename: unixDgram, loaded: true, exports: { createSocket: () => new UnixSocket() } },
} as NodeJS.Module;

class UnixSocket extends EventEmitter {
  readonly #socket = new DgramSocket();
  #path = '';

  connect(path: string): void {
    this.#path = path;
  }

  send(bytes: Buffer, sent: (error?: Error) => void): void {
    this.#socket.sendTo(bytes, 0, bytes.length, this.#path, (error) => sent(error ?? undefined));
  }

  close(): void {
    this.#socket.close();
  }
}

/** What all of these clients have in common. */
interface Client {
  increment(name: string, by?: number): void;
  timing(name: string, ms: number): void;
  gauge(name: string, value: number): void;
  set(name: string, value: string | number): void;
}

/** 50 to 10,000 ms, in an order of their own. */
const timings = Array.from({ length: 200 }, (_, index) => 50 * (1 + ((index * 37) % 200)));
const percentiles = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
/** As many as are counted exactly, and so many that they are estimated. */
const fewUsers = 256;
const manyUsers = 3000;
/** Of estimates: 1.04 / sqrt(4096 registers). */
const standardError = 0.01625;
/** Datagrams that a socket has room for, whatever its owner is doing. */
const packetsAtOnce = 100;

/** @returns how many events it sent */
async function sendSequence(client: Client, bench: StatsdBench): Promise<number> {
  let sent = 0;
  const send = async (action: () => void): Promise<void> => {
    action();
    if (++sent % packetsAtOnce === 0) await bench.caughtUp(sent - packetsAtOnce);
  };
  for (let index = 0; index < 100; index++) await send(() => client.increment('bids.won', 3));
  await send(() => client.increment('bids.seen'));
  for (const ms of timings) await send(() => client.timing('price.ms', ms));
  await send(() => client.gauge('queue', 17));
  for (let index = 0; index < fewUsers + 50; index++) {
    await send(() => client.set('users', `u${index % fewUsers}`));
  }
  for (let index = 0; index < manyUsers; index++) await send(() => client.set('visitors', `v${index}`));
  return sent;
}

async function checkSequence(t: Test, { tab }: StatsdBench): Promise<void> {
  t.match(await tab('bids.won'), { '1m': { count: 100, total: 300 }, pct: { count: 100, total: 300 } });
  t.match(await tab('bids.seen'), { pct: { count: 1, total: 1 } });
  const price = await tab('price.ms');
  t.match(price['1h'], { count: 200, total: 200 * 50 * 100.5 });
  for (const [index, share] of percentiles.entries()) {
    // The value below which that share of the values lies.
    const exact = 50 * (Math.floor(share * 200) + 1);
    const shown = price['1h'].pct[index];
    t.ok(Math.abs(shown - exact) <= exact * 0.01, `p${share * 100} is ${shown} instead of ${exact}`);
  }
  t.match(await tab('queue'), { 17: 1 });
  t.match(await tab('users'), { '1h': fewUsers, all: fewUsers });
  const { all } = await tab('visitors');
  t.ok(Math.abs(all - manyUsers) <= 4 * standardError * manyUsers, `${all} visitors instead of ${manyUsers}`);
}

interface Way {
  readonly protocol: 'udp' | 'tcp' | 'uds';
  readonly maxBufferSize?: number;
}

const ways: Readonly<Record<string, Way>> = {
  'UDP, a packet for each metric': { protocol: 'udp' },
  'UDP, buffered': { protocol: 'udp', maxBufferSize: 1400 },
  TCP: { protocol: 'tcp' },
  'TCP, buffered': { protocol: 'tcp', maxBufferSize: 1400 },
  'a Unix socket': { protocol: 'uds' },
  'a Unix socket, buffered': { protocol: 'uds', maxBufferSize: 8192 },
};

for (const [name, way] of Object.entries(ways)) {
  t.test(`hot-shots, ${name}`, async (t) => {
    const path = join(folder(t), 'statsd.sock');
    const bench = await statsdBench(t, [], {}, path);
    const place = way.protocol === 'uds' ? { path } : { host: '127.0.0.1', port: bench.port };
    const client = new StatsD({ ...place, ...way, udsRetryOptions: { retries: 20 } });
    const sent = await sendSequence(
      {
        increment: (metric, by) => client.increment(metric, by ?? 1),
        timing: (metric, ms) => client.timing(metric, ms),
        gauge: (metric, value) => client.gauge(metric, value),
        set: (metric, value) => client.set(metric, value),
      },
      bench,
    );
    await new Promise<void>((resolve) => client.close(() => resolve()));
    await bench.arrived(sent);
    await checkSequence(t, bench);
  });
}

t.test('hot-shots for Datadog: tags, distributions, histograms, events and checks', async (t) => {
  const bench = await statsdBench(t, [], { clientId: 'web1' });
  const client = new StatsD({
    ...{ host: '127.0.0.1', port: bench.port, datadog: true, includeDatadogTelemetry: false },
    globalTags: { env: 'prod' },
  });
  for (let index = 1; index <= 10; index++) {
    client.distribution('size', index, { team: 'a' });
    client.histogram('depth', index, ['plain']);
    client.increment('hits', 1, { team: 'b', path: '/x;y' });
  }
  client.event('deployed', 'all of it');
  client.check('db', client.CHECKS.OK);
  await new Promise<void>((resolve) => client.close(() => resolve()));
  await bench.arrived(30);
  t.match(await bench.tab('size;env=prod;team=a'), { '1h': { count: 10, total: 55 } });
  t.match(await bench.tab('depth;env=prod;plain'), { '1h': { count: 10, total: 55 } });
  t.match(await bench.tab('hits;env=prod;path=/x~3By;team=b'), { pct: { count: 10, total: 10 } });
  t.match(bench.agent.status().statsd, { events_ignored: 1, service_checks_ignored: 1 });
});

t.test('hot-shots with its own aggregation, and sampled', async (t) => {
  const bench = await statsdBench(t);
  const aggregating = new StatsD({
    ...{ host: '127.0.0.1', port: bench.port, datadog: true, includeDatadogTelemetry: false },
    aggregation: { flushInterval: 50 },
  });
  for (let index = 0; index < 1000; index++) aggregating.increment('gathered', 2);
  await new Promise<void>((resolve) => aggregating.close(() => resolve()));
  await bench.arrived(1);
  t.match(await bench.tab('gathered'), { pct: { total: 2000 } });

  const sampling = new StatsD({ host: '127.0.0.1', port: bench.port });
  for (let index = 0; index < 400; index++) sampling.increment('sampled', 1, 0.25);
  await new Promise<void>((resolve) => sampling.close(() => resolve()));
  // How many are sent is the client's dice: each stands for four.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { received } = bench.agent.status().books;
  await bench.arrived(received);
  t.ok(received > 40);
  t.match(await bench.tab('sampled'), { pct: { count: 4 * (received - 1), total: 4 * (received - 1) } });
});

t.test('node-statsd', async (t) => {
  const bench = await statsdBench(t);
  const NodeStatsd = require('node-statsd');
  const client = new NodeStatsd({ host: '127.0.0.1', port: bench.port });
  const sent = await sendSequence(client, bench);
  await bench.arrived(sent);
  client.close();
  await checkSequence(t, bench);
});

t.test('statsd-client', async (t) => {
  const bench = await statsdBench(t);
  const StatsdClient = require('statsd-client');
  const client = new StatsdClient({ host: '127.0.0.1', port: bench.port });
  const sent = await sendSequence(client, bench);
  await bench.arrived(sent);
  client.close();
  await checkSequence(t, bench);
});

t.test('statsd-client over TCP', async (t) => {
  const bench = await statsdBench(t);
  const StatsdClient = require('statsd-client');
  // What it buffers before it is connected it sends several times.
  const client = new StatsdClient({ host: '127.0.0.1', port: bench.port, tcp: true, maxBufferSize: 0 });
  const sent = await sendSequence(client, bench);
  await bench.arrived(sent);
  client.close();
  await checkSequence(t, bench);
});

t.test('lynx', async (t) => {
  const bench = await statsdBench(t);
  const Lynx = require('lynx');
  const client = new Lynx('127.0.0.1', bench.port);
  const sent = await sendSequence(
    {
      increment: (metric, by) => client.count(metric, by ?? 1),
      timing: (metric, ms) => client.timing(metric, ms),
      gauge: (metric, value) => client.gauge(metric, value),
      set: (metric, value) => client.set(metric, value),
    },
    bench,
  );
  await bench.arrived(sent);
  client.close();
  await checkSequence(t, bench);
});
