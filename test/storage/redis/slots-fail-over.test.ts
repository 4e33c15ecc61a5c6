import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { startSlotCluster } from '../../../scripts/redis/slot-cluster.js';
import type { BucketIndex } from '../../../src/core/ids.js';
import { hashSlot } from '../../../src/storage/redis/hash-slot.js';
import { RedisKeys } from '../../../src/storage/redis/keys.js';
import { openRedisStore } from '../../../src/storage/redis/redis-store.js';
import { Owner, pageOf } from '../fixture.js';
import { optionsFor } from './kit.js';

t.setTimeout(180_000);

t.test('a master of a Redis Cluster dies: its replica has everything that was acknowledged', async (t) => {
  const { masters, replicas, stop } = await startSlotCluster(3, 1);
  t.teardown(stop);
  const dying = masters[0]!;
  const heir = replicas[0]![0]!;
  const options = optionsFor(
    { kind: 'url', url: `redis://127.0.0.1:${masters[1]!.port}` },
    { bucketCount: 32, waitReplicas: 1 },
  );
  const slotOf = (bucket: number): number =>
    hashSlot(new RedisKeys(options.prefix).bucket(bucket as BucketIndex).head);
  const buckets = Array.from({ length: options.bucketCount }, (_, bucket) => bucket);
  const lost = buckets.find((bucket) => slotOf(bucket) < 5461)!;
  const elsewhere = buckets.find((bucket) => slotOf(bucket) >= 5462)!;
  const store = await openRedisStore(options);
  t.teardown(() => store.close());
  const owner = await Owner.of(store, lost);
  const other = await Owner.of(store, elsewhere);
  for (let i = 0; i < 50; i++) await owner.append();
  await owner.write(pageOf('tab', 'a', 20));
  await other.append();

  await dying.kill();
  await t.rejects(owner.append(), { code: 'store_failed' });
  await other.append();
  while (!String(await heir.ask('role')).startsWith('master')) await pause(50);
  // The one that was killed comes back as a replica: without it nothing is confirmed.
  await dying.restart();
  let after: Awaited<ReturnType<Owner['acquire']>> | undefined;
  for (let tries = 0; after === undefined && tries < 200; tries++) {
    after = await owner.acquire().catch(() => undefined);
    if (after === undefined) await pause(50);
  }
  t.strictSame(
    after?.tail.map(({ position }) => Number(position)),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  t.equal(after?.pages.length, 1);
  await owner.append();
  t.equal((await owner.acquire()).lastPosition, 51);
  const keys = (await heir.ask('cluster', 'countkeysinslot', slotOf(lost))) as number;
  t.ok(keys > 0, 'its keys are with the replica of then');
});
