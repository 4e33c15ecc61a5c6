/**
 * Stands in for a worker: says that it is ready, and does what its first argument asks for. Its second is
 * the port; 0 becomes 7000 + its number.
 */
import { once } from 'node:events';
import { parentProcess } from '../../src/cli/worker-channel.js';

const [behaviour = '', port = '0'] = process.argv.slice(2);
const parent = parentProcess(process.env);
if (parent === undefined) throw new Error('not started as a worker');
const { worker } = parent;
const awake = setInterval(() => {}, 1000);

function say(event: string): void {
  process.stderr.write(`${JSON.stringify({ event, worker, pid: process.pid, port })}\n`);
}

if (behaviour === 'refuses' && worker === 1) {
  say('refused');
  process.exit(2);
}
// The port that it had is somebody else's.
if (behaviour === 'loses its port' && port !== '0') {
  say('refused');
  process.exit(1);
}
parent.onStop((reason) => {
  say(`stop: ${reason}`);
  if (behaviour === 'never stops') return;
  clearInterval(awake);
  process.exitCode = behaviour === 'stops badly' && worker === 1 ? 1 : 0;
  parent.close();
});
parent.onReload(() => say('reloaded'));
if (behaviour === 'comes back on SIGUSR2' && port !== '0') {
  const called = once(process, 'SIGUSR2');
  say('starting');
  await called;
}
say('worker_ready');
parent.ready({ server: `http://127.0.0.1:${port === '0' ? 7000 + worker : port}` });
