import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { startSlotCluster } from '../../../scripts/redis/slot-cluster.js';
import type { BucketIndex } from '../../../src/core/ids.js';
import { hashSlot } from '../../../src/storage/redis/hash-slot.js';
import { RedisKeys } from '../../../src/storage/redis/keys.js';
import { openRedisStore } from '../../../src/storage/redis/redis-store.js';
import { Owner, pageOf } from '../fixture.js';
import { optionsFor } from './kit.js';

t.setTimeout(120_000);

t.test('slots that move to another master take their bucket along, and nothing else notices', async (t) => {
  const { masters, move, stop } = await startSlotCluster(2);
  t.teardown(stop);
  const [first, second] = masters as [(typeof masters)[0], (typeof masters)[0]];
  const options = optionsFor({ kind: 'url', url: `redis://127.0.0.1:${first.port}` }, { bucketCount: 16 });
  const slotOf = (bucket: number): number =>
    hashSlot(new RedisKeys(options.prefix).bucket(bucket as BucketIndex).head);
  const buckets = Array.from({ length: 16 }, (_, bucket) => bucket);
  const [moving, staying] = buckets.filter((bucket) => slotOf(bucket) < 8192);
  const elsewhere = buckets.find((bucket) => slotOf(bucket) >= 8192);
  const store = await openRedisStore(options);
  t.teardown(() => store.close());
  const owner = await Owner.of(store, moving!);
  const others = [await Owner.of(store, staying!), await Owner.of(store, elsewhere!)];
  for (let i = 0; i < 20; i++) await owner.append();
  await owner.write(pageOf('tab', 'a', 10));
  for (const other of others) await other.append();

  await move(slotOf(moving!), first, second);
  await t.rejects(
    owner.append(),
    { code: 'store_failed' },
    'it may have been carried out, for all one knows',
  );
  let after: Awaited<ReturnType<Owner['acquire']>> | undefined;
  for (let tries = 0; after === undefined && tries < 100; tries++) {
    after = await owner.acquire().catch(() => undefined);
    if (after === undefined) await pause(50);
  }
  t.equal(after?.lastPosition, 20, 'nothing of it was: the old master refused it');
  t.equal(after?.pages.length, 1);
  await owner.append();
  t.equal((await owner.acquire()).lastPosition, 21);
  for (const other of others) await other.append();
  const keys = (await second.ask('cluster', 'countkeysinslot', slotOf(moving!))) as number;
  t.ok(keys > 0, 'its keys are with the other master');
});
