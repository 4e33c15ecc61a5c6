import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import { encodeFigures, noFigures } from '../../../src/core/sketch/figures-codec.js';
import { Histogram } from '../../../src/core/sketch/histogram.js';
import { sumHistograms } from '../../../src/core/sketch/histogram-sum.js';
import { anyNumbers } from '../handlers/state-kit.js';
import { encoded, histogramOf } from './histogram-kit.js';

/** @returns undefined where only decoding can do it */
function sumOf(...summands: readonly Uint8Array[]): Uint8Array | undefined {
  const out = new ByteWriter();
  const inputs = summands.map((bytes) => new ByteReader(bytes));
  if (!sumHistograms(inputs, out)) return undefined;
  for (const input of inputs) input.end();
  return out.finish();
}

/** One value in (1, 2^(1/2^scale)]. */
function coarse(scale: number): Uint8Array {
  const out = new ByteWriter();
  encodeFigures({ ...noFigures(), scale, count: 1, total: 1, min: 1, max: 1 }, out);
  for (const byte of [1, 0, 1, 2, 0]) out.u8(byte);
  return out.finish();
}

t.test('the sum of encoded histograms is what is encoded of them merged, empty ones among them', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyNumbers), { minLength: 1, maxLength: 5 }), (lists) => {
      const merged = new Histogram();
      for (const list of lists) merged.merge(histogramOf(list));
      const sum = sumOf(...lists.map((list) => encoded(histogramOf(list))));
      return sum !== undefined && Buffer.compare(sum, encoded(merged)) === 0;
    }),
  );
});

t.test('bins of another width are left to those who decode them', async (t) => {
  const fine = encoded(histogramOf([1.5]));
  t.equal(sumOf(fine, coarse(6)), undefined);
  t.same(sumOf(coarse(6), encoded(new Histogram())), coarse(6), 'but an empty histogram has none');
  t.equal(
    Histogram.decode(new ByteReader(sumOf(coarse(6), coarse(6))!)).count,
    2,
    'nor do they matter where all are alike',
  );
});

t.test('more bins than a sign may have are left to those who join them', async (t) => {
  const values = (from: number) => Array.from({ length: 5000 }, (_, at) => 2 ** ((from + 2 * at) / 128 - 30));
  const [even, odd] = [values(0.5), values(1.5)].map((list) => encoded(histogramOf(list)));
  t.equal(sumOf(even!, odd!), undefined);
  t.ok(sumOf(even!, even!));
});

t.test('what is cut off is corrupt', async (t) => {
  const whole = encoded(histogramOf([1, 2, 3]));
  for (let length = 1; length < whole.length; length++) {
    t.throws(() => sumOf(whole, whole.subarray(0, length)), { code: 'corrupt' }, `${length} bytes`);
  }
});
