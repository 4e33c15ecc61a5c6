import t from 'tap';
import { untilFlushMs } from '../../src/agent/flush-time.js';

/** The start of a second. */
const secondMs = 1_425_600_000_000;

t.test('an agent flushes shortly after the second has turned, and in even parts of it', async (t) => {
  t.equal(untilFlushMs(secondMs, 250, 0), 80);
  t.equal(untilFlushMs(secondMs + 80, 250, 0), 250, 'the next one, once it is there');
  t.equal(untilFlushMs(secondMs + 300, 250, 0), 30);
  t.equal(untilFlushMs(secondMs + 999.5, 1000, 0), 80.5);
});

t.test('a flush that was late is not followed at once', async (t) => {
  t.equal(untilFlushMs(secondMs + 81, 250, 125), 249);
  t.equal(untilFlushMs(secondMs + 204, 250, 125), 126);
  t.equal(untilFlushMs(secondMs + 206, 250, 125), 374, 'nor does it move those after it');
});

t.test('whatever the interval and the moment, the wait is none that a timer cannot do', async (t) => {
  for (const intervalMs of [1, 7, 250, 333, 60_000]) {
    for (const nowMs of [0, 79, 81, secondMs + 12.5]) {
      const waitMs = untilFlushMs(nowMs, intervalMs, intervalMs / 2);
      t.ok(
        waitMs >= intervalMs / 2 && waitMs <= 1.5 * intervalMs + 80,
        `${intervalMs} ms at ${nowMs}: ${waitMs}`,
      );
    }
  }
});
