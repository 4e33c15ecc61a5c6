import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import { counterLayout } from '../../../src/core/window/layout.js';
import { encodeNumberCascade, newNumberCascade } from '../../../src/core/window/number-cascade.js';
import { NumberCellsSum } from '../../../src/core/window/number-cells-sum.js';
import { timestamps } from '../handlers/state-kit.js';

const sum = new NumberCellsSum(counterLayout);

/** Of events of 0.5 each at these seconds. */
function cascadeOf(seconds: readonly number[]): ReturnType<typeof newNumberCascade> {
  const cascade = newNumberCascade(counterLayout);
  for (const second of seconds) {
    const ring = cascade.ringFor(second);
    if (ring >= 0) cascade.writable(ring).add(cascade.indexOf(ring, second), 1, 0.5);
  }
  return cascade;
}

function encoded(cascade: ReturnType<typeof newNumberCascade>): Uint8Array {
  const out = new ByteWriter();
  encodeNumberCascade(cascade, out);
  return out.finish();
}

function sumOf(...summands: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter();
  const inputs = summands.map((bytes) => new ByteReader(bytes));
  sum.write(inputs, out);
  for (const input of inputs) input.end();
  return out.finish();
}

t.test('the sum of encoded cascades is what is encoded of them merged, whatever comes first', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(timestamps, { maxLength: 80, size: 'max' }), { minLength: 1, maxLength: 5 }),
      (lists) => {
        const merged = newNumberCascade(counterLayout);
        for (const list of lists) merged.merge(cascadeOf(list));
        const summands = lists.map((list) => encoded(cascadeOf(list)));
        const due = encoded(merged);
        return (
          Buffer.compare(sumOf(...summands), due) === 0 &&
          Buffer.compare(sumOf(...summands.reverse()), due) === 0
        );
      },
    ),
  );
});

t.test('a sum that failed leaves nothing behind for the next one', async (t) => {
  const whole = encoded(cascadeOf([1_000_000, 1_000_001, 999_900, 990_000, 900_000]));
  for (let length = 0; length < whole.length; length++) {
    t.throws(() => sumOf(whole, whole.subarray(0, length)), { code: 'corrupt' }, `${length} bytes`);
  }
  t.same(sumOf(whole), whole);
});
