import { createSocket } from 'node:dgram';
import { fstatSync, readlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { kernelSocketOf } from '../../../src/transport/inbound/udp/kernel-socket.js';

async function bound(t: Test, type: 'udp4' | 'udp6', address: string, port = 0) {
  const socket = createSocket(type);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, resolve);
  });
  let isOpen = true;
  const close = (): Promise<void> => {
    if (!isOpen) return Promise.resolve();
    isOpen = false;
    return new Promise((resolve) => socket.close(() => resolve()));
  };
  t.teardown(close);
  return { socket, port: socket.address().port, close };
}

t.test('a socket of this process is found by its port, as long as it is open', async (t) => {
  for (const [type, address] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const) {
    const { port, close } = await bound(t, type, address);
    const found = kernelSocketOf(type, port);
    t.ok(found, type);
    t.ok(fstatSync(found!.descriptor).isSocket());
    t.match(readlinkSync(`/proc/self/fd/${found!.descriptor}`), /^socket:/);
    t.equal(found!.dropped(), 0);
    await close();
    t.equal(found!.dropped(), undefined);
    t.equal(kernelSocketOf(type, port), undefined);
  }
});

t.test('where two sockets have the port, neither is taken for the other', async (t) => {
  const { port } = await bound(t, 'udp4', '127.0.0.1');
  await bound(t, 'udp4', '127.0.0.2', port);
  t.equal(kernelSocketOf('udp4', port), undefined);
});
