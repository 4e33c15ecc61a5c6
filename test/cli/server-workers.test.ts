import { join } from 'node:path';
import t from 'tap';
import { startRedis } from '../../scripts/redis/redis-process.js';
import { startDaemon } from './daemon-process.js';
import { taba } from './terminal.js';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const deadlineMs = 30_000;

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAtMs = Date.now() + deadlineMs;
  while (!(await isTrue())) {
    if (Date.now() > giveUpAtMs) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask<T>(server: string, ...line: string[]): Promise<T> {
  const ran = await taba([...line, '--json', '--server', server]);
  if (ran.code !== 0) throw new Error(ran.err);
  return JSON.parse(ran.out) as T;
}

/** Events of all tabs `w.…`, as `server` tells. */
async function counted(server: string): Promise<number> {
  const tabs = await ask<Record<string, { '1d': { count: number } }>>(server, 'agg', '--re', 'w\\..*');
  return Object.values(tabs).reduce((sum, tab) => sum + tab['1d'].count, 0);
}

async function record(server: string, tabs: number): Promise<number> {
  const events = Array.from({ length: tabs }, (_, index) => ({ name: `w.${index}`, value: 1, client: 'c' }));
  const answer = await fetch(`${server}/events`, { method: 'POST', body: JSON.stringify(events) });
  return answer.status;
}

t.setTimeout(120_000);

t.test('workers of one command are servers of one cluster; one that is killed comes back', async (t) => {
  const { redis, url, stop } = await startRedis();
  t.teardown(stop);
  const flags = ['--redis', url, '--workers', '3', '--port', '0', '--buckets', '60', '--log-format', 'json'];
  const daemon = startDaemon(t, main, ['server', ...flags, '--no-self-instrument']);
  const ready = await daemon.event('ready');
  const servers = ready.servers as readonly string[];
  t.equal(new Set(servers).size, 3, 'each has an address of its own');
  const [first = '', second = '', third = ''] = servers;
  t.equal(await record(first, 100), 200);
  await until('the sum on the others', async () => (await counted(second)) === 100);
  t.equal(await counted(third), 100);
  await until('all to know all', async () => {
    return Object.keys(await ask<Record<string, string[]>>(third, 'servers')).length === 3;
  });

  const victim = daemon.lines.find((line) => line.event === 'worker_ready' && line.server === second);
  process.kill(Number(victim?.pid), 'SIGKILL');
  t.match(await daemon.event('worker_ended'), { worker: victim?.worker, cause: 'SIGKILL' });
  const back = await daemon.event('worker_ready');
  t.match(back, { worker: victim?.worker, server: String });
  await until('the buckets of the dead one', async () => {
    return (await taba(['agg', '--re', 'w\\..*', '--json', '--server', third])).code === 0;
  });
  // On the port that it had, unless that was taken meanwhile.
  const anew = String(back.server);
  t.equal(await counted(anew), 100);
  t.equal(await record(anew, 100), 200);
  await until('what came meanwhile', async () => (await counted(first)) === 200);

  daemon.kill('SIGTERM');
  t.same(await daemon.ended, [0, null]);
  t.ok(Number(await redis.ask('dbsize')) > 0, 'what they counted is in Redis');
});
