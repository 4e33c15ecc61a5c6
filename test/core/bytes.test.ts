import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../src/core/bytes.js';

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1);
  write(out);
  return out.finish();
}

const integers = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(
    0,
    63,
    64,
    127,
    128,
    16_383,
    16_384,
    2 ** 31,
    2 ** 32,
    2 ** 52 - 1,
    2 ** 52,
    Number.MAX_SAFE_INTEGER,
  ),
);
const doubles = fc.oneof(
  fc.double(),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((hundredths) => hundredths / 100),
  fc.constantFrom(
    0,
    -0,
    2 ** 50 - 1,
    2 ** 50,
    -(2 ** 50),
    5e-324,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0.1 + 0.2,
  ),
);

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(
      integers,
      doubles,
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
      (integer, number, text, bytes) => {
        const input = new ByteReader(
          written((out) => {
            out.u8(255);
            out.u32(0xfedcba98);
            out.f64(number);
            out.varint(integer);
            out.signedVarint(-Math.floor(integer / 4));
            out.count(integer);
            out.count(Math.abs(number));
            out.number(number);
            out.number(integer);
            out.string(text);
            out.bytes(bytes);
          }),
        );
        const same =
          input.u8() === 255 &&
          input.u32() === 0xfedcba98 &&
          Object.is(input.f64(), number) &&
          input.varint() === integer &&
          input.signedVarint() + Math.floor(integer / 4) === 0 &&
          input.count() === integer &&
          Object.is(input.count(), Math.abs(number)) &&
          Object.is(input.number(), number) &&
          input.number() === integer &&
          input.string() === text &&
          Buffer.compare(input.bytes(), bytes) === 0;
        input.end();
        return same;
      },
    ),
    { numRuns: 500 },
  );
});

t.test('common numbers are short', async (t) => {
  const lengthOf = (write: (out: ByteWriter) => void) => written(write).length;
  t.same(
    [0, 63, 64, 1_000_000, 2.5].map((count) => lengthOf((out) => out.count(count))),
    [1, 1, 2, 3, 9],
  );
  t.same(
    [0, 15, -16, 571.64, -0, 0.1 + 0.2].map((number) => lengthOf((out) => out.number(number))),
    [1, 1, 1, 3, 9, 9],
  );
});

const faults: Readonly<
  Record<string, { readonly bytes: number[]; readonly read: (input: ByteReader) => unknown }>
> = {
  'a varint that does not end': {
    bytes: [255, 255, 255, 255, 255, 255, 255, 255],
    read: (input) => input.varint(),
  },
  'a varint that is cut off': { bytes: [128], read: (input) => input.varint() },
  'a varint beyond 2^53 - 1': {
    bytes: [255, 255, 255, 255, 255, 255, 255, 127],
    read: (input) => input.varint(),
  },
  'a count of no kind': { bytes: [3, 0, 0, 0, 0, 0, 0, 0, 0], read: (input) => input.count() },
  'a number of no kind': { bytes: [3, 0, 0, 0, 0, 0, 0, 0, 0], read: (input) => input.number() },
  'a string longer than the rest': { bytes: [2, 65], read: (input) => input.string() },
  'a string that is not UTF-8': { bytes: [1, 255], read: (input) => input.string() },
  'bytes left over': { bytes: [1], read: (input) => input.end() },
};

for (const [name, { bytes, read }] of Object.entries(faults)) {
  t.test(`${name} is corrupt`, async (t) => {
    t.throws(() => read(new ByteReader(Uint8Array.from(bytes))), {
      code: 'corrupt',
      message: /^at byte \d+ of \d+: /,
    });
  });
}

t.test('what is no varint is not written', async (t) => {
  for (const wrong of [-1, 1.5, 2 ** 53, Number.NaN])
    t.throws(() => new ByteWriter().varint(wrong), RangeError);
});
