import t from 'tap';
import { TabaError } from '../../../src/core/errors.js';
import type { TabName } from '../../../src/core/ids.js';
import { BucketOwner } from '../../../src/server/reduce/bucket-owner.js';
import { BucketLost } from '../../../src/server/reduce/held-bucket.js';
import { deleteTabs, recompute } from '../../../src/server/reduce/maintenance.js';
import type { Owners, OwnersOptions } from '../../../src/server/reduce/owners.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { begin, block, bucketCount, counts } from './owners-kit.js';

/** The owner of the bucket of tab `a`, and all others with it. */
async function beginHeld(
  options: Partial<OwnersOptions>,
): Promise<{ readonly owners: Owners; readonly held: BucketOwner }> {
  const all: BucketOwner[] = [];
  const owners = await begin({
    ...options,
    hold: (bucket, context) => {
      const owner = new BucketOwner(bucket, context);
      all.push(owner);
      return owner;
    },
  });
  return { owners, held: all.find(({ bucket }) => bucket === block().bucket)! };
}

t.test('recomputing counts a client that came while it waited for its turn', async (t) => {
  const owners = await begin();
  await owners.take(block({ seq: 1, client: 'first' }));
  const taken = owners.take(block({ seq: 2, client: 'second' }));
  const recomputed = owners.administration.recompute();
  t.match(await taken, { kind: 'acknowledged' });
  t.match(await recomputed, { undone: [] });
  t.same(await counts(owners), { '': 2, first: 1, second: 1 });
});

t.test('nothing works on the States of a bucket while it is being acquired', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const { owners, held } = await beginHeld({ store });
  await owners.take(block({ seq: 1 }));
  await owners.checkpoint();
  await owners.take(block({ seq: 2 }));
  const append = store.append.bind(store);
  store.append = () => Promise.reject(new TabaError('store_failed', 'once'));
  const readPages = store.readPages.bind(store);
  let goOn = (): void => {};
  const read = new Promise<void>((resolve) => {
    store.readPages = async (...asked) => {
      resolve();
      await new Promise<void>((done) => {
        goOn = done;
      });
      return readPages(...asked);
    };
  });
  t.match(await owners.take(block({ seq: 3 })), { kind: 'busy' });
  store.append = append;
  // Its States are half made now: the tail waits for a page.
  await read;
  t.equal(held.state, 'acquiring');
  await t.rejects(
    held.exclusively(async () => {}),
    BucketLost,
  );
  await t.rejects(recompute(held), BucketLost);
  await t.rejects(deleteTabs(held, ['a' as TabName]), BucketLost);
  store.readPages = readPages;
  goOn();
  await held.start();
  while (held.state !== 'serving') await new Promise(setImmediate);
  t.same(await counts(owners), { '': 2, c: 2 });
});

t.test(
  'a page is deleted only when the journal is empty, while the bucket is handed over as well',
  async (t) => {
    const store = openMemoryStore({ bucketCount });
    const { owners, held } = await beginHeld({ store });
    await owners.take(block({ seq: 1 }));
    await owners.checkpoint();
    const writePages = store.writePages.bind(store);
    const journalAtDeletion: number[] = [];
    store.writePages = (head, writes) => {
      if (writes.some((write) => 'deleted' in write)) journalAtDeletion.push(store.stats().journalEntries);
      return writePages(head, writes);
    };
    const taken = owners.take(block({ seq: 2 }));
    const deleted = deleteTabs(held, ['a' as TabName]);
    await Promise.all([held.release(), taken, deleted]);
    t.same(journalAtDeletion, [0]);
    t.same(await counts(await begin({ store })), {});
  },
);

t.test('a deleted tab does not come back with what recomputing has yet to write', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const { owners, held } = await beginHeld({ store });
  await owners.take(block({ seq: 1 }));
  await owners.checkpoint();
  // Recomputing changes a State without an entry in the journal, and writes it when its turn is over.
  await Promise.all([recompute(held), deleteTabs(held, ['a' as TabName])]);
  t.equal(store.stats().pages, 0);
  t.same(await counts(await begin({ store })), {});
});
