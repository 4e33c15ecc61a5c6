import fc from 'fast-check';
import t from 'tap';
import {
  KeyLists,
  keyOfEntry,
  keysPerList,
  listEntry,
  sortEntries,
  weightOfEntry,
} from '../../../src/core/gather/key-lists.js';
import { bucketKey } from '../../../src/core/sketch/scale.js';

t.test('an entry has its key and its weight, up to the largest of both', async (t) => {
  for (const value of [Number.MAX_VALUE, 1, 5e-324, 0, -5e-324, -1, -Number.MAX_VALUE]) {
    for (const weight of [1, 128, 255]) {
      const entry = listEntry(bucketKey(value), weight);
      t.same([keyOfEntry(entry), weightOfEntry(entry)], [bucketKey(value), weight]);
      // In an Int32Array, which is where they are.
      t.equal(Int32Array.of(entry)[0], entry);
    }
  }
});

t.test('lists are sorted by key, and leave what is beside them alone', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: keysPerList }), (keys) => {
      const entries = Int32Array.of(7, ...keys.map((key) => listEntry(key, 1)), -7);
      sortEntries(entries, 1, keys.length);
      const sorted = [...keys].sort((a, b) => a - b);
      return [...entries].join() === [7, ...sorted.map((key) => listEntry(key, 1)), -7].join();
    }),
  );
});

t.test('a list that was given back is the next one, and all begin anew after a clearing', async (t) => {
  const lists = new KeyLists();
  const starts = Array.from({ length: 100 }, () => lists.make());
  t.same(
    starts,
    starts.map((_, index) => index * keysPerList),
  );
  lists.entries[starts[99]!] = 5;
  lists.giveBack(starts[42]!);
  t.equal(lists.make(), starts[42]);
  t.equal(lists.make(), 100 * keysPerList);
  t.equal(lists.entries[starts[99]!], 5, 'what has grown keeps its entries');
  lists.clear();
  t.equal(lists.make(), 0);
});
