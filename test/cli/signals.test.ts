import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** A server of its own process; `event` waits for a line of its log. */
function start(t: Test) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', main, 'server', '--store', 'memory', '--port', '0', '--log-format', 'json'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  const event = async (name: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the log ended before ${name}`);
      const line = JSON.parse(value) as Record<string, unknown>;
      if (line.event === name) return line;
    }
  };
  return { child, ended, event };
}

t.test('a signal before it is ready stops a daemon that is not ready yet', async (t) => {
  const { child, ended, event } = start(t);
  await event('store_keeps_nothing');
  child.kill('SIGTERM');
  t.match(await event('stopping'), { signal: 'SIGTERM' });
  t.same(await ended, [0, null]);
});

t.test('a second signal ends the process at once', async (t) => {
  const { child, ended, event } = start(t);
  await event('ready');
  child.kill('SIGTERM');
  child.kill('SIGINT');
  t.match(await event('stopped_at_once'), { reason: 'a second signal' });
  t.same(await ended, [1, null]);
});
