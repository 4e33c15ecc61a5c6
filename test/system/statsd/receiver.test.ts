/** What becomes of a node when the thread that reads StatsD over UDP dies. */
import { createSocket } from 'node:dgram';
import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { agentOf } from '../../agent/agent-kit.js';
import { ask, serverOf, until } from '../kit.js';
import { mappingOf } from './kit.js';

const statsd = { port: 0, receiveBufferBytes: 2 ** 20, mapping: mappingOf([]) };

/** The threads that this process starts from here on, the newest last. */
function threads(t: Test): readonly Worker[] {
  const started: Worker[] = [];
  const add = (worker: Worker): void => {
    started.push(worker);
  };
  process.on('worker', add);
  t.teardown(() => process.off('worker', add));
  return started;
}

/** Sends a datagram. */
async function send(port: number, text: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.send(text, port, '127.0.0.1', () => resolve()));
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

/** Takes a port; in the turn in which its last owner went, nobody can be faster. */
async function occupied(port: number): Promise<{ free(): Promise<void> }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
  return { free: () => new Promise((resolve) => socket.close(() => resolve())) };
}

t.test('an agent that receives nothing says so, and is ready again once it does', async (t) => {
  const started = threads(t);
  const { agent, log } = await agentOf(t, { statsd });
  const { port } = agent.status().statsd!;
  await send(port!, 'hits:1|c');
  await until('the first', () => agent.status().books.received === 1);
  await started[0]!.terminate();
  const other = await occupied(port!);
  await until('another attempt', () => /EADDRINUSE/.test(agent.status().waiting_for ?? ''));
  t.match(agent.status(), { accepting: true, waiting_for: /StatsD over UDP: .*EADDRINUSE/ });
  t.match(agent.status().statsd, { port, waiting_for: /EADDRINUSE/, datagrams: 1 });
  t.match(await ask(`${agent.url}/readyz`), { status: 503, text: /StatsD over UDP: .*EADDRINUSE/ });
  t.match((await ask(`${agent.url}/status`)).text, /nothing comes in over UDP: .*EADDRINUSE/);
  t.match((await ask(`${agent.url}/metrics`)).text, /^taba_agent_statsd_waiting 1$/m);
  await other.free();
  await until('ready', async () => (await ask(`${agent.url}/readyz`)).status === 200);
  t.match(agent.status().statsd, { port, waiting_for: null, datagrams: 1, restarts: 1 });
  await send(port!, 'hits:2|c');
  await until('the second', () => agent.status().books.received === 2);
  t.match(agent.status().statsd, { datagrams: 2 });
  t.equal(log.count('statsd_resumed'), 1);
  await agent.close();
  t.equal(started.length >= 3, true, 'it was tried again');
});

t.test('a server as well', async (t) => {
  const started = threads(t);
  const server = await serverOf(t, { statsd });
  const { port } = server.status().statsd!;
  await started[0]!.terminate();
  const other = await occupied(port!);
  await until('the trouble', () => /StatsD over UDP/.test(server.status().waiting_for ?? ''));
  t.match(server.status(), { accepting: true });
  t.match(await ask(`${server.url}/readyz`), { status: 503, text: /StatsD over UDP/ });
  await other.free();
  await until('ready', async () => (await ask(`${server.url}/readyz`)).status === 200);
  await send(port!, 'hits:2|c');
  await until('it', () => server.status().books.received === 1);
});

t.test('a node that is closed while it has no receiver starts none', async (t) => {
  const started = threads(t);
  const { agent, log } = await agentOf(t, { statsd });
  await started[0]!.terminate();
  await agent.close();
  const { length } = started;
  t.equal(log.count('statsd_resumed'), 0);
  const { port } = agent.status().statsd!;
  const other = await occupied(port!);
  await other.free();
  t.equal(started.length, length);
});
