import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { type RedisCluster, startRedisCluster } from '../../../scripts/redis/redis-cluster.js';
import type { RedisTopology } from '../../../src/storage/redis/options.js';
import { bucketOf, entryAt, keyOf, Owner, pageOf } from '../fixture.js';
import { openFor } from './kit.js';

t.setTimeout(180_000);

async function twoShards(t: { teardown(end: () => unknown): void }): Promise<{
  readonly cluster: RedisCluster;
  readonly topology: RedisTopology;
}> {
  const cluster = await startRedisCluster();
  t.teardown(() => cluster.stop());
  const shards = [
    { name: 'shard1', first: 0, last: 1 },
    { name: 'shard2', first: 2, last: 3 },
  ];
  const sentinels = cluster.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  return { cluster, topology: { kind: 'sentinel', sentinels, shards } };
}

async function acquired(owner: Owner): ReturnType<Owner['acquire']> {
  for (;;) {
    try {
      return await owner.acquire();
    } catch (error) {
      if ((error as { code?: string }).code !== 'store_failed') throw error;
      await pause(50);
    }
  }
}

t.test('a master dies: its writes fail, and everything acknowledged is with its successor', async (t) => {
  const { cluster, topology } = await twoShards(t);
  const store = await openFor(topology);
  t.teardown(() => store.close());
  const owner = await Owner.of(store, 0);
  const other = await Owner.of(store, 2);
  for (let i = 0; i < 50; i++) await owner.append();
  await owner.write(pageOf('tab', 'a', 20));
  const master = await cluster.master('shard1');
  await master.kill();
  await t.rejects(owner.append(), { code: 'store_failed' });
  await other.append();
  t.not(await cluster.failedOver('shard1', master), master);
  // The one that was killed comes back as a replica: without it nothing is confirmed.
  await master.restart();
  const after = await acquired(owner);
  t.strictSame(
    after.tail.map(({ position }) => Number(position)),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  t.equal(after.pages.length, 1);
  await owner.append();
  t.equal((await acquired(owner)).lastPosition, 51);
});

t.test('what the replica does not confirm is not answered, and is answered once it does', async (t) => {
  const { cluster, topology } = await twoShards(t);
  const store = await openFor(topology);
  t.teardown(() => store.close());
  const owner = await Owner.of(store, 0);
  await owner.append();
  const [replica] = await cluster.replicas('shard1');
  replica!.freeze();
  let answered = false;
  const append = owner.append().then(() => {
    answered = true;
  });
  while (store.stats().waitingFor === undefined) await pause(20);
  t.match(store.stats().waitingFor, /^shard1: 0 of 1 replicas to confirm$/);
  t.equal(await (await cluster.master('shard1')).ask('HLEN', await journalKey(cluster)), 2, 'it is written');
  t.notOk(answered, 'and not answered');
  replica!.thaw();
  await append;
  t.equal(store.stats().waitingFor, undefined);
});

async function journalKey(cluster: RedisCluster): Promise<string> {
  const keys = (await (await cluster.master('shard1')).ask('KEYS', '*{b0}:journal')) as string[];
  return keys[0]!;
}

t.test(
  'a frozen master is left for the one that Sentinel names, and can do no harm when it wakes',
  async (t) => {
    const { cluster, topology } = await twoShards(t);
    const store = await openFor(topology);
    t.teardown(() => store.close());
    const owner = await Owner.of(store, 1);
    await owner.append();
    const frozen = await cluster.master('shard1');
    frozen.freeze();
    await t.rejects(owner.append(), { code: 'store_failed' });
    await cluster.failedOver('shard1', frozen);
    frozen.thaw();
    const after = await acquired(owner);
    t.equal(after.lastPosition, 1, 'the write of unknown fate never came through');
    await owner.append();
    await owner.append();
    const successor = await Owner.of(store, 1);
    t.equal((await acquired(successor)).lastPosition, 3);
  },
);

t.test('a zombie of another process is refused, and nothing has moved', async (t) => {
  const { topology } = await twoShards(t);
  const first = await openFor(topology, { prefix: 'zombie:' });
  const second = await openFor(topology, { prefix: 'zombie:' });
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const zombie = await Owner.of(first, 3);
  await zombie.append();
  await zombie.write(pageOf('tab', 'a', 1));
  const owner = await Owner.of(second, 3);
  const before = await owner.acquire();
  const mismatch = { name: 'HeadMismatch' };
  await t.rejects(zombie.append(), mismatch);
  await t.rejects(zombie.write(pageOf('tab', 'a', 9)), mismatch);
  await t.rejects(zombie.trim(1), mismatch);
  await t.rejects(zombie.forget(['producer'], 99), mismatch);
  await t.rejects(zombie.read(keyOf('tab', 'a')), mismatch);
  await t.rejects(zombie.read(), mismatch);
  await owner.append();
  const after = await owner.acquire();
  t.equal(after.tail.length, before.tail.length + 1);
  t.strictSame(after.pages, before.pages);
  t.equal(after.forgetHorizonMs, before.forgetHorizonMs);
  t.strictSame(await second.readPages({ ...owner.head(), bucket: bucketOf(3) }, []), []);
});

t.test('writes behind one that was refused are refused as well', async (t) => {
  const { topology } = await twoShards(t);
  const store = await openFor(topology);
  t.teardown(() => store.close());
  const owner = await Owner.of(store, 0);
  const wrong = store.append(owner.head(), entryAt(7));
  const next = store.append(owner.head(1), entryAt(1));
  await t.rejects(wrong, { code: 'internal' });
  await t.rejects(next, { name: 'HeadMismatch' });
});
