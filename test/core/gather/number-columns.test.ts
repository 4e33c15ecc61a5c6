import fc from 'fast-check';
import t from 'tap';
import { ByteWriter } from '../../../src/core/bytes.js';
import { foldGathered } from '../../../src/core/gather/fold-gathered.js';
import type { Gathered } from '../../../src/core/gather/gathered.js';
import { NumberColumns } from '../../../src/core/gather/number-columns.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { Histogram } from '../../../src/core/sketch/histogram.js';
import { anyNumbers, bytesOf, epochSec, exactNumbers } from '../handlers/state-kit.js';

function encoded(histogram: Histogram): string {
  const out = new ByteWriter();
  histogram.encode(out);
  return Buffer.from(out.peek()).toString('hex');
}

function gatheredBytes(gathered: Gathered): string {
  const out = new ByteWriter();
  gathered.encode(out);
  return Buffer.from(out.peek()).toString('hex');
}

interface WeightedEvent {
  readonly row: number;
  readonly value: number;
  readonly weight: number;
}

/** As receivers of single events do it: those without a weight of their own together, as far as that goes. */
function putAll(columns: NumberColumns, events: readonly WeightedEvent[]): void {
  const rows = Int32Array.from(events, ({ row }) => row);
  const values = Float64Array.from(events, ({ value }) => value);
  let at = 0;
  while (at < events.length) {
    const weighted = events.findIndex(({ weight }, index) => index >= at && weight !== 1);
    at = columns.addEach(rows, values, at, weighted < 0 ? events.length : weighted);
    if (at === events.length) return;
    const { row, value, weight } = events[at++]!;
    columns.add(row, value, weight);
  }
}

function put(columns: NumberColumns, row: number, value: number, weight: number): void {
  putAll(columns, [{ row, value, weight }]);
}

const weights = fc.constantFrom(1, 1, 1, 2, 10, 2.5, 1000);
const event = (numbers: fc.Arbitrary<number>) =>
  fc.record({
    row: fc.integer({ min: 0, max: 5 }),
    value: numbers.map((value) => value + 0),
    weight: weights,
  });

/** No page at all, room for a few, room for all. */
for (const maxCounts of [7, 200, 2 ** 20]) {
  t.test(
    `draining gives what folding each event would have given, with room for ${maxCounts} counts`,
    async (t) => {
      const columns = new NumberColumns(maxCounts);
      fc.assert(
        fc.property(fc.array(event(exactNumbers), { maxLength: 60 }), (events) => {
          const expected = new Map<number, { events: number; histogram: Histogram }>();
          putAll(columns, events);
          for (const { row, value, weight } of events) {
            const known = expected.get(row) ?? { events: 0, histogram: new Histogram() };
            expected.set(row, known);
            known.events++;
            known.histogram.add(value, weight);
          }
          if (columns.events !== events.length || columns.touched !== expected.size) return false;
          let same = true;
          const order: number[] = [];
          columns.drain((row, gathered) => {
            order.push(row);
            const { events, histogram } = expected.get(row)!;
            same &&= gathered.events === events && gatheredBytes(gathered) === encoded(histogram);
            const { count, total, min, max } = histogram;
            same &&= gathered.count === count && gathered.total === total;
            same &&= gathered.min === min && gathered.max === max;
            same &&= encoded(gathered.histogram()) === encoded(histogram);
          });
          const inOrder = [...new Set(events.map(({ row }) => row))];
          return same && columns.events === 0 && columns.touched === 0 && order.join() === inOrder.join();
        }),
      );
      t.equal(columns.events, 0);
    },
  );
}

for (const maxCounts of [7, 200, 2 ** 20]) {
  t.test(`runs are the same as one number after the other, with room for ${maxCounts} counts`, async (t) => {
    const [inRuns, oneByOne] = [new NumberColumns(maxCounts), new NumberColumns(maxCounts)];
    const numbers = fc
      .oneof(exactNumbers, fc.constantFrom(1, 1.5, 1e300, 5e-324, 0, -1))
      .map((value) => value + 0);
    const run = fc.record({
      row: fc.integer({ min: 0, max: 3 }),
      values: fc.array(numbers, { minLength: 1, maxLength: 20 }),
      before: fc.integer({ min: 0, max: 3 }),
    });
    const drained = (columns: NumberColumns) => {
      const rows: unknown[] = [];
      columns.drain((row, gathered) => {
        const { events, count, total, min, max } = gathered;
        rows.push([row, events, count, total, min, max, gatheredBytes(gathered)]);
      });
      return rows;
    };
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), (runs) => {
        for (const { row, values, before } of runs) {
          const column = Float64Array.from([...Array<number>(before).fill(7), ...values, 9]);
          inRuns.addRun(row, column, before, before + values.length);
          for (const value of values) oneByOne.add(row, value, 1);
        }
        t.equal(inRuns.events, oneByOne.events);
        t.equal(inRuns.touched, oneByOne.touched);
        t.strictSame(drained(inRuns), drained(oneByOne));
      }),
    );
    // A count that leaves its page, and a row that nobody has reached yet.
    const many = Float64Array.from({ length: 3000 }, (_, index) => 1 + (index % 3));
    inRuns.addRun(5000, many, 0, many.length);
    for (const value of many) oneByOne.add(5000, value, 1);
    t.strictSame(drained(inRuns), drained(oneByOne));
  });
}

t.test('many numbers at once are as many one by one, and NaN is none', async () => {
  const runs = fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.oneof(fc.constantFrom(1, 1, 1, 2, 0, -0, Number.NaN), exactNumbers), { maxLength: 30 }),
      // A count that leaves its page.
      fc.constantFrom(1, 1, 100),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(runs, fc.constantFrom(7, 200, 2 ** 20), (given, maxCounts) => {
      const [atOnce, oneByOne] = [new NumberColumns(maxCounts), new NumberColumns(maxCounts)];
      for (const [row, some, times] of given) {
        const values = Float64Array.from({ length: some.length * times }, (_, at) => some[at % some.length]!);
        // Somewhere in the middle of what is handed over.
        const within = Float64Array.of(99, ...values, 99);
        atOnce.addRun(row, within, 1, within.length - 1);
        for (const value of values) if (!Number.isNaN(value)) put(oneByOne, row, value + 0, 1);
      }
      const drained = (columns: NumberColumns) => {
        const rows: unknown[] = [];
        columns.drain((row, gathered) => rows.push([row, gathered.events, gatheredBytes(gathered)]));
        return JSON.stringify(rows);
      };
      return atOnce.events === oneByOne.events && drained(atOnce) === drained(oneByOne);
    }),
  );
});

t.test('any finite number, its total within rounding', async () => {
  fc.assert(
    fc.property(fc.array(event(anyNumbers), { minLength: 1, maxLength: 40 }), (events) => {
      const columns = new NumberColumns();
      const one = new Histogram();
      for (const { value, weight } of events) {
        put(columns, 0, value, weight);
        one.add(value, weight);
      }
      let found: Histogram | undefined;
      columns.drain((_row, gathered) => {
        found = gathered.histogram();
      });
      one.total = 0;
      found!.total = 0;
      return encoded(found!) === encoded(one);
    }),
  );
});

/** A row's buckets are on a list up to 32 of them, then on a page, or in a histogram where there is no room for one. */
for (const maxCounts of [7, 2 ** 20]) {
  t.test(`around the end of a row's list, with room for ${maxCounts} counts`, async () => {
    const columns = new NumberColumns(maxCounts);
    const value = fc.constantFrom(0, -1, -40, 1, 1.5, 1.5, 2, 3, 5, 8, 13, 21, 34, 1e9);
    const few = fc.record({ row: fc.nat(1), value, weight: fc.constantFrom(1, 1, 1, 1, 2, 255, 256) });
    fc.assert(
      fc.property(fc.array(few, { minLength: 50, maxLength: 90 }), fc.boolean(), (events, positive) => {
        const taken = positive ? events.filter((one) => one.value > 0) : events;
        putAll(columns, taken);
        let same = true;
        columns.drain((row, gathered) => {
          const expected = new Histogram();
          for (const one of taken) if (one.row === row) expected.add(one.value, one.weight);
          same &&= gatheredBytes(gathered) === encoded(expected);
          same &&= encoded(gathered.histogram()) === encoded(expected);
        });
        return same;
      }),
    );
  });
}

t.test('more rows and events than there was room for: nothing gets lost, nothing stays behind', async (t) => {
  const columns = new NumberColumns(1000);
  for (let round = 0; round < 2; round++) {
    for (let row = 0; row < 3000; row++) {
      for (let value = 1; value <= 20; value++) put(columns, row, value * 10 * (value % 2 ? 1 : -1), 1);
    }
    t.equal(columns.events, 60_000);
    let rows = 0;
    let right = 0;
    columns.drain((_row, gathered) => {
      const { events } = gathered;
      const numbers = gathered.histogram();
      rows++;
      if (events === 20 && numbers.count === 20 && numbers.min === -200 && numbers.max === 190) {
        if (numbers.buckets().every(([, , count]) => count === 1) && numbers.buckets().length === 20) right++;
      }
    });
    t.equal(rows, 3000);
    t.equal(right, 3000);
  }
});

t.test('pages grow in both directions, stay over drains, and are given up when they crowd', async (t) => {
  for (const maxCounts of [2 ** 13, 2 ** 20]) {
    const columns = new NumberColumns(maxCounts);
    for (let round = 0; round < 4; round++) {
      const expected = Array.from({ length: 10 }, () => new Histogram());
      for (let event = 0; event < 4000; event++) {
        const row = event % expected.length;
        // Ever wider around 100 over six octaves, and now and then far outside, zero, or below it.
        const value = 100 * 2 ** (((event * 7919) % 601) / 100 - 3) + (event % 97 === 0 ? 1e9 : 0);
        const signed = event % 101 === 0 ? -value : event % 103 === 0 ? 0 : Math.round(value * 8) / 8;
        put(columns, row, signed, 1);
        expected[row]!.add(signed);
      }
      const wrong: number[] = [];
      columns.drain((row, gathered) => {
        const numbers = gathered.histogram();
        numbers.total = expected[row]!.total;
        if (encoded(numbers) !== encoded(expected[row]!)) wrong.push(row);
      });
      t.same(wrong, [], `round ${round}`);
    }
  }
});

t.test('counts that exceed their place on a page, one by one and by weight', async (t) => {
  const columns = new NumberColumns();
  for (let round = 0; round < 2; round++) {
    const expected = new Histogram();
    const add = (value: number, weight: number) => {
      put(columns, 0, value, weight);
      expected.add(value, weight);
    };
    for (let event = 0; event < 5000; event++) add(1 + (event % 3), 1);
    for (const weight of [255, 256, 257, 1e6, 0.5, 1, 254]) add(9, weight);
    let found = '';
    columns.drain((_row, gathered) => {
      found = encoded(gathered.histogram());
    });
    t.equal(found, encoded(expected));
  }
});

for (const type of ['CounterGroup', 'PercentileGroup', 'PercentileCounter', 'TotalsCounter']) {
  t.test(`${type}: gathered numbers make the State, and the bytes, of their events`, async (t) => {
    const handler = builtinHandlers().get(type)!;
    fc.assert(
      fc.property(
        fc.array(event(exactNumbers), { minLength: 1, maxLength: 30 }),
        fc.nat(3),
        (events, late) => {
          const columns = new NumberColumns();
          const meta = { timestampSec: epochSec + late / 4, sequence: 0 };
          const expected = handler.newState();
          for (const { value, weight } of events) {
            put(columns, 3, value, weight);
            handler.fold(expected, value, { ...meta, weight });
          }
          const gathered = handler.newState();
          const out = new ByteWriter();
          columns.drain((_row, numbers) => {
            handler.encodeGathered!(numbers, meta.timestampSec, out);
            foldGathered(handler, gathered, numbers, meta);
          });
          const bytes = bytesOf(handler, expected);
          return bytesOf(handler, gathered) === bytes && Buffer.from(out.peek()).toString('hex') === bytes;
        },
      ),
    );
    const empty = handler.newState();
    handler.foldGathered!(empty, new Histogram(), { timestampSec: epochSec, sequence: 0 });
    t.equal(bytesOf(handler, empty), bytesOf(handler, handler.newState()), 'no numbers, no change');
  });
}

/** Seconds go by between events: `gap` of them before each. */
const laterEvent = fc.record({
  value: exactNumbers.map((value) => value + 0),
  gap: fc.constantFrom(0, 0, 0, 1, 1, 3),
});

for (const type of ['CounterGroup', 'PercentileGroup', 'PercentileCounter', 'TotalsCounter']) {
  t.test(
    `${type}: numbers gathered over several seconds make the State, and the bytes, of their events`,
    async (t) => {
      const handler = builtinHandlers().get(type)!;
      const period = handler.gatherPeriodSec!;
      t.ok(period > 0);
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(3), laterEvent), { minLength: 1, maxLength: 40 }), (events) => {
          const columns = new NumberColumns(200);
          const beginSec = Math.ceil(epochSec / 900) * 900;
          let second = beginSec;
          const expected = new Map<number, unknown>();
          for (const [row, { value, gap }] of events) {
            const next = Math.min(second + gap, beginSec + period - 1);
            if (next > second && columns.events > 0) columns.close(second);
            second = next;
            put(columns, row, value, 1);
            const state = expected.get(row) ?? handler.newState();
            expected.set(row, state);
            handler.fold(state, value, { timestampSec: second, sequence: 0 });
          }
          columns.close(second);
          let same = true;
          columns.drain((row, numbers) => {
            const { seconds, length } = numbers.bySecond;
            const timestampSec = seconds[length - 1]!;
            const out = new ByteWriter();
            handler.encodeGathered!(numbers, timestampSec, out);
            const folded = handler.newState();
            foldGathered(handler, folded, numbers, { timestampSec, sequence: 0 });
            const bytes = bytesOf(handler, expected.get(row));
            same &&= Buffer.from(out.peek()).toString('hex') === bytes && bytesOf(handler, folded) === bytes;
            expected.delete(row);
          });
          return same && expected.size === 0 && columns.closedSeconds === 0;
        }),
      );
    },
  );
}

t.test('rows may be emptied one by one; what is left goes on, its seconds as well', async (t) => {
  const columns = new NumberColumns();
  for (const row of [0, 1, 2]) columns.add(row, 5, 1);
  columns.close(100);
  for (const row of [1, 2, 3]) columns.add(row, 7, 1);
  t.equal(columns.show(0).total, 5);
  columns.empty(0);
  columns.empty(3);
  columns.settle();
  t.same(
    [columns.has(0), columns.has(1), columns.has(3), columns.events, columns.touched],
    [false, true, false, 4, 2],
  );
  columns.add(0, 9, 1);
  columns.close(101);
  const rows: unknown[] = [];
  columns.drain((row, { bySecond: { seconds, counts, totals, length } }) => {
    rows.push([row, seconds.slice(0, length), counts.slice(0, length), totals.slice(0, length)]);
  });
  t.strictSame(rows, [
    [1, [100, 101], [1, 1], [5, 7]],
    [2, [100, 101], [1, 1], [5, 7]],
    [0, [101], [1], [9]],
  ]);
  t.same([columns.events, columns.touched, columns.closedSeconds], [0, 0, 0]);
});

t.test('many rows over many seconds', async (t) => {
  const columns = new NumberColumns();
  const rows = 3000;
  for (let second = 0; second < 5; second++) {
    for (let row = second; row < rows; row++) columns.add(row, row + second, 1);
    columns.close(second);
  }
  let wrong = 0;
  columns.drain((row, { bySecond: { seconds, totals, length }, total }) => {
    const due = Math.min(row, 4) + 1;
    const sum = totals.slice(0, length).reduce((a, b) => a + b, 0);
    if (
      length !== due ||
      seconds[length - 1] !== due - 1 ||
      sum !== total ||
      total !== row * due + (due * (due - 1)) / 2
    )
      wrong++;
  });
  t.equal(wrong, 0);
});
