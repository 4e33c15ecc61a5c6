import t from 'tap';
import { asideOf, bucketOf, contentFor, deletionOf, keyOf, Owner, pageOf } from '../fixture.js';
import { temporaryFolder } from './folder.js';
import { openOn, stateOf } from './history.js';
import { MemoryFiles } from './memory-files.js';

const folder = temporaryFolder();
t.teardown(() => folder.remove());

const maxSegmentBytes = 4000;

/** Writes the pages of one tab over and over: the log grows, what holds does not. */
async function churn(owner: Owner, rounds: number, from: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await owner.append({ payload: contentFor(`${i}`, 100) });
    await owner.write(pageOf('busy', '', from + i, contentFor(`${i}`, 300)));
    await owner.trim(from + i);
  }
}

t.test('the log stays a small multiple of what holds, and nothing that holds goes', async (t) => {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  const owner = await Owner.of(store);
  await owner.append({ producer: 'quiet' as never, seq: 7 as never });
  await owner.write(pageOf('cold', '', 1), pageOf('cold', 'host', 1), pageOf('gone', '', 1));
  await owner.setAside(asideOf(8, 0, { producer: 'quiet' as never }));
  await owner.forget(['nobody'], 4321);
  await owner.write(deletionOf('gone', '', 1));
  let most = 0;
  for (let i = 0; i < 10; i++) {
    await churn(owner, 60, 2 + i * 60);
    most = Math.max(most, store.stats().bytesOnDisk);
  }
  const written = 600 * 500;
  // Twice what holds, two segments of slack, and those being written and taken apart.
  t.ok(most < 5 * maxSegmentBytes, `${most} bytes at most, of ${written} written`);
  t.ok(files.segments()[0]! > 'segment-0000000010.log');
  const now = await stateOf(store);
  t.match(now, /"lastSeq\\":8/, 'the quiet producer is remembered');
  await store.close();
  const again = await openOn(files, folder.path, maxSegmentBytes);
  t.equal(await stateOf(again), now);
  t.strictSame(again.opened.damage, []);
  const reader = await Owner.of(again);
  t.strictSame(
    (await reader.read(keyOf('cold'), keyOf('cold', 'host'), keyOf('gone'))).map((page) => page?.position),
    [1, 1, undefined],
  );
  const acquired = await again.acquire(bucketOf(0), 'x');
  t.strictSame([acquired.lastPosition, acquired.forgetHorizonMs], [601, 4321]);
  t.equal((await again.listSetAside(bucketOf(0))).length, 1, 'moved, not doubled');
  await again.close();
});

t.test('journal entries that are still needed are moved, without reviving their producer', async (t) => {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  const held = await Owner.of(store, 0);
  await held.append({ producer: 'retired' as never, payload: contentFor('held', 50) });
  await held.forget(['retired'], 5);
  await churn(await Owner.of(store, 1), 200, 1);
  t.ok(files.segments()[0]! > 'segment-0000000003.log');
  await store.close();
  const again = await openOn(files, folder.path, maxSegmentBytes);
  const { tail, producers } = await again.acquire(bucketOf(0), 'x');
  t.strictSame(
    [tail.map(({ position, producer }) => [position, producer]), producers],
    [[[1, 'retired']], []],
  );
  t.strictSame([...tail[0]!.payload], [...contentFor('held', 50)]);
  await again.close();
});

t.test(
  'steps that are taken in slices: what is written meanwhile counts, and nothing that holds goes',
  async (t) => {
    const files = new MemoryFiles();
    const large = 2 ** 20;
    const store = await openOn(files, folder.path, large);
    const [cold, busy] = [await Owner.of(store, 0), await Owner.of(store, 1)];
    // Each segment has some of it, between much that does not hold.
    for (let at = 0; at < 20; at++) {
      await cold.write(pageOf(`cold ${at}`, '', 1, contentFor(`cold ${at}`, 1000)));
      for (let page = 0; page < 8; page++)
        await busy.write(pageOf('busy', '', 1 + at * 8 + page, contentFor(`${at} ${page}`, 60_000)));
    }
    for (let at = 0; at < 300; at++) {
      const contents = contentFor(`${at}`, 30_000);
      await Promise.all([
        busy.write(pageOf('busy', '', 200 + at, contents)),
        cold.write(pageOf(`cold ${at % 20}`, '', 2 + at, contentFor(`again ${at}`, 1000))),
      ]);
    }
    t.ok(files.segments()[0]! > 'segment-0000000005.log');
    t.ok(store.stats().bytesOnDisk < 6 * large, `${store.stats().bytesOnDisk} bytes`);
    const now = await stateOf(store);
    await store.close();
    const again = await openOn(files, folder.path, large);
    t.equal(await stateOf(again), now);
    t.strictSame(again.opened.damage, []);
    const reader = await Owner.of(again, 0);
    const keys = Array.from({ length: 20 }, (_, at) => keyOf(`cold ${at}`));
    t.strictSame(
      (await reader.read(...keys)).map((page) => page?.position),
      keys.map((_, at) => 282 + at),
    );
    await again.close();
  },
);

t.test('a segment that cannot be removed waits, and the next ones wait for it', async (t) => {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  files.failRemove = true;
  const owner = await Owner.of(store);
  await churn(owner, 60, 1);
  t.equal(files.segments()[0], 'segment-0000000001.log');
  files.failRemove = false;
  await churn(owner, 60, 61);
  t.ok(files.segments()[0]! > 'segment-0000000005.log');
  await store.close();
});

t.test('a segment is removed once, though the folder could not be synced after it', async (t) => {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  files.failSyncOfRemoval = true;
  const owner = await Owner.of(store);
  const cold = Array.from({ length: 60 }, (_, index) => `cold${index}`);
  for (const [index, tab] of cold.entries()) {
    await churn(owner, 1, index + 1);
    await owner.write(pageOf(tab, '', index + 1, contentFor(tab, 20)));
  }
  t.ok(files.segments()[0]! > 'segment-0000000001.log');
  const pages = await owner.read(...cold.map((tab) => keyOf(tab)));
  t.strictSame(
    pages.map((page) => page?.bytes),
    cold.map((tab) => contentFor(tab, 20)),
  );
  const now = await stateOf(store);
  await store.close();
  const again = await openOn(files, folder.path, maxSegmentBytes);
  t.strictSame([await stateOf(again), again.opened.damage], [now, []]);
  await again.close();
});

t.test('what the compaction finds damaged is reported and left behind', async (t) => {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  const owner = await Owner.of(store);
  const marker = contentFor('find me', 80);
  await owner.write(pageOf('cold', '', 0, marker), pageOf('cold', 'host', 0));
  const { bytes } = files.disk.get('segment-0000000001.log')!;
  bytes[bytes.indexOf(marker)]! ^= 1;
  await churn(owner, 100, 1);
  t.match(store.opened.damage, [
    /^segment-0000000001\.log at byte \d+, 80 bytes: wrong checksum, found by the comp/,
  ]);
  t.strictSame(
    (await owner.read(keyOf('cold'), keyOf('cold', 'host'))).map((page) => page?.client),
    [undefined, 'host'],
  );
  await store.close();
});
