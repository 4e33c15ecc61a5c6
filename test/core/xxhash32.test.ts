import t from 'tap';
import { xxHash32 } from '../../src/core/xxhash32.js';

const textEncoder = new TextEncoder();

t.test('the verification of SMHasher: every length from 0 to 255, every seed from 1 to 256', async (t) => {
  const hashes = new Uint8Array(256 * 4);
  const view = new DataView(hashes.buffer);
  for (let length = 0; length < 256; length++) {
    const key = Uint8Array.from({ length }, (_, at) => at);
    view.setUint32(length * 4, xxHash32(key, 256 - length), true);
  }
  t.equal(xxHash32(hashes, 0), 0xba88b743);
});

t.test('known values', async (t) => {
  const hashes = ['', 'a', 'abc', 'winning_bid_price'].map((text) => xxHash32(textEncoder.encode(text)));
  t.same(hashes.slice(0, 3), [0x02cc5d05, 0x550d7456, 0x32d153ff]);
  t.ok(hashes.every((hash) => Number.isInteger(hash) && hash >= 0));
});
