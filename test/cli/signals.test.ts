import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startRedis } from '../../scripts/redis/redis-process.js';
import { type DaemonProcess, startDaemon } from './daemon-process.js';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

function start(t: Test): DaemonProcess {
  return startDaemon(t, main, ['server', '--store', 'memory', '--port', '0', '--log-format', 'json']);
}

t.test('a signal before it is ready stops a daemon that is not ready yet', async (t) => {
  const daemon = start(t);
  await daemon.event('store_keeps_nothing');
  daemon.kill('SIGTERM');
  t.match(await daemon.event('stopping'), { signal: 'SIGTERM' });
  t.same(await daemon.ended, [0, null]);
});

t.test('a second signal ends the process at once', async (t) => {
  const { url, redis, stop } = await startRedis();
  t.teardown(stop);
  const flags = ['--redis', url, '--port', '0', '--log-format', 'json'];
  const daemon = startDaemon(t, main, ['server', ...flags]);
  await daemon.event('ready');
  // A store that does not answer: the first order to stop takes until its deadline.
  await redis.ask('client', 'pause', '60000', 'all');
  daemon.kill('SIGTERM');
  t.match(await daemon.event('stopping'), { signal: 'SIGTERM' });
  daemon.kill('SIGINT');
  t.match(await daemon.event('stopped_at_once'), { signal: 'SIGINT', reason: 'a second signal' });
  t.same(await daemon.ended, [1, null]);
});

t.test('a signal that comes twice at once, as under npm, is one order', async (t) => {
  const daemon = start(t);
  await daemon.event('ready');
  daemon.kill('SIGINT');
  await daemon.event('stopping');
  daemon.kill('SIGINT');
  t.same(await daemon.ended, [0, null]);
});

t.test('a store that cannot be reached is said at the start, and where it was looked for', async (t) => {
  for (const [flags, reason] of [
    [['--redis', 'redis://user:topsecret@127.0.0.1:9'], /127\.0\.0\.1:9: connect ECONNREFUSED/],
    [['--sentinel', '127.0.0.1:9', '--shard', 'one:0-999'], /one: no Sentinel names its master/],
  ] as const) {
    const daemon = startDaemon(t, main, ['server', ...flags, '--port', '0', '--log-format', 'json']);
    const { text } = await daemon.event('said');
    t.match(text, reason);
    t.match(text, /\(store_failed\)\. Nothing was started: start it again/);
    t.notMatch(text, /topsecret/);
    t.same(await daemon.ended, [1, null]);
  }
});

t.test('a server that cannot start listens no more, and ends', async (t) => {
  // It may write, but not list the members: the first heartbeat fails, when everything else has begun.
  const { url, redis, stop } = await startRedis();
  t.teardown(stop);
  await redis.ask('acl', 'setuser', 'narrow', 'on', '>pw', '~*', '+@all', '-hgetall');
  const flags = ['--redis', url.replace('//', '//narrow:pw@'), '--port', '0', '--log-format', 'json'];
  const daemon = startDaemon(t, main, ['server', ...flags]);
  t.match(await daemon.event('said'), { text: /heartbeat.*\(store_failed\)/ });
  t.same(await daemon.ended, [1, null]);
});
