import t from 'tap';
import { bucketOf, RangeMap } from '../../src/core/buckets.js';
import type { BucketIndex, TabName } from '../../src/core/ids.js';

const bucket = (index: number) => index as BucketIndex;

t.test('a tab belongs to its bucket for ever', async (t) => {
  const golden = { bids_won: 1000, winning_bid_price: 1000, a: 7 };
  const buckets = Object.entries(golden).map(([name, count]) => bucketOf(name as TabName, count));
  t.same(buckets, [239, 16, 0x550d7456 % 7]);
});

t.test('ranges that cover every bucket once', async (t) => {
  const map = new RangeMap(
    [
      { name: 'shard2', first: 500, last: 998 },
      { name: 'shard1', first: 0, last: 499 },
      { name: 'shard3', first: 999, last: 999 },
    ],
    1000,
  );
  const names = [0, 499, 500, 998, 999].map((index) => map.nameOf(bucket(index)));
  t.same(names, ['shard1', 'shard1', 'shard2', 'shard2', 'shard3']);
  t.same(
    map.ranges.map(({ name }) => name),
    ['shard1', 'shard2', 'shard3'],
    'in order',
  );
  t.throws(() => map.nameOf(bucket(1000)), /bucket 1000 is not one of 0 to 999/);
  t.throws(() => map.nameOf(bucket(-1)), RangeError);
});

const faults = [
  { name: 'a gap at the start', ranges: [[1, 9]], message: 'shards: buckets 0 to 0 belong to no shard' },
  {
    name: 'a gap between',
    ranges: [
      [0, 3],
      [6, 9],
    ],
    message: 'shards: buckets 4 to 5 belong to no shard',
  },
  {
    name: 'a gap between the last two',
    ranges: [
      [0, 3],
      [4, 5],
      [7, 9],
    ],
    message: 'shards: buckets 6 to 6 belong to no shard',
  },
  {
    name: 'a gap at the end',
    ranges: [
      [0, 4],
      [5, 8],
    ],
    message: 'shards: buckets 9 to 9 belong to no shard',
  },
  { name: 'nothing at all', ranges: [], message: 'shards: buckets 0 to 9 belong to no shard' },
  {
    name: 'an overlap',
    ranges: [
      [0, 5],
      [4, 9],
    ],
    message: 'shards: buckets 4 to 5 belong to both s0 and s1',
  },
  {
    name: 'one within another',
    ranges: [
      [0, 9],
      [3, 4],
    ],
    message: 'shards: buckets 3 to 4 belong to both s0 and s1',
  },
  {
    name: 'twice the same',
    ranges: [
      [0, 9],
      [0, 9],
    ],
    message: 'shards: buckets 0 to 9 belong to both s0 and s1',
  },
  {
    name: 'beyond the last',
    ranges: [[0, 10]],
    message: 'shards: s0 has 0 to 10, but buckets go from 0 to 9',
  },
  { name: 'backwards', ranges: [[9, 0]], message: 'shards: s0 has 9 to 0, but buckets go from 0 to 9' },
  {
    name: 'a fraction',
    ranges: [
      [0, 4.5],
      [5, 9],
    ],
    message: 'shards: s0 has 0 to 4.5, but buckets go from 0 to 9',
  },
] as const;

for (const { name, ranges, message } of faults) {
  t.test(`${name} is an error that names it`, async (t) => {
    const rows = ranges.map(([first, last], at) => ({ name: `s${at}`, first, last }));
    t.throws(() => new RangeMap(rows, 10), { code: 'bad_setting', message });
  });
}
