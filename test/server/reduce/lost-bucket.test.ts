import t from 'tap';
import { bucketOf } from '../../../src/core/buckets.js';
import type { BucketIndex, ClientId, TabName } from '../../../src/core/ids.js';
import type { Turn } from '../../../src/runtime/turn.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Page, Store } from '../../../src/storage/store.js';
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

t.test(
  'a bucket that was acquired too late is not served: whoever has it by then is asked first',
  async (t) => {
    const bucket = bucketOfTab(lost);
    const { store, troubled, failing } = troubledStore();
    let isCurrent = true;
    let answer: () => void = () => {};
    const acquire: Store['acquire'] = async (which, owner) => {
      if (which === bucket && !isCurrent) {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
      return store.acquire(which, owner);
    };
    const late: Store = new Proxy(troubled, {
      get: (target, name) => (name === 'acquire' ? acquire : Reflect.get(target, name)),
    });
    const asked: boolean[] = [];
    const owners = await begin({
      store: late,
      isCurrent: () => isCurrent,
      assignedPlace: async (_bucket, mayBeTaken) => {
        asked.push(mayBeTaken);
        isCurrent = mayBeTaken;
        return mayBeTaken ? 'contested' : 'here';
      },
    });
    failing.add(bucket);
    t.match(await owners.take(block({ tab: lost })), { kind: 'busy' });
    await turns();
    t.equal(owners.stateOf(bucket), 'acquiring');
    answer();
    await turns();
    t.equal(owners.stateOf(bucket), 'idle');
    t.same(asked, [false, true]);
  },
);

t.test('where the store has lost a page, the bucket begins anew: States are of one moment', async (t) => {
  const bucket = bucketOfTab(lost);
  const { store, troubled } = troubledStore();
  let older: readonly Page[] | undefined;
  const forgetful: Store = new Proxy(troubled, {
    get: (target, name) => {
      if (name !== 'readPages') return Reflect.get(target, name);
      return async (...[head, keys]: Parameters<Store['readPages']>) => {
        const pages = older?.filter((page) => keys.some(({ client }) => client === page.client));
        older = undefined;
        return pages ?? store.readPages(head, keys);
      };
    },
  });
  const owners = await begin({ store: forgetful, memory: { maxStates: 1 } });
  await owners.take(block({ tab: lost }));
  await owners.checkpoint();
  const { token } = await store.acquire(bucket, 'somebody else');
  const keys = ['', 'c'].map((client) => ({ tab: lost as TabName, client: client as ClientId }));
  const pages = (await store.readPages({ bucket, token, n: 0 }, keys)) as Page[];
  t.match(await owners.take(block({ tab: lost, seq: 2 })), { kind: 'busy' }, 'the store has another head');
  await turns();
  t.match(await owners.take(block({ tab: lost, seq: 2 })), { kind: 'acknowledged' });
  await owners.checkpoint();
  older = pages;
  t.match(
    await owners.take(block({ tab: lost, seq: 3 })),
    { kind: 'busy' },
    'a page is older than was written',
  );
  await turns();
  t.match(await owners.take(block({ tab: lost, seq: 3 })), { kind: 'acknowledged', repeat: true });
  t.same(await counts(owners, lost), { '': 3, c: 3 });
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

t.test('a checkpoint that waits for its turn does not go on with what was acquired meanwhile', async (t) => {
  const bucket = bucketOfTab(lost);
  const { store, troubled, failing } = troubledStore();
  const paused: (() => void)[] = [];
  let isOver = false;
  const turn = {
    get isOver() {
      return isOver;
    },
    pause: () => new Promise<void>((resolve) => paused.push(resolve)),
  } as Turn;
  const owners = await begin({ store: troubled, turn });
  for (const seq of [1, 2, 3])
    t.match(await owners.take(block({ tab: lost, seq })), { kind: 'acknowledged' });
  isOver = true;
  const checkpointed = owners.checkpoint();
  t.equal(paused.length, 1);
  isOver = false;
  failing.add(bucket);
  t.match(await owners.take(block({ tab: lost, seq: 1, producer: 'other' })), { kind: 'busy' });
  await turns();
  t.equal(owners.stateOf(bucket), 'serving');
  for (const goOn of paused) goOn();
  await checkpointed;

  const again = await begin({ store });
  t.same(await counts(again, lost), { '': 3, c: 3 }, 'the journal has what no page has');
});
