import t from 'tap';
import { startRedis } from '../../../scripts/redis/redis-process.js';
import { RedisKeys } from '../../../src/storage/redis/keys.js';
import { asideOf, bucketOf, Owner, pageOf } from '../fixture.js';
import { openFor } from './kit.js';

t.setTimeout(60_000);

t.test('what no rule would have left is found, and mended where it stands for nothing', async (t) => {
  const { url, redis, stop } = await startRedis();
  t.teardown(stop);
  const prefix = 'we[i]rd*?:';
  const store = await openFor({ kind: 'url', url }, { prefix });
  t.teardown(() => store.close());
  const owner = await Owner.of(store, 1);
  for (let i = 0; i < 5; i++) await owner.append();
  await owner.write(pageOf('tab', 'a', 4), pageOf('tab', '', 4));
  await owner.trim(2);
  await owner.setAside(asideOf(3, 3));
  await redis.ask('set', 'weird1:x', 'of somebody else');
  t.strictSame(await store.examine?.({ repair: false }), [], 'a sound store has nothing to tell');

  const keys = new RedisKeys(prefix).bucket(bucketOf(1));
  await redis.ask('set', `${prefix}{b1}:stray`, '1');
  await redis.ask('hset', new RedisKeys(prefix).bucket(bucketOf(77)).head, 'n', '1');
  await redis.ask('hset', keys.journal, '2', 'trimmed', '9', 'ahead', 'x', 'no position');
  await redis.ask('hset', keys.index, 'ghost\nb', '1 CounterGroup', 'tab\nlate', '99 CounterGroup');
  await redis.ask('hset', keys.pages, 'tab\nlate', 'bytes', 'orphan\nc', 'bytes');
  await redis.ask('rpush', keys.aside, 'extra');
  await redis.ask('set', new RedisKeys(prefix).bucket(bucketOf(2)).pages, 'text');

  const found = (await store.examine?.({ repair: false })) ?? [];
  const problems = found.map(({ problem }) => problem).sort();
  t.strictSame(problems, [
    '2 items set aside, and 1 keys of them',
    'a key that belongs to nothing',
    'an entry at 2, which was trimmed (up to 2)',
    'an entry at 9, beyond the last position 5',
    'an entry at x, which is no position',
    'bucket 77 belongs on another shard',
    'content of page orphan c, which is not in the index',
    'it is a string; it should be a hash',
    'page ghost b has no content',
    'page tab late contains position 99, beyond the last one, 5',
  ]);
  t.ok(found.every(({ repaired }) => !repaired));

  const repaired = ((await store.examine?.({ repair: true })) ?? []).filter((one) => one.repaired);
  t.equal(repaired.length, 6);
  const left = ((await store.examine?.({ repair: false })) ?? []).map(({ problem }) => problem).sort();
  t.strictSame(left, [
    '2 items set aside, and 1 keys of them',
    'bucket 77 belongs on another shard',
    'it is a string; it should be a hash',
    'page tab late contains position 99, beyond the last one, 5',
  ]);
  const after = await owner.acquire();
  t.strictSame(
    after.tail.map(({ position }) => Number(position)),
    [3, 4, 5],
  );
  t.equal(after.pages.length, 3);
  t.equal(await redis.ask('get', 'weird1:x'), 'of somebody else');
});

t.test('what others keep under a longer prefix is neither told of nor taken away', async (t) => {
  const { url, redis, stop } = await startRedis();
  t.teardown(stop);
  const topology = { kind: 'url', url } as const;
  const store = await openFor(topology, { prefix: 'taba:' });
  const other = await openFor(topology, { prefix: 'taba:staging:' });
  t.teardown(() => Promise.all([store.close(), other.close()]));
  const [ours, theirs] = [await Owner.of(store, 1), await Owner.of(other, 1)];
  for (const owner of [ours, theirs]) await owner.append();
  await redis.ask('set', 'taba:cache', 'of an application');
  t.strictSame(await store.examine?.({ repair: true }), []);
  t.equal((await theirs.acquire()).tail.length, 1);
  t.equal(await redis.ask('get', 'taba:cache'), 'of an application');
});
