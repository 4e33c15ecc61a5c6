import t from 'tap';
import { bucketOf } from '../../../src/core/buckets.js';
import type { BucketIndex, TabName } from '../../../src/core/ids.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Store } from '../../../src/storage/store.js';
import { begin, block, bucketCount, counts } from './owners-kit.js';

const [slow, lost] = ['a', 'b'] as const;
const bucketOfTab = (tab: string): BucketIndex => bucketOf(tab as TabName, bucketCount);

/** A store in memory that loses appends and holds pages back when it is told to. */
function troubledStore() {
  const store = openMemoryStore({ bucketCount });
  const failing = new Set<BucketIndex>();
  let letPagesGo: (() => void) | undefined;
  let pages: Promise<void> = Promise.resolve();
  const troubled: Store = new Proxy(store, {
    get: (target, name) => {
      if (name === 'append') {
        return async (...[head, entry]: Parameters<Store['append']>) => {
          if (failing.delete(head.bucket)) throw new Error('the connection broke');
          return target.append(head, entry);
        };
      }
      if (name === 'readPages') {
        return async (...asked: Parameters<Store['readPages']>) => {
          await pages;
          return target.readPages(...asked);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    ...{ store, troubled, failing },
    holdPages: () => {
      pages = new Promise((resolve) => {
        letPagesGo = resolve;
      });
    },
    letPagesGo: () => letPagesGo?.(),
  };
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

t.test('nothing is trimmed while a lost bucket waits for its replay', async (t) => {
  t.not(bucketOfTab(slow), bucketOfTab(lost));
  const { store, troubled, failing, holdPages, letPagesGo } = troubledStore();
  const owners = await begin({ store: troubled, replaysAtOnce: 1 });
  // The slow one has a page, which its replay has to read: that takes the only place.
  await owners.take(block({ tab: slow }));
  await owners.checkpoint();
  await owners.take(block({ tab: slow, seq: 2 }));
  for (const seq of [1, 2, 3])
    t.match(await owners.take(block({ tab: lost, seq })), { kind: 'acknowledged' });
  holdPages();
  for (const tab of [slow, lost]) {
    failing.add(bucketOfTab(tab));
    t.match(await owners.take(block({ tab, seq: 1, producer: 'other' })), { kind: 'busy' });
    await turns();
    t.equal(owners.stateOf(bucketOfTab(tab)), 'acquiring');
  }

  await owners.checkpoint();
  await turns();
  t.equal(owners.stateOf(bucketOfTab(lost)), 'acquiring', 'it still waits');
  const { tail } = await store.acquire(bucketOfTab(lost), 'somebody else');
  t.equal(tail.length, 3, 'what was acknowledged is in the journal');

  letPagesGo();
  await turns();
  t.same(await counts(owners, slow), { '': 2, c: 2 });
});

t.test('a lost bucket is acquired again at once, unless another may serve it by now', async (t) => {
  const bucket = bucketOfTab(lost);
  const { store, troubled, failing } = troubledStore();
  const asked: boolean[] = [];
  const owners = await begin({
    store: troubled,
    assignedPlace: async (_bucket, mayBeTaken) => {
      asked.push(mayBeTaken);
      return mayBeTaken ? 'contested' : 'here';
    },
  });
  failing.add(bucket);
  t.match(await owners.take(block({ tab: lost })), { kind: 'busy' });
  await turns();
  t.equal(owners.stateOf(bucket), 'serving', 'a connection broke, and nobody took this server for dead');

  await store.acquire(bucket, 'somebody else');
  t.match(await owners.take(block({ tab: lost })), { kind: 'busy' });
  await turns();
  t.equal(owners.stateOf(bucket), 'idle', 'whoever has it is asked first');
  t.same(asked, [false, true]);
});

t.test('what a server loses when it was taken for dead has to be asked for', async (t) => {
  const bucket = bucketOfTab(lost);
  const { troubled, failing } = troubledStore();
  let answer: () => void = () => {};
  const owners = await begin({
    store: troubled,
    assignedPlace: async (_bucket, mayBeTaken) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return mayBeTaken ? 'contested' : 'unknown';
    },
  });
  failing.add(bucket);
  t.match(await owners.take(block({ tab: lost })), { kind: 'busy' });
  await turns();
  await owners.confirm();
  answer();
  await turns();
  answer();
  await turns();
  t.equal(owners.stateOf(bucket), 'idle');
  const served = bucketOfTab(slow);
  t.equal(owners.stateOf(served), 'serving', 'the store says that this one is its own');
});
