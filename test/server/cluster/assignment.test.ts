import fc from 'fast-check';
import t from 'tap';
import type { MemberId } from '../../../src/core/ids.js';
import { assign, type Candidate } from '../../../src/server/cluster/assignment.js';

type Owners = readonly (MemberId | undefined)[];

const candidate = (name: string, weight = 1): Candidate => ({ id: name as MemberId, weight });
const none = (count: number): Owners => new Array<undefined>(count).fill(undefined);

function counts(owners: Owners): Record<string, number> {
  const found: Record<string, number> = {};
  for (const owner of owners) found[owner ?? 'nobody'] = (found[owner ?? 'nobody'] ?? 0) + 1;
  return found;
}

function moved(before: Owners, after: Owners): number {
  return after.filter((owner, bucket) => owner !== before[bucket]).length;
}

t.test('two share alike, a third takes a third and nothing else moves', async (t) => {
  const two = assign(none(1000), [candidate('a'), candidate('b')]);
  t.strictSame(counts(two), { a: 500, b: 500 });
  const three = assign(two, [candidate('a'), candidate('b'), candidate('c')]);
  t.equal(moved(two, three), 333);
  t.strictSame(Object.values(counts(three)).sort(), [333, 333, 334]);
  t.ok(three.every((owner, bucket) => owner === two[bucket] || owner === 'c'));
  t.strictSame(assign(three, [candidate('a'), candidate('b'), candidate('c')]), three, 'it is at rest');
});

t.test('who goes leaves its buckets and no others', async (t) => {
  const three = assign(none(1000), [candidate('a'), candidate('b'), candidate('c')]);
  const two = assign(three, [candidate('a'), candidate('c')]);
  t.ok(two.every((owner, bucket) => three[bucket] === 'b' || owner === three[bucket]));
  t.strictSame(counts(two), { a: 500, c: 500 });
});

t.test('weights are shares; nobody with weight 0, and with nobody all stays', async (t) => {
  t.strictSame(counts(assign(none(100), [candidate('a', 3), candidate('b', 1), candidate('c', 0)])), {
    a: 75,
    b: 25,
  });
  const before = ['a' as MemberId, undefined];
  t.strictSame(assign(before, []), before);
  t.strictSame(assign(before, [candidate('x', 0)]), before);
});

t.test('over any coming and going: everybody has the share, and no more moves than that takes', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const someone = fc.record({ id: fc.constantFrom(...names), weight: fc.constantFrom(0.5, 1, 1, 2, 7.5) });
  const crowds = fc.array(
    fc.uniqueArray(someone, { selector: ({ id }) => id, minLength: 1, maxLength: names.length }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), crowds, (bucketCount, rounds) => {
      let owners = none(bucketCount);
      for (const crowd of rounds) {
        const candidates = crowd.map(({ id, weight }) => candidate(id, weight));
        const next = assign(owners, candidates);
        const total = crowd.reduce((sum, { weight }) => sum + weight, 0);
        const has = counts(next);
        for (const { id, weight } of crowd) {
          const exact = (bucketCount * weight) / total;
          const count = has[id] ?? 0;
          if (count < Math.floor(exact) || count > Math.ceil(exact)) return false;
        }
        if (next.some((owner) => !crowd.some(({ id }) => id === owner))) return false;
        // What somebody had beyond the share, and what belonged to nobody there, has to move; nothing else may.
        const before = counts(owners);
        const kept = crowd.reduce((sum, { id }) => sum + Math.min(before[id] ?? 0, has[id] ?? 0), 0);
        if (moved(owners, next) !== bucketCount - kept) return false;
        owners = next;
      }
      return true;
    }),
    { seed: 7, numRuns: 500 },
  );
});
