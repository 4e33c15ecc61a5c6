import type t from 'tap';
import type { BucketIndex, HeadToken } from '../../src/core/ids.js';
import { HeadMismatch, retiredSeq, type Store } from '../../src/storage/store.js';
import { asideOf, bucketOf, deletionOf, entryAt, keyOf, Owner, pageOf, positionOf } from './fixture.js';

type Test = typeof t;

/** A store of 4 buckets under test; `reopen`, where the engine keeps anything, closes it and opens it again. */
export interface Conforming {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
  readonly close: () => Promise<void>;
}

/** What every engine must do, verb by verb. */
export function conformance(t: Test, open: () => Promise<Conforming>): void {
  const check = (name: string, body: (t: Test, opened: Conforming) => Promise<void>): void => {
    t.test(name, async (t) => {
      const opened = await open();
      try {
        await body(t as Test, opened);
      } finally {
        await opened.close();
      }
    });
  };
  const mismatch = { name: 'HeadMismatch' };

  check('a new bucket is empty, and its tokens are random', async (t, { store }) => {
    const first = await store.acquire(bucketOf(0), 'a');
    const second = await store.acquire(bucketOf(1), 'a');
    t.match(first.token, /^[0-9a-f]{32}$/);
    t.not(first.token, second.token);
    const { token: _, ...rest } = first;
    t.strictSame(rest, {
      tail: [],
      lastPosition: 0,
      producers: [],
      forgetHorizonMs: 0,
      pages: [],
      setAside: [],
    });
    t.equal(store.opened.bucketCount, 4);
    t.equal(store.opened, store.opened);
    await t.rejects(store.acquire(4 as BucketIndex, 'a'), { code: 'internal' });
  });

  check('what was appended comes back in order, with its producers', async (t, { store }) => {
    const owner = await Owner.of(store);
    await owner.append();
    await owner.append({ producer: 'other' as never, birthMs: 55.5, seq: 1 as never });
    await owner.append({ seq: 2 as never });
    const { tail, lastPosition, producers } = await owner.acquire();
    t.strictSame(tail.map(plain), [
      plain(entryAt(1)),
      plain(entryAt(2, { producer: 'other' as never, birthMs: 55.5, seq: 1 as never })),
      plain(entryAt(3, { seq: 2 as never })),
    ]);
    t.equal(lastPosition, 3);
    t.strictSame(
      [...producers].sort((a, b) => (a.producer < b.producer ? -1 : 1)),
      [
        { producer: 'other', birthMs: 55.5, lastSeq: 1, lastAtMs: 2002 },
        { producer: 'producer', birthMs: 1000, lastSeq: 2, lastAtMs: 2003 },
      ],
    );
  });

  check('appends to several buckets at the same time stand or fall by themselves', async (t, { store }) => {
    const owners = await Promise.all([0, 1, 2, 3].map((bucket) => Owner.of(store, bucket)));
    await new Owner(store, 2).acquire();
    const outcomes = await Promise.allSettled([
      ...owners.map((owner) => owner.append()),
      ...owners.map((owner) => owner.append({ seq: 2 as never, payload: Uint8Array.of(2, 2) })),
    ]);
    const refused = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name);
    const fenced = [false, false, 'HeadMismatch', false];
    t.strictSame(refused, [...fenced, ...fenced]);
    for (const [bucket, owner] of owners.entries()) {
      const { tail } = await owner.acquire();
      const due = [entryAt(1), entryAt(2, { seq: 2 as never, payload: Uint8Array.of(2, 2) })];
      t.strictSame(tail.map(plain), bucket === 2 ? [] : due.map(plain), `bucket ${bucket}`);
    }
  });

  check('an append retires the producer that it follows, and comes back saying so', async (t, { store }) => {
    const owner = await Owner.of(store);
    await owner.append();
    await owner.append({ producer: 'heir' as never, seq: 1 as never, retires: 'producer' as never });
    const { producers, tail } = await owner.acquire();
    t.strictSame(
      producers.map((row) => [row.producer, row.lastSeq]),
      [
        ['producer', retiredSeq],
        ['heir', 1],
      ],
      'its row stays, so that a late first Block does not begin anew',
    );
    t.equal(tail[1]?.retires, 'producer');
    t.equal('retires' in tail[0]!, false);
  });

  check('a write needs the token and the number, and a refused one changes nothing', async (t, { store }) => {
    const before = new Owner(store);
    await t.rejects(store.append({ ...before.head(), token: '' as HeadToken }, entryAt(1)), HeadMismatch);
    const old = await Owner.of(store);
    await old.append();
    const stale = old.head();
    const owner = await Owner.of(store);
    await t.rejects(store.append(stale, entryAt(2)), mismatch, 'a stale token');
    await t.rejects(store.append(owner.head(1), entryAt(2)), mismatch, 'a number ahead');
    await owner.append();
    await t.rejects(store.append(owner.head(-1), entryAt(3)), mismatch, 'a number twice');
    const head = owner.head(5);
    await t.rejects(store.setAside(head, asideOf(9, 0)), mismatch);
    await t.rejects(store.writePages(head, [pageOf('tab', '', 1)]), mismatch);
    await t.rejects(store.trim(head, positionOf(2)), mismatch);
    await t.rejects(store.forget(head, ['producer' as never], 99), mismatch);
    await t.rejects(store.readPages(stale, [keyOf('tab')]), mismatch);
    await owner.append();
    const acquired = await owner.acquire();
    t.strictSame(
      acquired.tail.map((entry) => entry.position),
      [1, 2, 3],
    );
    t.strictSame([acquired.pages, acquired.forgetHorizonMs, acquired.producers.length], [[], 0, 1]);
    t.strictSame(await store.listSetAside(bucketOf(0)), []);
  });

  check('a position other than the next is refused', async (t, { store }) => {
    const owner = await Owner.of(store);
    await owner.append();
    for (const position of [0, 1, 3]) {
      await t.rejects(store.append(owner.head(), entryAt(position)), { code: 'internal' });
    }
    await owner.append();
    t.equal((await owner.acquire()).lastPosition, 2);
  });

  check('writes may be issued without waiting, and are carried out in order', async (t, { store }) => {
    const owner = await Owner.of(store);
    const issued: Promise<void>[] = [];
    for (let i = 0; i < 50; i++) issued.push(owner.append(), owner.write(pageOf('tab', 'c', i + 1)));
    issued.push(owner.trim(20));
    const refused = store.append(owner.head(1), entryAt(51));
    await t.rejects(refused, mismatch);
    await Promise.all(issued);
    const { tail, pages } = await owner.acquire();
    t.strictSame(
      tail.map((entry) => entry.position),
      Array.from({ length: 30 }, (_, i) => i + 21),
    );
    t.strictSame(pages, [{ ...keyOf('tab', 'c'), type: 'CounterGroup', position: 50 }]);
  });

  check('writes issued before another acquires come first', async (t, { store }) => {
    const owner = await Owner.of(store);
    const appended = owner.append();
    const acquired = store.acquire(bucketOf(0), 'next');
    await t.rejects(store.append(owner.head(), entryAt(2)), mismatch, 'fenced at once');
    await appended;
    t.equal((await acquired).lastPosition, 1);
  });

  check('buckets do not touch each other', async (t, { store }) => {
    const one = await Owner.of(store, 1);
    const two = await Owner.of(store, 2);
    await one.append();
    await one.write(pageOf('tab', '', 1));
    await two.acquire();
    await one.append();
    t.equal((await two.acquire()).lastPosition, 0);
    t.strictSame(await two.read(keyOf('tab')), [undefined]);
  });

  check('pages are read in the order asked for', async (t, { store }) => {
    const owner = await Owner.of(store);
    const pages = [pageOf('tab', '', 4), pageOf('tab', 'a', 2), pageOf('tab2', '', 3, new Uint8Array(0))];
    await owner.write(...pages);
    const read = await owner.read(keyOf('tab2'), keyOf('tab', 'b'), keyOf('tab', 'a'), keyOf('tab'));
    t.strictSame(read.map(plainOr), [plain(pages[2]!), undefined, plain(pages[1]!), plain(pages[0]!)]);
    const { pages: infos } = await owner.acquire();
    t.equal(infos.length, 3);
    t.ok(infos.every((info) => !('bytes' in info)));
    t.equal(store.stats().pages, 3);
  });

  check('a write never lowers the position of a page (R5)', async (t, { store }) => {
    const owner = await Owner.of(store);
    await owner.write(pageOf('tab', '', 5));
    await owner.write(pageOf('tab', '', 4), pageOf('other', '', 1));
    await owner.write(deletionOf('tab', '', 4));
    t.strictSame((await owner.read(keyOf('tab'), keyOf('other'))).map(plainOr), [
      plain(pageOf('tab', '', 5)),
      plain(pageOf('other', '', 1)),
    ]);
    const rewritten = pageOf('tab', '', 5, new Uint8Array([1, 2, 3]));
    await owner.write(rewritten);
    t.strictSame((await owner.read(keyOf('tab'))).map(plainOr), [plain(rewritten)], 'the same position may');
    await owner.write(deletionOf('tab', '', 5));
    t.strictSame(await owner.read(keyOf('tab')), [undefined]);
    await owner.write(pageOf('tab', '', 2));
    t.strictSame((await owner.read(keyOf('tab'))).map(plainOr), [plain(pageOf('tab', '', 2))], 'a new page');
  });

  check("what is stored does not follow the caller's buffers", async (t, { store }) => {
    const owner = await Owner.of(store);
    const bytes = new Uint8Array([1, 2, 3]);
    await owner.append({ payload: bytes });
    await owner.write(pageOf('tab', '', 1, bytes));
    bytes.fill(9);
    const read = await owner.read(keyOf('tab'));
    t.strictSame([...read[0]!.bytes], [1, 2, 3]);
    read[0]!.bytes.fill(8);
    t.strictSame([...(await owner.read(keyOf('tab')))[0]!.bytes], [1, 2, 3]);
    t.strictSame([...(await owner.acquire()).tail[0]!.payload], [1, 2, 3]);
  });

  check('trimming forgets entries, not where the journal is', async (t, { store }) => {
    const owner = await Owner.of(store);
    for (let i = 0; i < 5; i++) await owner.append();
    t.match(store.stats(), { journalEntries: 5, journalBytes: 200 });
    await owner.trim(3);
    await owner.trim(2);
    t.match(store.stats(), { journalEntries: 2, journalBytes: 80 });
    await owner.trim(5);
    const { tail, lastPosition, producers } = await owner.acquire();
    t.strictSame([tail, lastPosition, producers.length], [[], 5, 1]);
    await owner.append();
    t.equal((await owner.acquire()).tail[0]?.position, 6);
  });

  check('producers are forgotten, and the horizon only rises', async (t, { store }) => {
    const owner = await Owner.of(store);
    await owner.append();
    await owner.append({ producer: 'other' as never });
    await owner.forget(['producer'], 500);
    await owner.forget([], 400);
    const { producers, forgetHorizonMs } = await owner.acquire();
    t.strictSame([producers.map((row) => row.producer), forgetHorizonMs], [['other'], 500]);
  });

  check('very many producers are forgotten in one write', async (t, { store }) => {
    const owner = await Owner.of(store);
    await owner.append();
    const silent = Array.from({ length: 150_000 }, (_, index) => `silent${index}`);
    await owner.forget([...silent, 'producer'], 500);
    const { producers, forgetHorizonMs } = await owner.acquire();
    t.strictSame([producers, forgetHorizonMs], [[], 500]);
  });

  check(
    "what is set aside is listed, skipped at replay, and counts as the producer's",
    async (t, { store }) => {
      const owner = await Owner.of(store);
      await owner.append();
      await owner.append();
      await owner.setAside(asideOf(3, 0));
      await owner.setAside(asideOf(2, 2));
      await owner.setAside(asideOf(1, 1, { producer: 'retired' as never }));
      const acquired = await owner.acquire();
      t.strictSame(acquired.setAside, [
        { position: 2, tab: 'broken', client: 'host' },
        { position: 1, tab: 'broken', client: 'host' },
      ]);
      t.strictSame(
        acquired.producers.map(({ producer, lastSeq }) => [producer, lastSeq]),
        [['producer', 3]],
        'a whole Block sets the number; a Part of an entry does not revive a producer',
      );
      t.equal(acquired.lastPosition, 2);
      await owner.trim(1);
      t.equal((await owner.acquire()).setAside.length, 1, 'of a trimmed entry nothing is replayed');
      const listed = await store.listSetAside(bucketOf(0));
      t.strictSame(listed.map(plain), [
        plain(asideOf(3, 0)),
        plain(asideOf(2, 2)),
        plain(asideOf(1, 1, { producer: 'retired' as never })),
      ]);
    },
  );

  check('a closed store refuses, and closes once', async (t, { store }) => {
    const owner = await Owner.of(store);
    const appended = owner.append();
    const closing = store.close();
    await appended;
    await closing;
    await store.close();
    await t.rejects(owner.append(), { code: 'store_failed' });
    await t.rejects(store.acquire(bucketOf(0), 'a'), { code: 'store_failed' });
  });

  check(
    'everything is there after reopening; one process at a time: every head is void',
    async (t, { store, reopen }) => {
      if (reopen === undefined) {
        t.equal(store.engine, 'memory', 'only this engine keeps nothing');
        return;
      }
      const owner = await Owner.of(store, 3);
      for (let i = 0; i < 4; i++) await owner.append();
      await owner.append({ producer: 'heir' as never, retires: 'producer' as never });
      await owner.trim(2);
      await owner.setAside(asideOf(9, 4));
      await owner.forget(['nobody'], 77);
      await owner.write(pageOf('tab', '', 2), pageOf('tab', 'a', 2), pageOf('gone', '', 2));
      await owner.write(deletionOf('gone', '', 3));
      const before = await owner.acquire();
      const again = await reopen();
      // A store that several processes share outlives each of them: only an acquisition makes heads void there.
      if (again.coordination === undefined) await t.rejects(again.append(owner.head(), entryAt(6)), mismatch);
      const after = await again.acquire(bucketOf(3), 'b');
      t.strictSame(plain({ ...after, token: '' }), plain({ ...before, token: '' }));
      t.strictSame(again.opened.damage, []);
      t.equal((await again.listSetAside(bucketOf(3))).length, 1);
    },
  );
}

/** Bytes as arrays, so that a Buffer equals a Uint8Array. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, field) => (field instanceof Uint8Array ? [...field] : field)),
  );
}

function plainOr(value: unknown): unknown {
  return value === undefined ? undefined : plain(value);
}
