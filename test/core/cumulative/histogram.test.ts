import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import {
  atScale,
  type CumulativeHistogram,
  coarseOf,
  decodeHistogram,
  type ExponentialHistogram,
  encodeHistogram,
  histogramSince,
} from '../../../src/core/cumulative/histogram.js';
import { Histogram } from '../../../src/core/sketch/histogram.js';
import { bucketIndex, finestScale } from '../../../src/core/sketch/scale.js';

/** An exponential histogram of positive values, as a sender at `scale` would have it. */
function exponentialOf(values: readonly number[], scale: number): ExponentialHistogram {
  const indices = values.map((value) => bucketIndex(value) >> (finestScale - scale));
  const offset = Math.min(...indices, 0);
  const counts: number[] = new Array(Math.max(...indices, 0) - offset + 1).fill(0);
  for (const index of indices) counts[index - offset]!++;
  return {
    kind: 'exponential',
    scale,
    zeros: 0,
    zeroThreshold: 0,
    positive: { offset, counts },
    negative: { offset: 0, counts: [] },
    total: values.reduce((sum, value) => sum + value, 0),
  };
}

function sketchOf(histogram: CumulativeHistogram): Histogram {
  const sketch = new Histogram();
  sketch.addCoarse(coarseOf(histogram));
  return sketch;
}

const value = fc.double({ min: 1e-3, max: 1e6, noNaN: true });

t.test('an exponential histogram as fine as ours loses nothing', async () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), (values) => {
      const sketch = sketchOf(exponentialOf(values, finestScale));
      const direct = new Histogram();
      for (const one of values) direct.add(one);
      return (
        sketch.coarseCount === 0 &&
        JSON.stringify(sketch.buckets()) === JSON.stringify(direct.buckets()) &&
        sketch.count === values.length
      );
    }),
  );
});

t.test(
  'what came between two histograms is what was recorded between them, though the later one is coarser',
  async () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 30 }),
        fc.array(value, { maxLength: 30 }),
        fc.integer({ min: 0, max: 7 }),
        fc.integer({ min: 0, max: 7 }),
        (before, after, one, other) => {
          const [fine, coarse] = [Math.max(one, other), Math.min(one, other)];
          const earlier = exponentialOf(before, fine);
          const since = histogramSince(exponentialOf([...before, ...after], coarse), earlier)!;
          const expected = exponentialOf(after, coarse);
          return (
            JSON.stringify(sketchOf(since).buckets()) === JSON.stringify(sketchOf(expected).buckets()) &&
            Math.abs(since.total! - expected.total!) <= 1e-6 * (1 + expected.total!)
          );
        },
      ),
    );
  },
);

t.test('explicit bounds', async (t) => {
  const bounds = [1, 10];
  const histogram = (counts: readonly number[], total: number): CumulativeHistogram => ({
    ...{ kind: 'explicit', bounds, counts, total },
  });
  t.strictSame(histogramSince(histogram([3, 2, 1], 20), histogram([1, 2, 0], 7)), histogram([2, 0, 1], 13));
  t.equal(
    histogramSince(histogram([3, 2, 1], 20), histogram([4, 0, 0], 3)),
    undefined,
    'a bucket lost something',
  );
  const others = { ...histogram([0, 0, 0], 0), bounds: [1, 20] } as CumulativeHistogram;
  t.equal(histogramSince(histogram([3, 2, 1], 20), others), undefined, 'other bounds');
  t.equal(histogramSince(exponentialOf([1], 3), others), undefined, 'another kind');
  t.strictSame(coarseOf(histogram([3, 2, 1], 20)).ranges, [
    { low: -Infinity, high: 1, count: 3 },
    { low: 1, high: 10, count: 2 },
    { low: 10, high: Infinity, count: 1 },
  ]);
});

t.test('a zero threshold that has grown takes in the buckets below it', async (t) => {
  const earlier = exponentialOf([0.5, 0.5, 8], 0);
  const later = { ...exponentialOf([8, 8], 0), zeros: 3, zeroThreshold: 1, total: 17.5 };
  const since = histogramSince(later, earlier) as ExponentialHistogram;
  t.equal(since.zeros, 1);
  t.equal(sketchOf(since).count, 2);
});

t.test('a scale beyond all', async (t) => {
  const wide = atScale({ ...exponentialOf([1.5, 3, 1e300], 0), scale: 40 }, 7);
  t.equal(sketchOf(wide).count, 3);
});

t.test('what is written is read, and a cut is corrupt', async (t) => {
  const histograms: CumulativeHistogram[] = [
    { kind: 'explicit', bounds: [-1.5, 2], counts: [0, 1e9, 3], total: undefined },
    {
      ...exponentialOf([1, 2, 700], 3),
      zeros: 4,
      zeroThreshold: 1e-9,
      negative: { offset: -3, counts: [1, 0, 2] },
    },
  ];
  for (const histogram of histograms) {
    const out = new ByteWriter();
    encodeHistogram(histogram, out);
    const bytes = out.finish();
    const read = (input: ByteReader): CumulativeHistogram => decodeHistogram(input, input.u8());
    t.strictSame(read(new ByteReader(bytes)), histogram);
    for (let length = 0; length < bytes.length; length++) {
      t.throws(() => read(new ByteReader(bytes.subarray(0, length))), { code: 'corrupt' });
    }
  }
});
