import t from 'tap';
import type { Clock } from '../../src/runtime/clock.js';
import { LoopLag } from '../../src/runtime/loop-lag.js';
import { FakeClock } from '../support/fake-clock.js';

/** A clock whose timers come as late as is told. */
function lateClock(fake: FakeClock, lateMs: () => number): Clock {
  return {
    nowMs: () => fake.nowMs(),
    monotonicMs: () => fake.monotonicMs(),
    soon: (action) => fake.soon(action),
    after: (delayMs, action) => fake.after(delayMs + lateMs(), action),
  };
}

t.test('nobody is woken before somebody asks', async (t) => {
  const clock = new FakeClock();
  const lag = new LoopLag(clock);
  t.equal(clock.timers, 0);
  t.same(lag.take(), { last: 0, min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 });
  t.equal(clock.timers, 1);
  lag.take();
  t.equal(clock.timers, 1, 'one timer, however often it is asked');
});

t.test('what came late is told once, in seconds', async (t) => {
  const fake = new FakeClock();
  let lateMs = 0;
  const lag = new LoopLag(lateClock(fake, () => lateMs));
  lateMs = 40;
  lag.take();
  lateMs = 0;
  fake.advance(440);
  const { last, min, max, mean } = lag.take();
  t.equal(last, 0, 'the timer after it was in time');
  t.ok(min < 0.001);
  t.ok(Math.abs(max - 0.04) < 0.001, `${max}`);
  t.ok(mean > 0.005 && mean < 0.02, `${mean}: of one late timer in four`);
  fake.advance(100);
  t.ok(lag.take().max < 0.001);
});
