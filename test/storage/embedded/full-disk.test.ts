import t from 'tap';
import type { Store } from '../../../src/storage/store.js';
import { bucketOf, contentFor, Owner, pageOf } from '../fixture.js';
import { temporaryFolder } from './folder.js';
import { history, openOn, run, stateOf, statesOf } from './history.js';
import { MemoryFiles } from './memory-files.js';

const folder = temporaryFolder();
t.teardown(() => folder.remove());

const failed = { code: 'store_failed' };
const big = { payload: contentFor('big', 500) };

async function setUp(maxSegmentBytes?: number): Promise<{ files: MemoryFiles; store: Store; owner: Owner }> {
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, maxSegmentBytes);
  const owner = await Owner.of(store);
  await owner.append();
  return { files, store, owner };
}

for (const freeBytes of [0, 1, 100, 450]) {
  t.test(
    `a disk with ${freeBytes} bytes left refuses a write, and takes it when there is room again`,
    async (t) => {
      const { files, store, owner } = await setUp();
      files.freeBytes = freeBytes;
      await t.rejects(owner.append(big), { ...failed, message: /no space left on device/ });
      t.match(store.stats().waitingFor, `no space left on device (${folder.path})`);
      t.equal(store.stats().journalEntries, 1, 'not applied');
      await t.rejects(owner.append(big), { name: 'HeadMismatch' }, 'the owner has to acquire');
      t.equal((await owner.acquire()).lastPosition, 1);
      await t.rejects(owner.append(big), failed);
      files.freeBytes = 10_000;
      await owner.acquire();
      await owner.append(big);
      t.equal(store.stats().waitingFor, undefined);
      const now = await stateOf(store);
      await store.close();
      const again = await openOn(files, folder.path);
      t.equal(await stateOf(again), now);
      t.strictSame(again.opened.damage, []);
      await again.close();
    },
  );
}

t.test('a failed write takes those behind it along, in its bucket alone', async (t) => {
  const { files, store, owner } = await setUp();
  const other = await Owner.of(store, 1);
  files.freeBytes = 0;
  // More than one commit takes, so that some are still waiting when the first fails.
  const large = { payload: contentFor('large', 2 ** 19) };
  const results = Promise.allSettled([
    owner.append(large),
    owner.append(large),
    owner.append(large),
    owner.append(),
  ]);
  const read = store.acquire(bucketOf(1), 'next');
  const outcomes = (await results).map(({ status }) => status);
  t.strictSame(outcomes, ['rejected', 'rejected', 'rejected', 'rejected']);
  t.equal((await read).lastPosition, 0);
  files.freeBytes = 10_000;
  await t.rejects(other.append(), { name: 'HeadMismatch' });
  await other.acquire();
  await other.append();
  t.equal((await owner.acquire()).lastPosition, 1);
  await store.close();
});

t.test('after a failed sync the tail is not trusted: the next commit begins a new segment', async (t) => {
  const { files, store, owner } = await setUp();
  files.failSync = true;
  files.failTruncate = true;
  await t.rejects(owner.append(big), failed);
  t.match(store.stats().waitingFor, /EIO/);
  files.failSync = false;
  await owner.acquire();
  await owner.append({ producer: 'other' as never });
  t.equal(files.segments().length, 2);
  const { tail, producers } = await owner.acquire();
  t.strictSame([tail.length, producers.length], [2, 2]);
  const now = await stateOf(store);
  await store.close();
  const again = await openOn(files, folder.path);
  t.equal(await stateOf(again), now, 'what the failed commit left in the old segment is not read');
  t.strictSame(again.opened.damage, []);
  await again.close();
});

t.test('a tail that cannot be cut off is given up as well', async (t) => {
  const { files, store, owner } = await setUp();
  files.freeBytes = 300;
  files.failTruncate = true;
  await t.rejects(owner.append(big), failed);
  files.freeBytes = 10_000;
  await owner.acquire();
  await owner.append();
  await store.close();
  const again = await openOn(files, folder.path);
  t.strictSame(again.opened.damage, []);
  t.equal((await again.acquire(bucketOf(0), 'x')).lastPosition, 2);
  await again.close();
});

t.test('a segment that was begun in vain is begun again', async (t) => {
  const { files, store, owner } = await setUp(300);
  files.freeBytes = 100;
  files.failRemove = true;
  await t.rejects(owner.append(big), failed);
  files.freeBytes = 10_000;
  await owner.acquire();
  await owner.append(big);
  t.equal(files.segments().length, 2);
  await store.close();
  files.failRemove = false;
  const again = await openOn(files, folder.path, 300);
  t.strictSame(again.opened.damage, []);
  t.equal((await again.acquire(bucketOf(0), 'x')).lastPosition, 2);
  await again.close();
});

t.test('an empty store on a full disk opens, and says what it waits for', async (t) => {
  const files = new MemoryFiles();
  files.freeBytes = 64;
  const store = await openOn(files, folder.path);
  const owner = await Owner.of(store);
  await t.rejects(owner.write(pageOf('tab', '', 1)), failed);
  t.ok(store.stats().waitingFor);
  await store.close();
  files.freeBytes = 10_000;
  const again = await openOn(files, folder.path);
  await (await Owner.of(again)).write(pageOf('tab', '', 1));
  await again.close();
});

t.test('whatever fails on the way, what succeeded is there in the end', async (t) => {
  const operations = history(11, 60);
  const states = await statesOf(operations);
  const files = new MemoryFiles();
  const store = await openOn(files, folder.path, 1500);
  for (const [i, operation] of operations.entries()) {
    for (let round = 0; ; round++) {
      files.freeBytes = round === 0 && i % 3 === 0 ? (i * 37) % 400 : Number.POSITIVE_INFINITY;
      files.failSync = round === 0 && i % 7 === 0;
      files.failTruncate = round === 0 && i % 5 === 0;
      files.failRemove = i % 4 === 0;
      const [result] = await Promise.allSettled([run(store, [operation], 1)]);
      if (result?.status === 'fulfilled') break;
      if (round > 2) {
        t.fail(`operation ${i} does not get through`, { reason: String(result?.reason) });
        return;
      }
    }
  }
  files.failRemove = false;
  t.equal(await stateOf(store), states.at(-1));
  await store.close();
  const again = await openOn(files.image(), folder.path, 1500);
  t.equal(await stateOf(again), states.at(-1));
  t.strictSame(again.opened.damage, []);
  await again.close();
});

t.test('a segment that was begun in vain, and could not be removed, is the next one', async (t) => {
  const { files, store, owner } = await setUp(2000);
  for (let i = 0; i < 2; i++) await owner.append(big);
  Object.assign(files, { failSync: true, failTruncate: true, failRemove: true });
  await t.rejects(owner.append({ payload: contentFor('bigger', 900) }), failed);
  Object.assign(files, { failSync: false, failTruncate: false, failRemove: false });
  await owner.acquire();
  await owner.append({ payload: contentFor('small', 10) });
  const now = await stateOf(store);
  await store.close();
  const again = await openOn(files, folder.path, 2000);
  t.equal(await stateOf(again), now);
  await again.close();
});
