import t from 'tap';
import { untilBeat } from '../../src/runtime/beat.js';

/** The start of a second. */
const secondMs = 1_425_600_000_000;
const beat = { intervalMs: 250, offsetMs: 80 };

t.test('the moments lie behind the turn of the second, and behind even parts of it', async (t) => {
  t.equal(untilBeat(beat, secondMs), 80);
  t.equal(untilBeat(beat, secondMs + 80), 250, 'the next one, once it is there');
  t.equal(untilBeat(beat, secondMs + 300), 30);
  t.equal(untilBeat({ ...beat, intervalMs: 1000 }, secondMs + 999.5), 80.5);
});

t.test('one that comes too soon is left out', async (t) => {
  t.equal(untilBeat(beat, secondMs + 81, 125), 249);
  t.equal(untilBeat(beat, secondMs + 204, 125), 126);
  t.equal(untilBeat(beat, secondMs + 206, 125), 374, 'nor does it move those after it');
});

t.test('whatever the interval and the moment, the wait is none that a timer cannot do', async (t) => {
  for (const intervalMs of [1, 7, 250, 333, 60_000]) {
    for (const nowMs of [0, 79, 81, secondMs + 12.5]) {
      const waitMs = untilBeat({ intervalMs, offsetMs: 80 }, nowMs, intervalMs / 2);
      t.ok(
        waitMs >= intervalMs / 2 && waitMs <= 1.5 * intervalMs + 80,
        `${intervalMs} ms at ${nowMs}: ${waitMs}`,
      );
    }
  }
});
