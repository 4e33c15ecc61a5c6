import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import { Distinct, maxExactDistinct } from '../../../src/core/sketch/distinct.js';
import { murmur3, murmur3Words } from '../../../src/core/sketch/murmur3.js';

const textEncoder = new TextEncoder();
const hashOf = (text: string) => murmur3(textEncoder.encode(text));

function distinctOf(from: number, to: number): Distinct {
  const distinct = new Distinct();
  for (let at = from; at < to; at++) distinct.add(hashOf(`user-${at}`));
  return distinct;
}

function encoded(distinct: Distinct): Buffer {
  const out = new ByteWriter();
  distinct.encode(out);
  return Buffer.from(out.finish());
}

t.test('the hash is MurmurHash3_x86_128: the verification of its reference, SMHasher', async (t) => {
  const hashes = new Uint8Array(256 * 16);
  const write = (words: readonly number[], into: Uint8Array, at: number) => {
    const view = new DataView(into.buffer);
    for (const [index, word] of words.entries()) view.setUint32(at + index * 4, word, true);
  };
  for (let length = 0; length < 256; length++) {
    const key = Uint8Array.from({ length }, (_, at) => at);
    write(murmur3Words(key, 256 - length), hashes, length * 16);
  }
  t.equal(murmur3Words(hashes, 0)[0], 0xb3ece62a);
  t.same(hashOf(''), { high: 0, low: 0 });
  t.same(hashOf('I will not buy this record, it is scratched.'), { high: 0xa0a9683b, low: 0x25ac5e40 });
});

t.test('up to 256 values are exact, one more is estimated', async (t) => {
  const exact = distinctOf(0, maxExactDistinct);
  exact.merge(distinctOf(0, maxExactDistinct));
  t.same([exact.count(), exact.exact], [256, true]);
  exact.add(hashOf('one more'));
  t.equal(exact.exact, false);
  t.ok(Math.abs(exact.count() - 257) <= 257 * 0.064, `${exact.count()} for 257`);
});

t.test('estimates are within four standard errors, from hundreds to millions', async (t) => {
  const distinct = new Distinct();
  let next = 0;
  for (const size of [300, 1000, 3000, 10_000, 30_000, 100_000, 1_000_000]) {
    while (next < size) distinct.add(hashOf(`user-${next++}`));
    const error = distinct.count() / size - 1;
    t.ok(Math.abs(error) <= 4 * 0.0163, `${size}: ${(error * 100).toFixed(2)} % off`);
  }
});

t.test('merging does not depend on order or on who was exact', async (t) => {
  const ranges = [
    [0, 100],
    [50, 200],
    [150, 600],
    [500, 5000],
  ] as const;
  const merged = (order: typeof ranges | (readonly [number, number])[]) => {
    const into = new Distinct();
    for (const [from, to] of order) into.merge(distinctOf(from, to));
    return into;
  };
  const one = encoded(merged(ranges));
  t.same(encoded(merged([...ranges].reverse())), one);
  const folded = distinctOf(0, 5000);
  folded.events = merged(ranges).events;
  t.same(encoded(folded), one, 'as if all had come into one');
});

t.test('encodings of every size come back', async (t) => {
  for (const size of [0, 1, 256, 257, 1500, 1850, 2000, 20_000]) {
    const bytes = encoded(distinctOf(0, size));
    t.same(encoded(Distinct.decode(new ByteReader(bytes))), bytes, `${size} values, ${bytes.length} bytes`);
    t.ok(bytes.length <= 3100, `${bytes.length} bytes`);
  }
});

t.test('hashes out of order, and registers that cannot be, are corrupt', async (t) => {
  const bytes = encoded(distinctOf(0, 2));
  const swapped = Buffer.concat([bytes.subarray(0, 2), bytes.subarray(10, 18), bytes.subarray(2, 10)]);
  t.throws(() => Distinct.decode(new ByteReader(swapped)), { code: 'corrupt' });
  const estimated = encoded(distinctOf(0, 300));
  estimated[7] = 60;
  t.throws(() => Distinct.decode(new ByteReader(estimated)), { code: 'corrupt' });
});
