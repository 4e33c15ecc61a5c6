import t from 'tap';
import { startRedisCluster } from '../../../scripts/redis/redis-cluster.js';
import { startRedis } from '../../../scripts/redis/redis-process.js';
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
