import t from 'tap';
import { EncodedState } from '../../../src/core/handlers/encoded-state.js';

t.test('copies stay what they were, however many there are and how large', async (t) => {
  const lengths = [0, 1, 7, 300, 2047, 2048, 2049, 8192, 100_000];
  const copies = Array.from({ length: 500 }, (_, index) => {
    const length = lengths[index % lengths.length]!;
    const original = new Uint8Array(length).fill(index);
    const copy = EncodedState.copyOf(original);
    original.fill(255);
    return { copy, length, index };
  });
  const wrong = copies.filter(({ copy, length, index }) => {
    const bytes = copy.bytes.subarray(copy.start, copy.end);
    return bytes.length !== length || bytes.some((byte) => byte !== index % 256);
  });
  t.same(wrong, []);
  const held = copies.every(({ copy, length }) => copy.bytes.length <= Math.max(8192, length));
  t.ok(held, 'a copy keeps no more than a piece');
});
