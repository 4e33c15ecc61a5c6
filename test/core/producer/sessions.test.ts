import t from 'tap';
import { FlushSessions } from '../../../src/core/producer/sessions.js';

t.test('the next number alone is taken', async (t) => {
  const sessions = new FlushSessions({ maxSessions: 10, forgetAfterMs: 100 });
  t.same(sessions.judge('s', 2, 0), { kind: 'gap', expected: 1 });
  t.same(sessions.judge('s', 1, 0), { kind: 'next' });
  t.same(sessions.judge('s', 1, 0), { kind: 'next' }, 'judging takes nothing');
  sessions.taken('s', 1, 0);
  t.same(sessions.judge('s', 1, 0), { kind: 'repeat' });
  t.same(sessions.judge('s', 3, 0), { kind: 'gap', expected: 2 });
  t.same(sessions.judge('other', 1, 0), { kind: 'next' });
});

t.test('a session is forgotten by age alone, never for room', async (t) => {
  const sessions = new FlushSessions({ maxSessions: 2, forgetAfterMs: 100 });
  sessions.taken('a', 1, 0);
  sessions.taken('b', 1, 50);
  t.same(sessions.judge('c', 1, 100), { kind: 'full' });
  t.same(sessions.judge('a', 2, 100), { kind: 'next' }, 'a known one needs no room');
  t.same(sessions.judge('c', 1, 101), { kind: 'next' });
  t.equal(sessions.size, 1);
  t.same(sessions.judge('b', 1, 101), { kind: 'repeat' });
});

t.test('sessions survive a restart, whatever the order of their records', async (t) => {
  const sessions = new FlushSessions({ maxSessions: 10, forgetAfterMs: 100 });
  sessions.restore([
    { session: 'a', last: 7, usedAtMs: 20 },
    { session: 'b', last: 1, usedAtMs: 5 },
    { session: 'a', last: 6, usedAtMs: 30 },
  ]);
  t.same(sessions.judge('a', 7, 30), { kind: 'repeat' });
  t.same(sessions.judge('a', 8, 30), { kind: 'next' });
  t.equal(sessions.forget(106), 1, 'b');
  const copy = new FlushSessions({ maxSessions: 10, forgetAfterMs: 100 });
  copy.restore(sessions.entries());
  t.same([...copy.entries()], [...sessions.entries()]);
});
