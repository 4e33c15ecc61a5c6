import t from 'tap';
import { FlushPace, paceOf } from '../../src/client/flush-pace.js';
import { FakeClock } from '../support/fake-clock.js';

/** Moved by timers, and by what is done meanwhile. */
class WorkClock extends FakeClock {
  workedMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.workedMs;
  }
}

t.test('after a flush, three times as long goes by before the next', async (t) => {
  const clock = new WorkClock();
  const pace = new FlushPace(clock);
  const began: number[] = [];
  const flush = (tookMs: number) => () => {
    began.push(clock.monotonicMs());
    clock.workedMs += tookMs;
  };
  pace.inTurn(flush(10));
  t.same(began, [0], 'at once while nobody was before');
  t.notOk(pace.isFree);
  pace.inTurn(flush(20));
  pace.inTurn(flush(0));
  clock.advance(29);
  t.same(began, [0]);
  clock.advance(1);
  t.same(began, [0, 40]);
  clock.advance(60);
  t.same(began, [0, 40, 120]);
  t.ok(pace.isFree);
  pace.inTurn(flush(0));
  t.same(began, [0, 40, 120, 120]);
});

t.test('turns come in the order in which they were asked for', async (t) => {
  const clock = new WorkClock();
  const pace = new FlushPace(clock);
  const order: string[] = [];
  pace.run(() => {
    clock.workedMs = 10;
  });
  for (const name of ['a', 'b', 'c']) pace.inTurn(() => order.push(name));
  clock.advance(30);
  t.same(order, ['a', 'b', 'c'], 'those that took no time need none between them');
});

t.test('a flush that throws does not keep the others from their turns', async (t) => {
  const clock = new WorkClock();
  const pace = new FlushPace(clock);
  const order: string[] = [];
  pace.run(() => {
    clock.workedMs = 10;
  });
  pace.inTurn(() => {
    throw new Error('it broke');
  });
  pace.inTurn(() => order.push('b'));
  t.throws(() => clock.advance(30), /it broke/);
  clock.advance(1);
  t.same(order, ['b']);
  t.ok(pace.isFree);
});

t.test('a process that stood still in the middle of a flush does not wait for as long', async (t) => {
  const clock = new WorkClock();
  const pace = new FlushPace(clock);
  pace.run(() => {
    clock.workedMs = 3_600_000;
  });
  clock.advance(1999);
  t.notOk(pace.isFree);
  clock.advance(1);
  t.ok(pace.isFree);
});

t.test('those that go by one clock share their pace', (t) => {
  const clock = new FakeClock();
  t.equal(paceOf(clock), paceOf(clock));
  t.not(paceOf(clock), paceOf(new FakeClock()));
  t.end();
});
