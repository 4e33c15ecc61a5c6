import fc from 'fast-check';
import { Packr, unpack } from 'msgpackr';
import t from 'tap';
import { type Packed, Packer } from '../../src/wire/packer.js';
import { hexOf } from './probe-handler.js';

const packer = new Packer();
const packr = new Packr({ useRecords: false });

const values: fc.Arbitrary<Packed> = fc.letrec<{ value: Packed }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.nat({ max: 2 ** 31 - 1 }),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value) || value >= 2 ** 32),
    fc.string({ maxLength: 600, unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 600 }),
    fc.array(tie('value'), { maxLength: 40 }),
  ),
})).value;

t.test('writes what msgpackr writes', async () => {
  fc.assert(
    fc.property(values, (value) => {
      const packed = hexOf(packer.pack(value));
      if (packed !== hexOf(packr.pack(value))) throw new Error(`${packed} of ${JSON.stringify(value)}`);
    }),
  );
});

t.test('at every width of a length and of a number', async (t) => {
  const widths = [0, 15, 16, 31, 32, 127, 128, 255, 256, 257, 65_535, 65_536];
  for (const width of widths) {
    for (const value of ['a'.repeat(width), 'é'.repeat(width), new Uint8Array(width), Array(width).fill(1)]) {
      t.equal(hexOf(packer.pack(value)), hexOf(packr.pack(value)), `${width}`);
    }
    t.equal(hexOf(packer.pack(width)), hexOf(packr.pack(width)));
  }
  for (const value of [2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 1.5, Number.MIN_VALUE]) {
    t.equal(hexOf(packer.pack(value)), hexOf(packr.pack(value)), `${value}`);
  }
  t.equal(unpack(packer.pack(-1)), -1);
});

t.test('what was packed stays as it is', async (t) => {
  const first = packer.pack(['first', new Uint8Array([1, 2, 3])]);
  const bytes = hexOf(first);
  packer.pack('a'.repeat(5 * 2 ** 20));
  packer.pack(['other', 7]);
  t.equal(hexOf(first), bytes);
});

t.test('a view is written as the bytes that it shows', async (t) => {
  const bytes = new Uint8Array([9, 1, 2, 3, 9]);
  for (const view of [bytes.subarray(1, 4), Buffer.from([1, 2, 3])])
    t.equal(hexOf(packer.pack(view)), 'c403010203');
});
