import fc from 'fast-check';
import t from 'tap';
import { PartMap } from '../../src/core/parts.js';
import { Books } from '../../src/intake/books.js';
import { stage } from '../../src/intake/stage.js';
import { client, contextWith, jsonItems, registry, tab } from './node.js';

/** What can happen to events: bodies come in, pairs are delivered, rejected by an owner, or dropped. */
const item = fc.oneof(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', '', 'full'),
    value: fc.constantFrom<unknown>(1, 2.5, 'x', null),
  }),
  fc.constant({ misspelt: 1 }),
);
const operation = fc.oneof(
  fc.record({ kind: fc.constant('take-in' as const), items: fc.array(item, { maxLength: 8 }) }),
  fc.record({
    kind: fc.constantFrom('deliver' as const, 'reject' as const, 'drop' as const),
    tab: fc.constantFrom('a', 'b', 'c'),
  }),
);

t.test('the books balance after every operation', (t) => {
  const context = contextWith({ admits: (name) => (name === 'full' ? 'too_many_tabs' : undefined) });
  const seen = { received: 0, delivered: 0, rejected: 0, dropped: 0 };
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const buffer = new PartMap(registry);
      const books = new Books<'flushed'>(() => buffer.events);
      for (const one of operations) {
        if (one.kind === 'take-in') {
          const staged = stage(jsonItems(...one.items), context);
          buffer.reduceAll(staged.parts);
          books.takeIn(staged);
        } else {
          const events = buffer.remove(tab(one.tab), client('me'));
          if (one.kind === 'deliver') books.deliver(events);
          else if (one.kind === 'reject') books.reject('type_conflict', events);
          else books.drop('flushed', events);
        }
        t.equal(books.balance(), 0);
      }
      const account = books.account();
      const total = (counts: Readonly<Record<string, number>>) =>
        Object.values(counts).reduce((a, b) => a + b, 0);
      t.equal(
        account.received,
        account.buffered + account.delivered + total(account.rejected) + total(account.dropped),
      );
      seen.received += account.received;
      seen.delivered += account.delivered;
      seen.rejected += total(account.rejected);
      seen.dropped += total(account.dropped);
    }),
    { seed: 10, numRuns: 60 },
  );
  t.ok(
    Object.values(seen).every((events) => events > 0),
    'every column was in use',
  );
  t.end();
});

t.test('an event that was lost, or made up, shows', (t) => {
  let buffered = 0;
  const books = new Books(() => buffered);
  books.receive(3);
  t.equal(books.balance(), 3, 'received, and nowhere');
  buffered = 3;
  t.equal(books.balance(), 0);
  buffered = 2;
  t.equal(books.balance(), 1, 'lost from the buffer');
  books.deliver(2);
  t.equal(books.balance(), -1, 'delivered and still there');
  t.end();
});

t.test('an account names the reasons, and those alone that occurred', (t) => {
  const books = new Books(() => 0);
  books.receive(6);
  books.reject('denied', 1);
  books.reject('denied', 2);
  books.reject('bad_name', 0);
  books.drop('flushed', 3);
  t.strictSame(books.account(), {
    received: 6,
    buffered: 0,
    delivered: 0,
    rejected: { denied: 3 },
    dropped: { flushed: 3 },
    balance: 0,
  });
  t.throws(() => books.receive(-1), RangeError);
  t.throws(() => books.deliver(Number.NaN), RangeError);
  t.end();
});
