import fc from 'fast-check';
import t from 'tap';
import { ByteReader } from '../../../src/core/bytes.js';
import { maxBinsPerSign } from '../../../src/core/sketch/bins.js';
import { Histogram } from '../../../src/core/sketch/histogram.js';
import { anyNumbers } from '../handlers/state-kit.js';
import { encoded, histogramOf } from './histogram-kit.js';

const ps = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

/** The percentiles of the values themselves, as the rule says it: index floor(p * n), at most n - 1. */
function trulyOf(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return ps.map((p) => sorted[Math.min(Math.floor(p * sorted.length), sorted.length - 1)]!);
}

t.test('what people see looks right', async (t) => {
  t.same(
    histogramOf([1, 1, 1, 1]).percentiles(ps),
    ps.map(() => 1),
    'a constant is exact',
  );
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
  t.same(histogramOf(hundred).percentiles(ps), [1, 26, 51, 76, 91, 96, 100, 100, 100], '1 to 100 are whole');
  t.same(histogramOf(hundred.map((v) => -v)).percentiles([0, 0.5, 1]), [-100, -50, -1]);
  t.same(histogramOf([0, -0, 0]).percentiles([0.5]), [0]);
  t.same(histogramOf([-1, 0, 1]).percentiles([0.25, 0.5, 0.75]), [-1, 0, 1]);
  t.same(new Histogram().percentiles(ps), [], 'an empty one has none');
});

t.test('any values: percentiles err by less than 0.55 % and stay within minimum and maximum', async () => {
  fc.assert(
    fc.property(fc.array(anyNumbers, { minLength: 1, maxLength: 60 }), (values) => {
      const answers = histogramOf(values).percentiles(ps);
      return trulyOf(values).every((truth, at) => {
        const answer = answers[at]!;
        // Next to the smallest double there is no finer answer than the double itself.
        const allowed = Math.max(Math.abs(truth) * 0.00545, Number.MIN_VALUE);
        return (
          Math.abs(answer - truth) <= allowed &&
          answer >= Math.min(...values) &&
          answer <= Math.max(...values)
        );
      });
    }),
    { numRuns: 500 },
  );
});

t.test('percentiles may be asked for in any order', async () => {
  const descending = [...ps].reverse();
  fc.assert(
    fc.property(fc.array(anyNumbers, { maxLength: 60 }), (values) => {
      const histogram = histogramOf(values);
      const ascending = histogram.percentiles(ps);
      const reversed = histogram.percentiles(descending).reverse();
      return reversed.length === ascending.length && reversed.every((one, at) => one === ascending[at]);
    }),
  );
});

t.test('any values: merged in any order the same buckets, and the encoding comes back', async () => {
  const parts = fc.array(fc.array(anyNumbers, { maxLength: 40 }), { maxLength: 5 });
  fc.assert(
    fc.property(parts, (lists) => {
      const merged = (order: readonly number[][]) => {
        const into = new Histogram();
        for (const list of order) into.merge(histogramOf(list));
        into.total = 0; // sums of doubles depend on the order within their rounding
        return into;
      };
      const one = merged(lists);
      const bytes = encoded(one);
      const copy = Histogram.decode(new ByteReader(bytes));
      const two = merged([...lists].reverse());
      const folded = histogramOf(lists.flat());
      folded.total = 0;
      return [two, folded, copy].every((other) => Buffer.compare(encoded(other), bytes) === 0);
    }),
  );
});

t.test(
  'scattered values that several histograms have in common are merged into the same buckets',
  async () => {
    // Far from each other, so that bins stay a list, and few, so that lists overlap.
    const values = fc.array(
      fc.integer({ min: -40, max: 60 }).map((at) => 1.7 ** at),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.array(values, { maxLength: 5 }), fc.boolean(), (lists, isCoarse) => {
        // A histogram of a coarser scale: more bins than there may be.
        const many = isCoarse ? Array.from({ length: maxBinsPerSign + 1 }, (_, at) => 1.0055 ** at) : [];
        const merged = histogramOf(many);
        for (const list of lists) merged.merge(histogramOf(list));
        const folded = histogramOf([...many, ...lists.flat()]);
        merged.total = 0;
        folded.total = 0;
        return Buffer.compare(encoded(merged), encoded(folded)) === 0;
      }),
    );
  },
);

t.test('ten values take tens of bytes', async (t) => {
  const values = [0.001, 0.002, 0.7, 3, 3, 12, 150, 9000, 1e6, 1e9];
  t.ok(encoded(histogramOf(values)).length < 100, `${encoded(histogramOf(values)).length} bytes`);
});

t.test('more buckets than allowed: neighbours merge, whatever the order', async (t) => {
  const base = 2 ** (1 / 128);
  const values = Array.from({ length: maxBinsPerSign + 1 }, (_, at) => base ** (at - 4000.5));
  const fits = histogramOf(values.slice(1));
  t.equal(fits.scale, 7);
  const all = histogramOf(values);
  t.equal(all.scale, 6);
  t.ok(all.buckets().length <= maxBinsPerSign / 2 + 1);
  t.equal(
    all.buckets().reduce((sum, [, , count]) => sum + count, 0),
    values.length,
    'nothing is lost',
  );
  const halves = histogramOf(values.filter((_, at) => at % 2 === 0).reverse());
  t.equal(halves.scale, 7, 'a part alone is fine');
  halves.merge(histogramOf(values.filter((_, at) => at % 2 === 1)));
  t.same(halves.buckets(), all.buckets());
  const coarseInto = histogramOf(values);
  coarseInto.merge(histogramOf([5, -5]));
  const coarseFrom = histogramOf([5, -5]);
  coarseFrom.merge(histogramOf(values));
  t.same(coarseFrom.buckets(), coarseInto.buckets(), 'scales meet in both directions');
  t.equal(coarseFrom.scale, 6);
  t.equal(all.errorBound, 2 ** (1 / 64) - 1);
});

t.test('weights: fractions count as such', async (t) => {
  const histogram = new Histogram();
  for (let at = 0; at < 10; at++) histogram.add(at < 5 ? 1 : 100, 2.5);
  t.equal(histogram.count, 25);
  t.equal(histogram.total, 505 * 2.5);
  t.same(histogram.percentiles([0.25, 0.75]), [1, 100]);
  t.same(encoded(Histogram.decode(new ByteReader(encoded(histogram)))), encoded(histogram));
});

t.test('totals beyond the doubles stay beyond them', async (t) => {
  const histogram = histogramOf([Number.MAX_VALUE, Number.MAX_VALUE, -1]);
  t.equal(histogram.total, Number.POSITIVE_INFINITY);
  t.same(histogram.percentiles([0, 0.99]), [-1, Number.MAX_VALUE]);
  t.equal(Histogram.decode(new ByteReader(encoded(histogram))).total, Number.POSITIVE_INFINITY);
});

t.test('coarse histograms are spread and never lower the scale', async (t) => {
  const histogram = histogramOf([1, 2, 3]);
  histogram.addCoarse({
    ranges: [
      { low: Number.NEGATIVE_INFINITY, high: 0, count: 0 },
      { low: 0, high: 10, count: 100 },
      { low: 10, high: 20, count: 50 },
      { low: 20, high: Number.POSITIVE_INFINITY, count: 1 },
    ],
    total: 1300,
    max: 25,
  });
  t.equal(histogram.scale, 7);
  t.equal(histogram.count, 154);
  t.equal(histogram.total, 1306);
  t.equal(histogram.coarseCount, 151);
  t.equal(histogram.coarseRatio, Number.POSITIVE_INFINITY, 'a range down to 0 has no bound');
  t.equal(
    histogram.buckets().reduce((sum, [, , count]) => sum + count, 0),
    154,
  );
  t.equal(histogram.max, 25);
  const [median, p90] = histogram.percentiles([0.5, 0.9]) as [number, number];
  t.ok(Math.abs(median - 7.5) < 0.5, `median ${median}`);
  t.ok(p90 > 16 && p90 < 19, `p90 ${p90}`);
});

t.test('a range that lies in one of our buckets is as good as values', async (t) => {
  const histogram = new Histogram();
  histogram.addRange(1, 2 ** (1 / 128), 7);
  histogram.addRange(2 ** (3 / 256), 2 ** (4 / 256), 5);
  t.equal(histogram.coarseCount, 0);
  t.same(
    histogram.buckets().map(([, , count]) => count),
    [7, 5],
  );
  histogram.addRange(1, 2, 10);
  t.equal(histogram.coarseCount, 10);
  t.equal(histogram.coarseRatio, 2);
});

t.test(
  'values of a range without an end are nowhere near for sure, unless the sender says where it ends',
  async (t) => {
    const of = (low: number, high: number, ends: { min?: number; max?: number } = {}) => {
      const histogram = new Histogram();
      histogram.addCoarse({ ranges: [{ low, high, count: 3 }], ...ends });
      const { coarseCount, coarseRatio } = histogram;
      return [...histogram.percentiles([0, 0.5, 1]), coarseCount, coarseRatio];
    };
    const endless = Number.POSITIVE_INFINITY;
    t.same(of(10, endless), [10, 10, 10, 3, endless], 'beyond the last bound');
    t.same(of(-endless, -10), [-10, -10, -10, 3, endless], 'below the first one');
    t.same(of(-endless, endless), [0, 0, 0, 3, endless], 'of a histogram without bounds');
    t.same(of(10, endless, { max: 10 }), [10, 10, 10, 0, 1]);
    t.same(of(-endless, endless, { min: 7, max: 7 }), [7, 7, 7, 0, 1]);
  },
);

t.test('ranges of any kind keep their count, and their values inside', async () => {
  const end = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(
      end,
      end,
      fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.01, max: 50, noNaN: true })),
      (one, two, count) => {
        const low = Math.min(one, two);
        const high = Math.max(one, two);
        const histogram = new Histogram();
        histogram.addRange(low, high, count);
        const placed = histogram.buckets().reduce((sum, [, , part]) => sum + part, 0);
        return (
          Math.abs(placed - count) < 1e-9 * count &&
          (!Number.isInteger(count) || placed === count) &&
          histogram.min >= low &&
          histogram.max <= high
        );
      },
    ),
  );
});

t.test('nonsense is corrupt', async (t) => {
  const good = encoded(histogramOf([1, 2, 3]));
  const scaled = good.slice();
  scaled[4] = 8;
  t.equal(good[4], 7, 'that is where the scale is');
  t.throws(() => Histogram.decode(new ByteReader(scaled)), { code: 'corrupt' });
});
