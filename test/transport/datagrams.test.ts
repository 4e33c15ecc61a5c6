import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import t, { type Test } from 'tap';
import { type DatagramOptions, receiveDatagrams } from '../../src/transport/inbound/datagrams.js';
import { until } from '../agent/agent-kit.js';

interface Taken {
  readonly text: string;
  readonly address: string;
  readonly port: number;
}

async function receiver(t: Test, options: Partial<DatagramOptions> = {}) {
  const taken: Taken[] = [];
  const datagrams = await receiveDatagrams({
    ...{ host: '127.0.0.1', port: 0, receiveBufferBytes: 65_536 },
    take: (bytes, start, end, from) => {
      taken.push({ text: Buffer.from(bytes.subarray(start, end)).toString(), ...from });
    },
    onError: (error) => t.fail(error.message),
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
