import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/runtime/system-clock.js';
import { type DatagramOptions, receiveDatagrams } from '../../src/transport/inbound/datagrams.js';
import { until } from '../agent/agent-kit.js';
import { FakeClock } from '../support/fake-clock.js';

interface Taken {
  readonly text: string;
  readonly address: string;
  readonly port: number;
}

async function receiver(t: Test, options: Partial<DatagramOptions> = {}) {
  const taken: Taken[] = [];
  const datagrams = await receiveDatagrams({
    ...{ host: '127.0.0.1', port: 0, receiveBufferBytes: 65_536, clock: systemClock() },
    take: (bytes, start, end, from) => {
      taken.push({ text: Buffer.from(bytes.subarray(start, end)).toString(), ...from });
    },
    onError: (error) => t.fail(error.message),
    onResumed: () => t.fail('it was not away'),
    ...options,
  });
  t.teardown(() => datagrams.close());
  return { datagrams, taken };
}

/** Sends numbered datagrams from another process, while this one waits and does nothing else. */
function sendMeanwhile(port: number, count: number, bytes: number): void {
  const code = `
    const socket = require('node:dgram').createSocket('udp4');
    socket.connect(${port}, '127.0.0.1', async () => {
      for (let index = 0; index < ${count}; index++) {
        const text = String(index).padEnd(${bytes}, '.');
        await new Promise((resolve) => socket.send(text, resolve));
      }
      socket.close();
    });`;
  execFileSync(process.execPath, ['-e', code]);
}

for (const [type, host] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  t.test(`${type}: a datagram that comes alone is taken with its sender, one of no bytes too`, async (t) => {
    const { datagrams, taken } = await receiver(t, { host });
    const socket = createSocket(type);
    t.teardown(() => socket.close());
    for (const [index, text] of ['a:1|c', '', 'b'.repeat(9000)].entries()) {
      await new Promise((resolve) => socket.send(text, datagrams.port, host, resolve));
      await until('it', () => taken.length === index + 1);
      t.same(taken[index], { text, address: host, port: socket.address().port });
    }
    t.equal(datagrams.received, 3);
  });
}

t.test('what comes while the main thread is busy is kept, beyond what the kernel has room for', async (t) => {
  const { datagrams, taken } = await receiver(t, { receiveBufferBytes: 16_384 });
  // More than the ring holds as well: what comes then is dropped by the kernel, and counted.
  const sent = 12_000;
  sendMeanwhile(datagrams.port, sent, 1000);
  t.equal(taken.length, 0, 'it was busy');
  await until('all of them', () => datagrams.received + datagrams.dropped()! === sent);
  t.ok(taken.length * 1000 > datagrams.receiveBufferBytes * 4);
  const numbers = taken.map(({ text }) => Number.parseInt(text, 10));
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
    'in order',
  );
  t.ok(taken.every(({ text }) => text.length === 1000));
  t.ok(
    taken.some(({ address }) => address === 'udp'),
    'the system was not asked for every sender',
  );
});

t.test('a receiver that is closed takes first what has come in', async (t) => {
  const { datagrams, taken } = await receiver(t);
  sendMeanwhile(datagrams.port, 20, 100);
  await Promise.all([datagrams.close(), datagrams.close()]);
  t.equal(taken.length, 20);
  t.equal(datagrams.received, 20);
});

t.test(
  'an address that is not of this machine is an error that names it, and no thread is left',
  async (t) => {
    await t.rejects(receiver(t, { host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL', syscall: 'bind' });
  },
);

/** A receiver, and the threads that it starts. */
async function mortal(t: Test, options: Partial<DatagramOptions> = {}) {
  const threads: Worker[] = [];
  const add = (thread: Worker): void => {
    threads.push(thread);
  };
  process.on('worker', add);
  t.teardown(() => process.off('worker', add));
  const errors: string[] = [];
  const silentMs: number[] = [];
  const made = await receiver(t, {
    onError: (error) => errors.push(error.message),
    onResumed: (ms) => silentMs.push(ms),
    ...options,
  });
  return { ...made, threads, errors, silentMs };
}

async function sent(port: number, text: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send(text, port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

const deaths: Readonly<Record<string, readonly [kill: (thread: Worker) => void, cause: RegExp]>> = {
  'is ended': [(thread) => void thread.terminate(), /has ended: exit code 1/],
  // An order that is none.
  throws: [(thread) => thread.postMessage(null), /has ended: Cannot read properties of null/],
};
for (const [name, [kill, cause]] of Object.entries(deaths)) {
  t.test(`a thread that ${name} is followed by another on the same port`, async (t) => {
    const { datagrams, taken, threads, errors, silentMs } = await mortal(t);
    const { port } = datagrams;
    await sent(port, 'before');
    await until('the first', () => taken.length === 1);
    kill(threads[0]!);
    await until('another', () => silentMs.length === 1);
    t.match(errors, [cause]);
    t.match(datagrams, { port, restarts: 1, waitingFor: undefined, received: 1 });
    await sent(port, 'after');
    await until('the second', () => taken.length === 2);
    t.equal(taken[1]!.text, 'after');
    t.equal(datagrams.received, 2);
  });
}

t.test('what a dead thread had read is taken, and what was dropped before stays counted', async (t) => {
  const { datagrams, taken, threads, silentMs } = await mortal(t, { receiveBufferBytes: 4096 });
  // More than the ring holds: the thread waits for room in the end, and the kernel drops what comes then.
  const count = 20_000;
  sendMeanwhile(datagrams.port, count, 1000);
  t.equal(taken.length, 0, 'the main thread was busy');
  const dropped = datagrams.dropped()!;
  t.ok(dropped > 0);
  await threads[0]!.terminate();
  t.ok(taken.length * 1000 > datagrams.receiveBufferBytes * 4, 'the main thread had taken nothing before');
  t.equal(datagrams.received, taken.length);
  t.equal(datagrams.dropped(), dropped);
  await until('another', () => silentMs.length === 1);
  t.equal(datagrams.dropped(), dropped);
});

t.test('while the port cannot be had it is tried ever less often, and named', async (t) => {
  const clock = new FakeClock();
  const { datagrams, taken, threads, errors, silentMs } = await mortal(t, { clock });
  const { port } = datagrams;
  await threads[0]!.terminate();
  const other = createSocket('udp4');
  await new Promise<void>((resolve) => other.bind(port, '127.0.0.1', resolve));
  t.match(datagrams.waitingFor, /the thread that reads UDP has ended/);
  clock.advance(10);
  for (const failures of [2, 3, 4, 5]) {
    await until(`failure ${failures}`, () => errors.length === failures);
    t.match(datagrams.waitingFor, /EADDRINUSE/);
    const pauseMs = 10 * 2 ** (failures - 1);
    clock.advance(pauseMs / 2 - 1);
    t.equal(clock.timers, 1, 'not yet');
    if (failures === 5) await new Promise<void>((resolve) => other.close(() => resolve()));
    clock.advance(pauseMs / 2 + 1);
    t.equal(clock.timers, 0, 'now');
  }
  await until('another', () => silentMs.length === 1);
  t.equal(datagrams.waitingFor, undefined);
  await sent(port, 'after');
  await until('it', () => taken.length === 1);
});

t.test('one that is closed while it waits for another attempt is closed for good', async (t) => {
  const clock = new FakeClock();
  const { datagrams, threads } = await mortal(t, { clock });
  await threads[0]!.terminate();
  t.equal(clock.timers, 1);
  await datagrams.close();
  t.equal(clock.timers, 0);
  t.equal(threads.length, 1);
});

t.test('one that is closed while another attempt is under way leaves nothing open', async (t) => {
  const clock = new FakeClock();
  const { datagrams, threads } = await mortal(t, { clock });
  await threads[0]!.terminate();
  clock.advance(10);
  await Promise.all([datagrams.close(), until('it', () => threads.length === 2)]);
  const other = createSocket('udp4');
  await new Promise<void>((resolve) => other.bind(datagrams.port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => other.close(() => resolve()));
  t.equal(clock.timers, 0);
  t.equal(threads.length, 2);
});
