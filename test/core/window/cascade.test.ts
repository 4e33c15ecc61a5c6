import fc from 'fast-check';
import t from 'tap';
import { counterLayout, keptCells, sketchLayout } from '../../../src/core/window/layout.js';
import { newNumberCascade, numberWindow } from '../../../src/core/window/number-cascade.js';
import { epochSec } from '../handlers/state-kit.js';

function cascadeOf(
  seconds: Iterable<number>,
  layout: typeof counterLayout | typeof sketchLayout = counterLayout,
) {
  const cascade = newNumberCascade(layout);
  for (const sec of seconds) {
    const ring = cascade.ringFor(sec);
    if (ring >= 0) cascade.writable(ring).add(cascade.indexOf(ring, sec), 1, sec - epochSec);
  }
  return cascade;
}

const counts = (cascade: ReturnType<typeof cascadeOf>, nowSec: number) =>
  cascade.layout.map((_, number) => numberWindow(cascade, number, nowSec).count);

/** What a window must show, from the events themselves: those in its cells up to the one that holds the present. */
function expected(seconds: readonly number[], nowSec: number): number[] {
  return counterLayout.map(({ widthSec, cells }) => {
    const from = (Math.floor(nowSec / widthSec) - cells + 1) * widthSec;
    return seconds.filter((sec) => sec >= from && sec < Math.floor(nowSec) + 1).length;
  });
}

t.test('the layouts nest, and keep room for the skew', async (t) => {
  for (const layout of [counterLayout, sketchLayout]) {
    layout.forEach((shape, number) => {
      const finer = layout[number - 1];
      if (finer !== undefined)
        t.equal(shape.widthSec % finer.widthSec, 0, `${shape.label} holds whole cells`);
      t.ok((keptCells(shape) - shape.cells) * shape.widthSec >= 20, '10 s of skew and 10 s of latency');
    });
  }
});

t.test('an event counts for exactly as long as the windows cover it', async (t) => {
  const cascade = cascadeOf([epochSec]);
  const seen = (offset: number) => counts(cascade, epochSec + offset);
  t.same(seen(-1), [0, 0, 0, 0], 'not yet');
  t.same(seen(0), [1, 1, 1, 1]);
  t.same(seen(59), [1, 1, 1, 1]);
  t.same(seen(60), [0, 1, 1, 1]);
  t.same(seen(599), [0, 1, 1, 1]);
  t.same(seen(600), [0, 0, 1, 1]);
  t.same(seen(3599), [0, 0, 1, 1]);
  t.same(seen(3600), [0, 0, 0, 1]);
  t.same(seen(86_399), [0, 0, 0, 1]);
  t.same(seen(86_400), [0, 0, 0, 0]);
  t.same(seen(0), [1, 1, 1, 1], 'looking a day ahead has moved nothing');
});

t.test(
  'any events in any order: every window shows what it covers, with the newest up to 20 s ahead',
  async () => {
    const seconds = fc.array(
      fc.oneof(
        fc.integer({ min: -90_000, max: 20 }),
        fc.integer({ min: -3700, max: 20 }),
        fc.integer({ min: -700, max: 20 }),
        fc.integer({ min: -70, max: 20 }),
        fc.constantFrom(-1e9, -86_400, -86_399, -3600, -600, -60, -59, 0, 10, 20),
      ),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 21_600 }), (offsets, phase) => {
        const nowSec = epochSec + phase;
        const events = offsets.map((offset) => nowSec + offset);
        const whole = cascadeOf(events);
        const half = cascadeOf(events.slice(0, events.length / 2));
        half.merge(cascadeOf(events.slice(events.length / 2)));
        const truth = expected(events, nowSec).join();
        return counts(whole, nowSec).join() === truth && counts(half, nowSec).join() === truth;
      }),
      { numRuns: 1000 },
    );
  },
);

t.test('a sketch window covers its whole length at any moment', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 86_400 }), fc.nat(3), (phase, number) => {
      const nowSec = epochSec + phase;
      const lengthSec = [60, 600, 3600, 86_400][number]!;
      const cascade = cascadeOf([nowSec - lengthSec, nowSec - lengthSec / 2, nowSec], sketchLayout);
      const { count, bounds } = numberWindow(cascade, number, nowSec);
      return count === 3 && bounds.fromSec <= nowSec - lengthSec && bounds.toSec > nowSec;
    }),
  );
});

t.test('the present moving on second by second, an hour long', async (t) => {
  const cascade = cascadeOf([]);
  for (let sec = 0; sec < 3700; sec++) {
    const ring = cascade.ringFor(epochSec + sec);
    cascade.writable(ring).add(cascade.indexOf(ring, epochSec + sec), 2, 3);
  }
  const nowSec = epochSec + 3699;
  t.same(counts(cascade, nowSec), [120, 1200, 7160, 7400], 'the hour begins with the cell at 120 s');
  const { total, cells } = numberWindow(cascade, 1, nowSec);
  t.equal(total, 1800);
  t.same([...new Set(cells.count)], [20], 'each cell of ten seconds has its twenty');
  t.equal(cells.from, epochSec + 3100);
  t.ok(cascade.rings[0]!.size <= keptCells(counterLayout[0]), 'the finest ring keeps no more than it should');
});

t.test('a clock that ran an hour ahead and back leaves no window blind', async (t) => {
  const nowSec = epochSec + 5000;
  const cascade = cascadeOf([nowSec - 30, nowSec - 5, nowSec + 3600]);
  for (let sec = 0; sec < 60; sec++) {
    const ring = cascade.ringFor(nowSec + sec);
    cascade.writable(ring).add(cascade.indexOf(ring, nowSec + sec), 1, 0);
  }
  const [minute, , hour, day] = counts(cascade, nowSec + 59) as [number, number, number, number];
  t.ok(minute >= 30 && minute <= 60, `1m shows ${minute} of 60, in wider cells`);
  t.equal(hour, 62);
  t.equal(day, 62);
});

t.test('clampFuture moves what is ahead to the present, and only that', async (t) => {
  const nowSec = epochSec + 100;
  const cascade = cascadeOf([nowSec - 20, nowSec, nowSec + 10, nowSec + 11, nowSec + 30, nowSec + 30]);
  t.equal(cascade.clampFuture(nowSec + 10, nowSec), 3);
  t.equal(cascade.newestSec, nowSec + 10);
  t.equal(counts(cascade, nowSec)[1], 5);
  t.equal(counts(cascade, nowSec + 10)[1], 6, 'within the skew: shown when its time comes');
  t.equal(cascade.clampFuture(nowSec + 10, nowSec), 0);
  t.equal(cascadeOf([]).clampFuture(0, 0), 0);
});

t.test('what is older than all rings leaves no trace in them', async (t) => {
  const cascade = cascadeOf([epochSec, epochSec - 40 * 86_400, 0]);
  t.same(
    cascade.rings.map(({ size }) => size),
    [1, 0, 0, 0],
  );
  t.same(counts(cascade, 10), [0, 0, 0, 0]);
});
