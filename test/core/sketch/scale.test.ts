import fc from 'fast-check';
import t from 'tap';
import { bucketIndex, finestScale, lowerBoundary } from '../../../src/core/sketch/scale.js';

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

/** The double next to `value`, `steps` further up. */
function step(value: number, steps: number): number {
  double[0] = value;
  bits[0]! += BigInt(steps);
  return double[0]!;
}

/** The integer part of the square root. */
function root(square: bigint): bigint {
  let guess = 1n << BigInt((square.toString(2).length + 1) >> 1);
  for (;;) {
    const better = (guess + square / guess) >> 1n;
    if (better >= guess) return guess;
    guess = better;
  }
}

t.test('boundaries are the nearest doubles to 2^(k/128)', async (t) => {
  for (let k = 0; k < 128; k++) {
    // 2^(k/128) * 2^80, exactly rounded down: seven square roots of 2^(k + 80 * 128).
    let scaled = 1n << BigInt(k + 80 * 128);
    for (let halving = 0; halving < 7; halving++) scaled = root(scaled);
    const boundary = BigInt(lowerBoundary(k, finestScale) * 2 ** 52) << 28n;
    const off = boundary > scaled ? boundary - scaled : scaled - boundary;
    if (off > 1n << 27n) t.fail(`2^(${k}/128) is off by ${off} / 2^80`);
  }
  t.equal(lowerBoundary(128, finestScale), 2);
});

t.test('a boundary belongs to the bucket that it ends, its neighbour above to the next', async (t) => {
  const indices = [
    -137_000,
    -131_072 - 1000,
    -130_944,
    -130_817,
    -128,
    -127,
    -1,
    0,
    1,
    63,
    64,
    127,
    128,
    131_071,
  ];
  for (const index of indices) {
    const boundary = lowerBoundary(index, finestScale);
    if (boundary * 2 ** 60 < 2 ** -900) continue; // several boundaries share one subnormal number
    t.same(
      [bucketIndex(boundary), bucketIndex(step(boundary, 1)), bucketIndex(step(boundary, -1))],
      [index - 1, index, index - 1],
      `boundary ${index}`,
    );
  }
});

t.test('powers of two end their buckets, subnormal ones included', async (t) => {
  for (let exponent = -1074; exponent < 1024; exponent++) {
    const index = bucketIndex(2 ** exponent);
    if (index !== exponent * 128 - 1) t.equal(index, exponent * 128 - 1, `2^${exponent}`);
  }
  t.equal(bucketIndex(Number.MIN_VALUE), -1074 * 128 - 1);
  t.equal(bucketIndex(Number.MAX_VALUE), 1023 * 128 + 127);
  t.equal(bucketIndex(1), -1);
  t.equal(bucketIndex(1 + Number.EPSILON), 0);
});

t.test('every value lies above the lower boundary of its bucket and not above the upper', async () => {
  fc.assert(
    fc.property(
      fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 1, max: finestScale }),
      (value, scale) => {
        const index = bucketIndex(value) >> (finestScale - scale);
        const lower = lowerBoundary(index, scale);
        // Among the subnormal numbers a boundary may have to be rounded up to the value itself.
        const above = value < 2 ** -1022 ? lower <= value : lower < value;
        return above && value <= lowerBoundary(index + 1, scale);
      },
    ),
    {
      numRuns: 2000,
      examples: [
        [Number.MAX_VALUE, 7],
        [1.5, 1],
        [2 ** -1022, 7],
      ],
    },
  );
});

t.test('boundaries outside of the doubles are 0 and Infinity', async (t) => {
  for (const octave of [-1076, -1122, -1123, -2048, -3071, -(2 ** 24), -(2 ** 31)]) {
    t.equal(lowerBoundary(octave, 0), 0, `2^${octave}`);
  }
  t.equal(lowerBoundary(-1, -11), 0, 'the lower end of all that is not above 1');
  t.equal(lowerBoundary(-1074, 0), Number.MIN_VALUE);
  t.equal(lowerBoundary(1024, 0), Number.POSITIVE_INFINITY);
  t.equal(lowerBoundary(2 ** 31, 0), Number.POSITIVE_INFINITY);
});
