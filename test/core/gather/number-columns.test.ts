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

/** As a receiver of single events does it: the short way first. */
function put(columns: NumberColumns, row: number, value: number, weight: number): void {
  if (weight !== 1 || !columns.addMore(row, value)) columns.add(row, value, weight);
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
          for (const { row, value, weight } of events) {
            put(columns, row, value, weight);
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
        atOnce.addAll(row, within, 1, within.length - 1);
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
