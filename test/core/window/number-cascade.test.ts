import fc from 'fast-check';
import t from 'tap';
import { counterLayout } from '../../../src/core/window/layout.js';
import { newNumberCascade, numberWindow, WindowSums } from '../../../src/core/window/number-cascade.js';

const nowSec = 1_700_000_000;

/** One cell for each event, which may be of any ring, or be too old for all of them. */
function cascadeOf(events: readonly (readonly [ageSec: number, value: number])[]) {
  const cascade = newNumberCascade(counterLayout);
  for (const [ageSec, value] of events) {
    const ring = cascade.ringFor(nowSec - ageSec);
    if (ring >= 0) cascade.writable(ring).add(cascade.indexOf(ring, nowSec - ageSec), 1, value);
  }
  return cascade;
}

t.test('sums of all windows are those of each window by itself, to the last bit', async () => {
  const age = fc.oneof(
    fc.integer({ min: -20, max: 100 }),
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 0, max: 100_000 }),
  );
  const value = fc.double({ noNaN: true, noDefaultInfinity: true });
  const sums = new WindowSums(counterLayout);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(age, value), { maxLength: 200 }),
      fc.integer({ min: -50, max: 90_000 }),
      (events, laterSec) => {
        const cascade = cascadeOf(events);
        const atSec = nowSec + laterSec;
        sums.fill(cascade, atSec);
        return counterLayout.every((_, number) => {
          const { count, total } = numberWindow(cascade, number, atSec);
          return Object.is(sums.counts[number], count) && Object.is(sums.totals[number], total);
        });
      },
    ),
    {
      examples: [
        [
          [
            [0, 1e308],
            [1, 1e308],
            [2, -1e308],
            [700, -1e308],
          ] as [number, number][],
          2,
        ],
      ],
    },
  );
});

t.test('one State after the other, and from one moment to another', async (t) => {
  const sums = new WindowSums(counterLayout);
  sums.fill(cascadeOf([[0, 5]]), nowSec);
  t.same([...sums.counts, ...sums.totals], [1, 1, 1, 1, 5, 5, 5, 5]);
  sums.fill(cascadeOf([[100, 2]]), nowSec);
  t.same([...sums.counts, ...sums.totals], [0, 1, 1, 1, 0, 2, 2, 2]);
  sums.fill(cascadeOf([[100, 2]]), nowSec + 3600);
  t.same([...sums.counts, ...sums.totals], [0, 0, 0, 1, 0, 0, 0, 2]);
  sums.fill(newNumberCascade(counterLayout), nowSec);
  t.same([...sums.counts, ...sums.totals], [0, 0, 0, 0, 0, 0, 0, 0]);
});
