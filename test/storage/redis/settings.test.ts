import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startRedisCluster } from '../../../scripts/redis/redis-cluster.js';
import { startRedis } from '../../../scripts/redis/redis-process.js';
import { selfSigned } from '../../support/certificate.js';
import { memberOf } from '../coordination.js';
import { asideOf, entryAt, keyOf, LogKeeper, Owner, pageOf } from '../fixture.js';
import { openFor } from './kit.js';

t.setTimeout(120_000);

t.test('a Redis that throws keys away is refused by name', async (t) => {
  const { url, stop } = await startRedis({ config: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] });
  t.teardown(stop);
  await t.rejects(openFor({ kind: 'url', url }), {
    code: 'bad_setting',
    message: /redis at 127\.0\.0\.1:\d+ has maxmemory-policy allkeys-lru.*must be noeviction/,
  });
});

t.test('a store that was made for something else is refused, naming both', async (t) => {
  const { url, stop } = await startRedis();
  t.teardown(stop);
  const topology = { kind: 'url', url } as const;
  await (await openFor(topology, { prefix: 'p:' })).close();
  await t.rejects(openFor(topology, { prefix: 'p:', bucketCount: 8 }), {
    code: 'store_mismatch',
    message: /was made for buckets 4, the settings say 8/,
  });
  await (await openFor(topology, { prefix: 'q:', bucketCount: 8 })).close();
});

t.test('nobody there, and a password that is wrong', async (t) => {
  const { url, redis, stop } = await startRedis({ password: 'right' });
  t.teardown(stop);
  const wrong = url.replace('right', 'wrong');
  await t.rejects(openFor({ kind: 'url', url: wrong }), {
    code: 'store_failed',
    message: /WRONGPASS|invalid/i,
  });
  await redis.kill();
  await t.rejects(openFor({ kind: 'url', url }), { code: 'store_failed', message: /ECONNREFUSED/ });
});

t.test('without append-only file it works, and says loudly what that means', async (t) => {
  const { url, stop } = await startRedis({ config: ['appendonly no'] });
  t.teardown(stop);
  const log = new LogKeeper();
  const store = await openFor({ kind: 'url', url }, { log });
  t.teardown(() => store.close());
  t.ok(log.events.includes('redis_not_append_only'));
  t.match(store.opened.durability, /restart in place loses acknowledged events \(appendonly is off: redis\)/);
});

t.test('out of memory: nothing is half written, reading and trimming go on, and it is said', async (t) => {
  const { url, redis, stop } = await startRedis();
  t.teardown(stop);
  const topology = { kind: 'url', url } as const;
  const store = await openFor(topology, { prefix: 'full:' });
  t.teardown(() => store.close());
  const owner = await Owner.of(store);
  await owner.append();
  await owner.append();
  await owner.write(pageOf('tab', 'a', 2));
  await redis.ask('config', 'set', 'maxmemory', '1mb');
  await t.rejects(owner.append(), /OOM/);
  t.match(store.stats().waitingFor, /^redis: Redis is out of memory/);
  const again = await owner.acquire();
  t.equal(again.lastPosition, 2);
  t.equal(again.tail.length, 2);
  await t.rejects(store.writePages(owner.head(), [pageOf('tab', 'b', 2)]), /OOM/);
  await t.rejects(store.setAside(owner.head(), asideOf(3, 0)), /OOM/);
  t.equal((await owner.read(keyOf('tab', 'a')))[0]?.position, 2);
  await owner.trim(1);
  t.equal((await owner.acquire()).tail.length, 1, 'what gives memory back is allowed');
  const another = await openFor(topology, { prefix: 'full:' });
  t.teardown(() => another.close());
  const leader = memberOf('leader');
  await another.coordination.beat(leader, 0);
  const assignment = { version: 1, owners: [leader.id, undefined, undefined, undefined] };
  t.ok(await another.coordination.assign(leader.id, 0, assignment), 'servers come and share out buckets');
  t.strictSame((await another.coordination.beat(leader, 0)).assignment, assignment);
  await redis.ask('config', 'set', 'maxmemory', '0');
  await store.append(owner.head(), entryAt(3));
  t.equal(store.stats().waitingFor, undefined);
});

t.test('a Redis whose scripts were flushed is connected to anew', async (t) => {
  const { url, redis, stop } = await startRedis();
  t.teardown(stop);
  const store = await openFor({ kind: 'url', url });
  t.teardown(() => store.close());
  const owner = await Owner.of(store);
  await owner.append();
  await redis.ask('script', 'flush');
  await t.rejects(owner.append(), /NOSCRIPT|store_failed/);
  t.equal((await owner.acquire()).lastPosition, 1);
  await owner.append();
});

t.test('TLS and ACL users, for Redis and for Sentinel', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'taba-tls-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const { certFile, keyFile } = await selfSigned(folder, 'DNS:localhost,IP:127.0.0.1');
  const access = { user: 'taba', password: 'secret' };
  const sentinelAccess = { user: 'watcher', password: 'other' };
  const tls = { caFile: certFile, certFile, keyFile };
  const cluster = await startRedisCluster({ shards: 1, ...access, sentinelAccess, tls });
  t.teardown(() => cluster.stop());
  const topology = {
    kind: 'sentinel',
    sentinels: cluster.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    shards: [{ name: 'shard1', first: 0, last: 3 }],
    sentinelUser: sentinelAccess.user,
    sentinelPassword: sentinelAccess.password,
  } as const;
  const store = await openFor(topology, { ...access, tls: { caFile: certFile } });
  t.teardown(() => store.close());
  const owner = await Owner.of(store);
  await owner.append();
  t.equal((await owner.acquire()).lastPosition, 1);
  await t.rejects(openFor(topology, { ...access, tls: {} }), {
    code: 'store_failed',
    message: /certificate/,
  });
  await t.rejects(openFor(topology, { user: 'taba', password: 'wrong', tls: { caFile: certFile } }), {
    code: 'store_failed',
  });
});
