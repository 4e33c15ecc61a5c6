import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type DaemonProcess, type LogLine, startDaemon } from './daemon-process.js';

const parent = join(import.meta.dirname, 'workers-parent.ts');

/** Every process that holds the log is gone: killed ones may stay in the table until somebody reaps them. */
async function nobodyIsLeft(t: Test, daemon: DaemonProcess): Promise<void> {
  await t.rejects(daemon.event('nothing more'), /the log ended/);
}

function workersOf({ lines }: DaemonProcess): LogLine[] {
  return lines.filter(({ event }) => event === 'worker_ready');
}

t.test('is ready when all workers are, and stops them all', async (t) => {
  const daemon = startDaemon(t, parent, ['obeys', '3']);
  const ready = await daemon.event('ready');
  t.same(ready.servers, ['http://127.0.0.1:7000', 'http://127.0.0.1:7001', 'http://127.0.0.1:7002']);
  t.equal(ready.server, 'http://127.0.0.1:7000');
  daemon.kill('SIGTERM');
  t.same(await daemon.ended, [0, null]);
  t.equal(workersOf(daemon).length, 3);
  await nobodyIsLeft(t, daemon);
});

t.test('starts a worker again that dies, on the port that it had', async (t) => {
  const daemon = startDaemon(t, parent, ['obeys', '2']);
  await daemon.event('ready');
  for (let death = 0; death < 3; death++) {
    const victim = workersOf(daemon).findLast(({ worker }) => worker === 1);
    process.kill(Number(victim?.pid), 'SIGKILL');
    t.match(await daemon.event('worker_ended'), { worker: 1, cause: 'SIGKILL', restartInMs: Number });
    t.match(await daemon.event('worker_ready'), { worker: 1, port: '7001' });
  }
  daemon.kill('SIGTERM');
  t.same(await daemon.ended, [0, null]);
});

t.test('a worker whose port was taken meanwhile gets another', async (t) => {
  const daemon = startDaemon(t, parent, ['loses its port', '2']);
  await daemon.event('ready');
  const victim = workersOf(daemon).find(({ worker }) => worker === 1);
  process.kill(Number(victim?.pid), 'SIGKILL');
  t.match(await daemon.event('refused'), { worker: 1, port: '7001' });
  t.match(await daemon.event('worker_ready'), { worker: 1, port: '0' });
  daemon.kill('SIGTERM');
  t.same(await daemon.ended, [0, null]);
});

t.test(
  'what has changed is read again by all, by one that is just starting as soon as it is ready',
  async (t) => {
    const daemon = startDaemon(t, parent, ['comes back on SIGUSR2', '2']);
    await daemon.event('ready');
    daemon.kill('SIGHUP');
    const reloaded = [await daemon.event('reloaded'), await daemon.event('reloaded')];
    t.same(new Set(reloaded.map(({ worker }) => worker)), new Set([0, 1]));

    const victim = workersOf(daemon).find(({ worker }) => worker === 1);
    process.kill(Number(victim?.pid), 'SIGKILL');
    const { pid } = await daemon.event('starting');
    daemon.kill('SIGHUP');
    t.match(await daemon.event('reloaded'), { worker: 0 });
    process.kill(Number(pid), 'SIGUSR2');
    t.match(await daemon.next(({ event }) => event !== 'worker_ready'), { event: 'reloaded', worker: 1 });
    daemon.kill('SIGTERM');
    t.same(await daemon.ended, [0, null]);
  },
);

t.test('one that refuses to start ends all of them', async (t) => {
  const daemon = startDaemon(t, parent, ['refuses', '3']);
  t.match(await daemon.event('failed'), { message: /^worker 1 ended with 2 before it was ready/ });
  t.same(await daemon.ended, [1, null]);
  await nobodyIsLeft(t, daemon);
});

t.test('one that does not stop in good order is told', async (t) => {
  const daemon = startDaemon(t, parent, ['stops badly', '2']);
  await daemon.event('ready');
  daemon.kill('SIGINT');
  t.match(await daemon.event('failed'), { message: 'worker 1 ended with 1' });
  t.same(await daemon.ended, [1, null]);
});

t.test('a second signal kills parent and workers', async (t) => {
  const daemon = startDaemon(t, parent, ['never stops', '2', '600000']);
  await daemon.event('ready');
  daemon.kill('SIGTERM');
  await daemon.next(({ event }) => event.startsWith('stop: the parent is stopping'));
  daemon.kill('SIGINT');
  t.match(await daemon.event('stopped_at_once'), { signal: 'SIGINT' });
  t.same(await daemon.ended, [1, null]);
  await nobodyIsLeft(t, daemon);
});

t.test('workers of a parent that was killed stop by themselves', async (t) => {
  const daemon = startDaemon(t, parent, ['obeys', '2']);
  await daemon.event('ready');
  daemon.kill('SIGKILL');
  for (let worker = 0; worker < 2; worker++) await daemon.event('stop: the parent is gone');
  await nobodyIsLeft(t, daemon);
});
