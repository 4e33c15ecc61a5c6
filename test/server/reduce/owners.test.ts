import t from 'tap';
import type { Answer } from '../../../src/core/block.js';
import { renderState } from '../../../src/core/handlers/encoded-state.js';
import { builtinHandlers, type HandlerRegistry } from '../../../src/core/handlers/registry.js';
import type { BucketIndex, TabName } from '../../../src/core/ids.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Store } from '../../../src/storage/store.js';
import {
  baseMs,
  begin,
  block,
  bucketCount,
  counts,
  type Given,
  hourMs,
  ownedTab,
  registry,
  stillClock,
  viewTab,
} from './owners-kit.js';

const ok: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };
const name = (tab: string): TabName => tab as TabName;

t.test('counts each number once, and contradicts a gap', async (t) => {
  const owners = await begin();
  t.same(await owners.take(block()), ok);
  t.same(await owners.take(block()), { ...ok, repeat: true });
  t.same(await owners.take(block({ seq: 3 })), { kind: 'expects', seq: 2 });
  t.same(await owners.take(block({ seq: 2, producer: 'new' })), { kind: 'expects', seq: 1 });
  const both = await Promise.all([
    owners.take(block({ seq: 2 })),
    owners.take(block({ seq: 2 })),
    owners.take(block({ seq: 3 })),
  ]);
  t.same(both, [ok, { ...ok, repeat: true }, ok]);
  t.same(await counts(owners), { '': 3, c: 3 });
  t.equal(owners.books.balance, 0);
  t.same(ownedTab(owners, 'a')?.type, 'TotalsCounter');
  t.same([...ownedTab(owners, 'a')!.clients()], ['c']);
  t.equal(ownedTab(owners, 'b'), undefined);
  await owners.close();
  t.same(await owners.take(block()), { kind: 'not_owner' });
});

t.test('a Block that is no list of Parts is set aside, counted and acknowledged', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const owners = await begin({ store });
  const bad = { ...block(), payload: Uint8Array.of(1, 2, 3) };
  t.match(await owners.take(bad), {
    kind: 'acknowledged',
    repeat: false,
    rejected: [{ code: 'corrupt', events: 1 }],
  });
  t.match(await owners.take(bad), {
    kind: 'acknowledged',
    repeat: true,
    rejected: [{ code: 'corrupt', events: 1 }],
  });
  t.match(await store.listSetAside(bad.bucket), [{ producer: 'p', seq: 1, events: 1, bytes: bad.payload }]);
  t.same(await owners.take(block({ seq: 2 })), ok);
  t.equal(owners.books.balance, 0);
});

t.test('a Part of another type, of no type, or beyond a limit is rejected; the others count', async (t) => {
  const owners = await begin({ limits: { maxTabs: 1, maxClients: 1, allowedSkewSec: 10 } });
  await owners.take(block());
  const code = async (given: Given): Promise<unknown> => {
    const answer = await owners.take(block(given));
    return answer.kind === 'acknowledged' ? answer.rejected.map((one) => one.code) : answer.kind;
  };
  t.same(await code({ type: 'Noop', seq: 2 }), ['type_conflict']);
  t.same(await code({ client: 'd', seq: 3 }), ['too_many_clients']);
  t.same(await code({ tab: 'b', producer: 'q' }), ['too_many_tabs']);
  t.same(await code({ seq: 4 }), []);
  t.same(await counts(owners), { '': 2, c: 2 });
  t.equal(owners.books.balance, 0);
});

t.test('a take-over finds what was acknowledged, checkpointed or not', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const first = await begin({ store });
  await first.take(block());
  await first.checkpoint();
  await first.take(block({ seq: 2 }));
  await first.take(block({ seq: 3, client: 'd' }));
  t.equal(store.stats().journalEntries, 2, 'the first entry was trimmed');
  const second = await begin({ store });
  t.same(await counts(second), { '': 3, c: 2, d: 1 });
  t.same(await second.take(block({ seq: 3 })), { ...ok, repeat: true });
  t.match(await first.take(block({ seq: 4 })), { kind: 'busy' }, 'the first finds out by its first write');
});

t.test('closing leaves an empty journal and nothing lost', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const first = await begin({ store });
  await first.take(block());
  await first.close();
  t.equal(store.stats().journalEntries, 0);
  t.same(await counts(await begin({ store })), { '': 1, c: 1 });
});

t.test('an evicted State is loaded again before anything is added to it', async (t) => {
  const owners = await begin({ memory: { maxStates: 1 } });
  for (let seq = 1; seq <= 6; seq++) {
    await owners.take(block({ seq, client: `c${seq % 3}` }));
    await owners.checkpoint();
  }
  await owners.take(block({ seq: 7, client: 'c0' }));
  t.ok(owners.stats().statesInMemory < 4, `${owners.stats().statesInMemory} States in memory`);
  t.same(await counts(owners), { '': 7, c0: 3, c1: 2, c2: 2 });
});

t.test('a bucket is taken over though its States are more than may be in memory', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const first = await begin({ store });
  await first.take(block({ seq: 1, client: 'c1' }));
  await first.take(block({ seq: 2, client: 'c2' }));
  await first.checkpoint();
  await first.take(block({ seq: 3, client: 'c1' }));
  await first.take(block({ seq: 4, client: 'c2' }));
  // Nothing can be written down while the bucket is acquired: trying again and again would let nothing else happen.
  const readPages = store.readPages.bind(store);
  store.readPages = async (...asked) => {
    await new Promise(setImmediate);
    return readPages(...asked);
  };
  t.same(await counts(await begin({ store, memory: { maxStates: 1 } })), { '': 4, c1: 2, c2: 2 });
});

t.test('a repeat is acknowledged when its events can be seen', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const first = await begin({ store });
  await first.take(block({ seq: 1 }));
  await first.close();
  const owners = await begin({ store });
  const readPages = store.readPages.bind(store);
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  store.readPages = async (...asked) => {
    await held;
    return readPages(...asked);
  };
  // In the journal at once; but the State that it goes into has yet to come from the store.
  const taken = owners.take(block({ seq: 2 }));
  await new Promise(setImmediate);
  let isAnswered = false;
  const repeated = owners.take(block({ seq: 2 })).finally(() => {
    isAnswered = true;
  });
  await new Promise(setImmediate);
  t.notOk(isAnswered);
  goOn();
  t.match(await repeated, { kind: 'acknowledged', repeat: true });
  t.match(await taken, { kind: 'acknowledged', repeat: false });
  t.same(await counts(owners), { '': 2, c: 2 });
});

t.test('a forgotten producer is unknown, a new one is welcome', async (t) => {
  const clock = stillClock();
  const owners = await begin({ clock, forgetProducerMs: hourMs });
  await owners.take(block());
  clock.now.ms += hourMs + 1;
  t.match(await owners.administration.prune(), { outcome: { producers: 1 }, undone: [] });
  t.same(await owners.take(block()), { kind: 'unknown_producer' });
  t.same(await owners.take(block({ producer: 'q', birthMs: clock.now.ms })), ok);
});

t.test('an idle client goes, and what it counted stays in the State over all clients', async (t) => {
  const clock = stillClock();
  const store = openMemoryStore({ bucketCount });
  const owners = await begin({ clock, store });
  await owners.take(block({ client: 'gone' }));
  clock.now.ms += 49 * hourMs;
  await owners.take(block({ seq: 2, client: 'here', timestampSec: clock.now.ms / 1000 }));
  t.match(await owners.administration.prune(), { outcome: { tabs: 0, clients: 1 }, undone: [] });
  t.same(await counts(owners), { '': 2, here: 1 });
  await owners.administration.recompute();
  t.same(await counts(owners), { '': 2, here: 1 }, 'recomputing does not lower it');
  t.same(await counts(await begin({ store })), { '': 2, here: 1 }, 'nor does a take-over bring it back');
});

t.test('an idle tab goes with all that belongs to it', async (t) => {
  const clock = stillClock();
  const store = openMemoryStore({ bucketCount });
  const owners = await begin({ clock, store });
  await owners.take(block());
  clock.now.ms += 31 * 24 * hourMs;
  t.match(await owners.administration.prune(), { outcome: { tabs: 1 }, undone: [] });
  t.equal(ownedTab(owners, 'a'), undefined);
  t.equal(store.stats().pages, 0);
  t.equal(owners.stats().tabs, 0);
});

t.test('a deleted tab does not come back from the journal; a later event makes it anew', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const owners = await begin({ store });
  await owners.take(block());
  t.same(await owners.administration.deleteTabs([name('a'), name('b')]), { outcome: 1, undone: [] });
  t.equal(ownedTab(owners, 'a'), undefined);
  t.equal(ownedTab(await begin({ store }), 'a'), undefined);
  const again = await begin({ store });
  t.same(await again.take(block({ seq: 2, type: 'Noop' })), ok, 'even with another type');
});

t.test('a timestamp from the future is counted at the present of the append', async (t) => {
  const owners = await begin();
  await owners.take(block({ type: 'CounterGroup', timestampSec: baseMs / 1000 + 9999 }));
  await viewTab(owners, 'a', 'tab', ({ tabState }) => {
    const text = renderState(registry.get('CounterGroup')!, tabState, 'json', { nowSec: baseMs / 1000 }) as {
      '1m': { count: number };
    };
    t.equal(text['1m'].count, 1);
  });
});

t.test('a Handler that throws costs its Part, not the bucket, now and at every recovery', async (t) => {
  const store = openMemoryStore({ bucketCount });
  const { reduceEncoded: _, sumEncoded: __, ...counter } = registry.get('TotalsCounter')!;
  const picky = builtinHandlers();
  const reduce = (into: unknown, from: unknown): void => {
    if ((counter.render(from, 'json', { nowSec: 0 }) as { total: number }).total === 13)
      throw new Error('unlucky');
    counter.reduce(into, from);
  };
  const without = {
    get: (type: string) =>
      type === 'TotalsCounter' ? { ...counter, reduce, aggregate: reduce } : picky.get(type),
  };
  const owners = await begin({ store, registry: without as HandlerRegistry });
  await owners.take(block());
  t.match(await owners.take(block({ seq: 2, value: 13 })), { kind: 'busy' });
  await owners.acquire([block().bucket]);
  while (!owners.owns(block().bucket)) await new Promise((resolve) => setImmediate(resolve));
  t.same(await owners.take(block({ seq: 2, value: 13 })), { ...ok, repeat: true });
  t.same(await owners.take(block({ seq: 3 })), ok);
  t.same(await counts(owners), { '': 2, c: 2 });
  t.match(await store.listSetAside(block().bucket), [{ tab: 'a', client: 'c', events: 1, position: 2 }]);
  t.equal(owners.books.balance, 0);
});

t.test('a damaged page is found, kept aside, and begun anew', async (t) => {
  const memory = openMemoryStore({ bucketCount });
  const first = await begin({ store: memory });
  await first.take(block());
  await first.close();
  let damaged = true;
  const store: Store = Object.assign(Object.create(memory) as Store, {
    opened: memory.opened,
    acquire: (bucket: BucketIndex, owner: string) => memory.acquire(bucket, owner),
    append: memory.append.bind(memory),
    setAside: memory.setAside.bind(memory),
    listSetAside: memory.listSetAside.bind(memory),
    trim: memory.trim.bind(memory),
    readPages: async (...args: Parameters<Store['readPages']>) => {
      const pages = await memory.readPages(...args);
      return pages.map((page) =>
        damaged && page?.client === '' ? { ...page, bytes: Uint8Array.of(1) } : page,
      );
    },
    writePages: async (...args: Parameters<Store['writePages']>) => {
      await memory.writePages(...args);
      damaged = false;
    },
  });
  const owners = await begin({ store });
  const check = (repair: boolean) => owners.administration.check({ repair });
  t.match((await check(false)).outcome.findings, [{ tab: 'a', client: '', repaired: false }]);
  t.match((await check(true)).outcome.findings, [{ tab: 'a', client: '', repaired: true }]);
  t.same(await counts(owners), { '': 1, c: 1 }, 'made again of the clients');
  t.match(await check(false), { outcome: { findings: [] }, undone: [] });
  t.same(await owners.administration.upgrade(), { outcome: 0, undone: [] });
});
