import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { startReceiver } from '../../../src/transport/inbound/udp/receiver-thread.js';
import { ringOf } from '../../../src/transport/inbound/udp/ring.js';

const tasks = (): string[] => readdirSync('/proc/self/task');

/** Of a thread of this process. */
function niceOf(task: string): number {
  const stat = readFileSync(`/proc/self/task/${task}/stat`, 'latin1');
  // The name before it may have blanks, but no bracket behind its own.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}

/** What a thread of this process comes to when it asks for nice -10. */
async function grantedNice(): Promise<number> {
  const asks = new Worker(
    `const tid = Number(require('node:fs').readlinkSync('/proc/thread-self').split('/').at(-1));
    try { require('node:os').setPriority(tid, -10); } catch {}
    require('node:worker_threads').parentPort.postMessage(require('node:os').getPriority(tid));`,
    { eval: true },
  );
  const [nice] = (await once(asks, 'message')) as [number];
  await asks.terminate();
  return nice;
}

t.test('the thread goes before others where the process may let it', async (t) => {
  const granted = await grantedNice();
  const before = new Set(tasks());
  const order = { type: 'udp4', host: '127.0.0.1', port: 0, receiveBufferBytes: 65_536 } as const;
  const thread = startReceiver({ ...order, memory: ringOf(2 ** 20) });
  t.teardown(() => thread.terminate());
  t.match(await once(thread, 'message'), [{ kind: 'bound' }]);
  const nices = tasks()
    .filter((task) => !before.has(task))
    .map(niceOf);
  t.ok(nices.includes(granted), `${nices} has ${granted}`);
  const own = readlinkSync('/proc/thread-self').split('/').at(-1)!;
  t.equal(niceOf(own), getPriority(), 'the main thread stays where it is');
});
