import t from 'tap';
import { type BucketMap, mapMismatch } from '../../../src/agent/forward/map-check.js';
import type { Block } from '../../../src/core/block.js';
import type { Hello } from '../../../src/wire/frame.js';
import { blockOf, partsOf } from '../spool/kit.js';

const hello: Hello = {
  kind: 'hello',
  versions: [2],
  role: 'server',
  id: 'f'.repeat(32),
  name: 'server',
  bucketCount: 1000,
  hash: 'xxh32',
  generation: 1,
  maxFrameBytes: 2 ** 20,
  maxInFlight: 4,
  nowMs: 0,
};
const fresh: BucketMap = {
  bucketCount: undefined,
  generation: undefined,
  restored: [],
  restoredBucketCount: 0,
};
const large: Block = { ...blockOf(partsOf('x'), 1), payload: new Uint8Array(2 ** 20) };

t.test('what fits', async (t) => {
  t.equal(mapMismatch(fresh, hello), undefined);
  t.equal(mapMismatch({ ...fresh, bucketCount: 1000, generation: 1 }, hello), undefined);
  t.equal(
    mapMismatch({ ...fresh, restored: [blockOf(partsOf('x'), 1)], restoredBucketCount: 1000 }, hello),
    undefined,
  );
  t.equal(
    mapMismatch({ ...fresh, restoredBucketCount: 8 }, hello),
    undefined,
    'without numbered Blocks, Parts are split anew',
  );
});

t.test('what does not, and why', async (t) => {
  const { bucketCount: _, ...silent } = hello;
  t.match(mapMismatch(fresh, { ...hello, hash: 'md5' as never }), /md5/);
  t.match(mapMismatch(fresh, silent), /how many buckets/);
  t.match(mapMismatch(fresh, { ...hello, bucketCount: 0 }), /how many buckets/);
  t.match(mapMismatch({ ...fresh, bucketCount: 8 }, hello), /has 1000 buckets; this agent has 8/);
  t.match(mapMismatch({ ...fresh, generation: 2 }, hello), /generation 1/);
  const restored = { ...fresh, restored: [blockOf(partsOf('x'), 1)], restoredBucketCount: 8 };
  t.match(mapMismatch(restored, hello), /numbered Blocks of 8/);
  t.match(
    mapMismatch({ ...fresh, restored: [large], restoredBucketCount: 1000 }, hello),
    /frames of 1048576 bytes/,
  );
});
