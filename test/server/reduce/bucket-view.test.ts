import t from 'tap';
import { reduceState, renderState } from '../../../src/core/handlers/encoded-state.js';
import type { HandlerRegistry } from '../../../src/core/handlers/registry.js';
import type { TabStates } from '../../../src/server/reduce/bucket-view.js';
import type { Owners } from '../../../src/server/reduce/owners.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Store } from '../../../src/storage/store.js';
import { begin, block, bucketCount, counts, ownedTab, viewTab } from './owners-kit.js';

const { bucket } = block();

const limits = { maxTabs: 10, maxClients: 1000, allowedSkewSec: 10 };

async function counted(store: Store, clients = 5): Promise<void> {
  const owners = await begin({ store, limits });
  for (let client = 0; client < clients; client++) {
    await owners.take(block({ client: `c${client}`, seq: client + 1, value: client }));
  }
  await owners.close();
}

async function sumOfClients(owners: Owners): Promise<number> {
  let sum = 0;
  await viewTab(owners, 'a', 'all clients', ({ handler, clients }) => {
    const total = handler.newState();
    for (const state of clients.values()) reduceState(handler, total, state);
    sum = (renderState(handler, total, 'json', { nowSec: 0 }) as { total: number }).total;
  });
  return sum;
}

t.test('what lies in the store only is read from there, and kept where there is room', async (t) => {
  const store = openMemoryStore({ bucketCount });
  await counted(store);
  const roomy = await begin({ store });
  t.equal(roomy.stats().statesInMemory, 0);
  t.equal(await sumOfClients(roomy), 10);
  t.equal(roomy.stats().statesInMemory, 5);
  const tight = await begin({ store, memory: { maxStates: 2 } });
  t.equal(await sumOfClients(tight), 10);
  t.equal(tight.stats().statesInMemory, 2, 'a query takes no more than there is');
  t.equal(await sumOfClients(tight), 10);
});

t.test('a damaged page costs its State, is kept aside, and does not fail the query', async (t) => {
  const store = openMemoryStore({ bucketCount });
  await counted(store);
  const { readPages } = store;
  store.readPages = async (...args) => {
    const pages = await readPages.apply(store, args);
    return pages.map((page) => (page?.client === 'c4' ? { ...page, bytes: Uint8Array.of(1) } : page));
  };
  const owners = await begin({ store });
  t.equal(await sumOfClients(owners), 6);
  t.match(await store.listSetAside(bucket), [{ tab: 'a', client: 'c4', bytes: Uint8Array.of(1) }]);
});

// In one go 256 are read: what changes may have been read in this one, or in an earlier one.
for (const [clients, during] of [
  [5, 0],
  [300, 1],
] as const) {
  t.test(
    `one of ${clients} States changes and leaves memory while they are read, and is seen as it is`,
    async (t) => {
      const store = openMemoryStore({ bucketCount });
      await counted(store, clients);
      const owners = await begin({ store, limits, memory: { maxStates: 0 } });
      const { readPages } = store;
      let reads = 0;
      let left = Number.NaN;
      store.readPages = async (...args) => {
        const pages = await readPages.apply(store, args);
        if (reads++ === during) {
          await owners.take(block({ client: 'c0', seq: clients + 1, value: 1_000_000 }));
          await owners.checkpoint();
          await owners.take(block({ client: 'c1', seq: clients + 2, value: 2_000_000 }));
          await owners.checkpoint();
          left = owners.stats().statesInMemory;
        }
        return pages;
      };
      t.equal(await sumOfClients(owners), 3_000_000 + (clients * (clients - 1)) / 2);
      t.equal(left, 0, 'it did leave');
    },
  );
}

t.test('a look does not wait for what is not durable yet, and does not see it', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const owners = await begin({ store });
  await owners.take(block());
  const { append } = store;
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  store.append = async (...args) => {
    await append.apply(store, args);
    await held;
  };
  const pending = owners.take(block({ seq: 2, client: 'later' }));
  t.same(await counts(owners), { '': 1, c: 1 });
  t.notOk(ownedTab(owners, 'a')?.has('later' as never), 'nor is the client known');
  goOn();
  await pending;
  t.same(await counts(owners), { '': 2, c: 1, later: 1 });
});

t.test('what was seen counts for nothing when the hold on the bucket was lost on the way', async (t) => {
  const owners = await begin();
  await owners.take(block());
  const view = owners.reading.bucket(bucket)!;
  const seen: TabStates[] = [];
  const lasted = await view.view(view.tabs(), {
    whose: () => 'tab',
    look: (states) => void seen.push(states),
    turn: { isOver: true, next: () => owners.release([bucket]) },
  });
  t.equal(lasted, false);
  t.equal(seen.length, 1);
  await owners.acquire([bucket]);
  t.equal(view.isValid, false, 'not even when it was acquired again');
  t.equal(owners.reading.bucket(bucket)?.isValid, true);
});

t.test('all that is in memory is looked at in one step, or nothing is', async (t) => {
  const store = openMemoryStore({ bucketCount });
  await counted(store);
  const owners = await begin({ store, limits });
  const view = owners.reading.bucket(bucket)!;
  const seen: number[] = [];
  const atOnce = () =>
    view.viewAtOnce(view.tabs(), {
      whose: () => 'all clients',
      look: ({ clients }) => void seen.push(clients.size),
    });
  t.equal(atOnce(), false, 'it lies in the store only');
  await sumOfClients(owners);
  t.equal(atOnce(), true);
  for (let client = 5; client < 65; client++) {
    await owners.take(block({ client: `c${client}`, seq: client + 1 }));
  }
  t.equal(atOnce(), false, '65 are too many');
  t.same(seen, [5]);
  await owners.release([bucket]);
  t.equal(atOnce(), false, 'the bucket is gone');
  t.same(seen, [5]);
});

t.test('a store that fails ends the look, and nothing else', async (t) => {
  const store = openMemoryStore({ bucketCount });
  await counted(store);
  const owners = await begin({ store });
  const view = owners.reading.bucket(bucket)!;
  store.readPages = () => Promise.reject(new Error('the disk is on fire'));
  const lasted = await view.view(view.tabs(), {
    whose: () => 'all clients',
    look: () => t.fail('nothing can be seen'),
    turn: { isOver: false, next: async () => {} },
  });
  t.equal(lasted, false, 'the bucket is being acquired again');
  await owners.acquire([bucket]);
  while (!owners.owns(bucket)) await new Promise((resolve) => setImmediate(resolve));
  t.equal(view.isValid, false, 'and is another one then');
});

t.test('a tab whose Handler is not loaded here is not left out without a word', async (t) => {
  const store = openMemoryStore({ bucketCount });
  await counted(store);
  const lacking = { get: () => undefined } as unknown as HandlerRegistry;
  const owners = await begin({ store, registry: lacking });
  await t.rejects(
    viewTab(owners, 'a', 'tab', () => {}),
    { code: 'unknown_type' },
  );
  const view = owners.reading.bucket(bucket)!;
  t.throws(() => view.viewAtOnce(view.tabs(), { whose: () => 'tab', look: () => {} }), {
    code: 'unknown_type',
  });
});
