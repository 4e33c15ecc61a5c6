import t from 'tap';
import { startRedisCluster } from '../../../scripts/redis/redis-cluster.js';
import { startRedis } from '../../../scripts/redis/redis-process.js';
import { startSlotCluster } from '../../../scripts/redis/slot-cluster.js';
import type { BucketIndex } from '../../../src/core/ids.js';
import { hashSlot } from '../../../src/storage/redis/hash-slot.js';
import { RedisKeys } from '../../../src/storage/redis/keys.js';
import type { RedisTopology } from '../../../src/storage/redis/options.js';
import { openRedisStore } from '../../../src/storage/redis/redis-store.js';
import { type Conforming, conformance } from '../conformance.js';
import { optionsFor } from './kit.js';

t.setTimeout(180_000);

async function conforming(topology: RedisTopology): Promise<Conforming> {
  const options = optionsFor(topology);
  let store = await openRedisStore(options);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openRedisStore(options);
      return store;
    },
    close: () => store.close(),
  };
}

t.test('a single Redis', async (t) => {
  const { url, stop } = await startRedis();
  t.teardown(stop);
  conformance(t as never, () => conforming({ kind: 'url', url }));
});

t.test('two shards through Sentinel, each with a replica', async (t) => {
  const cluster = await startRedisCluster();
  t.teardown(() => cluster.stop());
  const sentinels = cluster.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  const shards = [
    { name: 'shard1', first: 0, last: 1 },
    { name: 'shard2', first: 2, last: 3 },
  ];
  conformance(t as never, () => conforming({ kind: 'sentinel', sentinels, shards }));
});

t.test('three masters of a Redis Cluster', async (t) => {
  const { masters, stop } = await startSlotCluster(3);
  t.teardown(stop);
  const url = `redis://127.0.0.1:${masters[0]!.port}`;
  conformance(t as never, () => conforming({ kind: 'url', url }));
  t.test('the buckets lie with all of them', async (t) => {
    const slots = [0, 1, 2, 3].map((b) => hashSlot(new RedisKeys('taba:').bucket(b as BucketIndex).head));
    t.equal(new Set(slots.map((slot) => Math.floor((slot * masters.length) / 16_384))).size, masters.length);
    for (const master of masters) t.not(await master.ask('dbsize'), 0, master.name);
  });
});
