import t from 'tap';
import type { BucketIndex, MemberId } from '../../../src/core/ids.js';
import { Holders } from '../../../src/server/cluster/holders.js';

const [a, b, c] = ['a', 'b', 'c'] as MemberId[] as [MemberId, MemberId, MemberId];
const bucket = 0 as BucketIndex;
const all = new Set([a, b, c]);

t.test('a predecessor is believed to hold the bucket until it says otherwise', async (t) => {
  const holders = new Holders(1);
  t.equal(holders.holderOf(bucket), undefined);
  holders.learn({ owners: [a] }, all);
  t.equal(holders.holderOf(bucket), a);
  holders.learn({ owners: [b] }, all);
  t.equal(holders.ownerOf(bucket), b);
  t.equal(holders.predecessorOf(bucket), a);
  t.equal(holders.holderOf(bucket), a);
  holders.notHeldBy(bucket, a);
  t.equal(holders.holderOf(bucket), b);
  holders.notHeldBy(bucket, b);
  t.equal(holders.holderOf(bucket), a, 'it may not have taken it yet');
  holders.heldBy(bucket, b);
  t.equal(holders.holderOf(bucket), b);
  t.equal(holders.predecessorOf(bucket), undefined);
  holders.notHeldBy(bucket, b);
  t.equal(holders.holderOf(bucket), b, 'there is nobody else');
});

t.test('who is dead holds nothing', async (t) => {
  const holders = new Holders(1);
  holders.learn({ owners: [a] }, all);
  holders.learn({ owners: [b] }, new Set([b, c]));
  t.equal(holders.holderOf(bucket), b);
  t.equal(holders.predecessorOf(bucket), undefined);
});

t.test('an assignment that comes before the last one was carried out', async (t) => {
  const holders = new Holders(1);
  holders.learn({ owners: [a] }, all);
  holders.learn({ owners: [b] }, all);
  holders.learn({ owners: [c] }, all);
  t.equal(holders.holderOf(bucket), a, 'b never had it');
  t.equal(holders.predecessorOf(bucket), a);
  holders.learn({ owners: [a] }, all);
  t.equal(holders.holderOf(bucket), a);
  t.equal(holders.predecessorOf(bucket), undefined);
});

t.test('what is said about somebody who is not believed to hold it changes nothing', async (t) => {
  const holders = new Holders(1);
  holders.learn({ owners: [a] }, all);
  holders.notHeldBy(bucket, b);
  t.equal(holders.holderOf(bucket), a);
});
