import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { startRedisCluster } from '../../scripts/redis/redis-cluster.js';
import { startRedis } from '../../scripts/redis/redis-process.js';
import { programOf } from '../support/program.js';

t.setTimeout(120_000);

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

t.test('a single Redis keeps what it had over kill -9 and restart', async (t) => {
  const { redis, url, stop } = await startRedis({ password: 'secret', config: ['appendfsync always'] });
  t.teardown(stop);
  t.match(url, /^redis:\/\/:secret@127\.0\.0\.1:\d+$/);
  t.ok(redis.port < 32_768);
  await redis.ask('set', 'key', 'value');
  await redis.kill();
  t.notOk(redis.running);
  await redis.restart();
  t.equal(await redis.ask('get', 'key'), 'value');
  redis.freeze();
  await t.rejects(redis.ask('ping'), 'a frozen server answers nobody');
  redis.thaw();
  t.equal(await redis.ask('ping'), 'PONG');
  const { pid, folder } = redis;
  await stop();
  t.notOk(alive(pid));
  t.notOk(existsSync(folder));
});

t.test('a setting that Redis refuses is shown', async (t) => {
  await t.rejects(startRedis({ config: ['no-such-setting 1'] }), {
    message: /no-such-setting|Bad directive/,
  });
});

t.test('a user with a password, by host name, and a fail-over that is undone in place', async (t) => {
  const access = { user: 'taba', password: 'secret' };
  const cluster = await startRedisCluster({ ...access, hostName: 'localhost', sentinelAccess: access });
  t.teardown(() => cluster.stop());
  t.equal(cluster.processes.length, 2 * 2 + 3);
  t.strictSame(
    cluster.sentinelAddresses,
    cluster.sentinels.map(({ port }) => `localhost:${port}`),
  );
  const before = await cluster.master('shard1');
  await before.ask('set', 'key', 'value');
  await cluster.settled();
  await before.kill();
  const after = await cluster.failedOver('shard1', before);
  t.not(after.name, before.name);
  t.equal(await after.ask('get', 'key'), 'value');
  // From here on nobody is down for a pause on a busy machine: Sentinel has no reason to go back to the old one.
  for (const sentinel of cluster.sentinels) {
    t.equal(await sentinel.ask('sentinel', 'set', 'shard1', 'down-after-milliseconds', '60000'), 'OK');
  }
  await before.restart();
  await cluster.settled();
  t.equal(await cluster.master('shard1'), after);
  const { role, master_port } = await before.info('replication');
  t.equal(role, 'slave');
  t.equal(Number(master_port), after.port);
  t.equal(await before.ask('get', 'key'), 'value');
});

t.test('nothing outlives a parent that is killed', async (t) => {
  const { file, execArgv } = programOf(join(import.meta.dirname, 'redis-parent.ts'));
  const parent: ChildProcess = fork(file, { execArgv });
  t.teardown(() => parent.kill('SIGKILL'));
  const [{ pids, folder }] = (await once(parent, 'message')) as [{ pids: number[]; folder: string }];
  t.ok(pids.length > 0 && pids.every(alive));
  parent.kill('SIGKILL');
  while (pids.some(alive) || existsSync(folder)) await pause(20);
  t.pass('the servers and their folder are gone');
});
