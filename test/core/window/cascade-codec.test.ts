import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import { counterLayout, keptCells } from '../../../src/core/window/layout.js';
import { decodeNumberCascade } from '../../../src/core/window/number-cascade.js';

/** A cascade whose finest ring has one run of cells that hold 1 and 1, after `gap` empty ones. */
function encoded(gap: number, length: number, count = 1): ByteReader {
  const out = new ByteWriter();
  out.u8(1);
  out.signedVarint(1_000_000);
  out.varint(1);
  out.varint(gap);
  out.varint(length);
  for (let cell = 0; cell < length; cell++) {
    out.count(count);
    out.number(1);
  }
  for (let ring = 1; ring < counterLayout.length; ring++) out.varint(0);
  return new ByteReader(out.finish());
}

const kept = keptCells(counterLayout[0]);

t.test('cells come back where they were', async (t) => {
  const [ring] = decodeNumberCascade(counterLayout, encoded(kept - 2, 2)).rings;
  t.same([ring!.first, ring!.size, ring!.weightOf(1_000_000)], [999_999, 2, 1], 'the last one is the newest');
});

t.test('a cell that no ring can have is corrupt', async (t) => {
  t.throws(() => decodeNumberCascade(counterLayout, encoded(kept - 1, 2)), {
    code: 'corrupt',
    message: /beyond its ring/,
  });
  t.throws(() => decodeNumberCascade(counterLayout, encoded(2 ** 40, 1)), {
    code: 'corrupt',
    message: /beyond its ring/,
  });
  t.throws(() => decodeNumberCascade(counterLayout, encoded(0, 1, 0)), {
    code: 'corrupt',
    message: /holds nothing/,
  });
  t.throws(() => decodeNumberCascade(counterLayout, new ByteReader(Uint8Array.of(2))), { code: 'corrupt' });
});
