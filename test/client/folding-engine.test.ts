import t from 'tap';
import { FoldingEngine } from '../../src/client/folding-engine.js';
import { FakeClock } from '../support/fake-clock.js';

/** Tells when it would have woken somebody up, ms UTC. */
class WatchedClock extends FakeClock {
  readonly wakingsMs: number[] = [];

  override after(delayMs: number, action: () => void): () => void {
    this.wakingsMs.push(this.nowMs() + delayMs);
    return super.after(delayMs, action);
  }
}

t.test(
  'clients flush in the first quarter of an interval, and not just after they began to gather',
  async (t) => {
    const offsets = new Set<number>();
    for (let second = 0; second < 40; second++) {
      const clock = new WatchedClock();
      // At any moment of the interval.
      clock.advance(second * 17);
      const engine = new FoldingEngine({
        ...{ clientId: 'c1', url: 'http://127.0.0.1:9', clock, flushIntervalMs: 250, maxBufferBytes: 1e6 },
        ...{ connectTimeoutMs: 1e6, answerTimeoutMs: 1e6 },
      });
      engine.tab('c', 'CounterGroup').record(1);
      // The other one is that of the clock that is looked at for many events.
      const due = clock.wakingsMs.filter((wakingMs) => wakingMs - clock.nowMs() > 50);
      t.equal(due.length, 1, 'one timer for a flush');
      const [waitMs, offsetMs] = [due[0]! - clock.nowMs(), due[0]! % 250];
      t.ok(waitMs >= 75 && waitMs <= 325 && offsetMs <= 62.5, `after ${waitMs} ms, at ${offsetMs}`);
      offsets.add(offsetMs);
      await engine.close(1);
    }
    t.ok(offsets.size > 10, 'each at a moment of its own');
  },
);
