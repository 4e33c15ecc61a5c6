import t from 'tap';
import { Sealer } from '../../../src/agent/forward/sealer.js';
import type { Block } from '../../../src/core/block.js';
import type { BucketIndex } from '../../../src/core/ids.js';
import type { PartMap } from '../../../src/core/parts.js';

/** Buckets with something to send, and a way to servers on which there is room for so many Blocks. */
function scene({ blockBytes = 100 } = {}) {
  const filled = new Set<BucketIndex>();
  const way = { room: 0, unsent: 0, sends: 0 };
  const sealed: BucketIndex[] = [];
  const sealer = new Sealer({
    producer: {
      *unnumbered() {
        for (const _ of filled) yield {} as PartMap;
      },
      readyBuckets: () => [...filled],
      seal(bucket) {
        filled.delete(bucket);
        return { bucket, payload: new Uint8Array(blockBytes) } as unknown as Block;
      },
    },
    routes: {
      ready: () => way.room > 0,
      sealed(bucket) {
        sealed.push(bucket);
        way.unsent++;
      },
    },
    send() {
      way.sends++;
      way.room -= way.unsent;
      way.unsent = 0;
    },
  });
  const fill = (count: number) => {
    for (let bucket = 0; bucket < count; bucket++) filled.add(bucket as BucketIndex);
  };
  return { sealer, way, sealed, fill };
}

t.test('seals everything while there is room', async (t) => {
  const { sealer, way, sealed, fill } = scene();
  fill(10);
  way.room = 10;
  sealer.seal(0);
  t.same([sealed.length, way.sends, sealer.hasMore, sealer.isBehind], [10, 1, false, false]);
});

t.test('what there is no room for is left to merge', async (t) => {
  const { sealer, way, sealed, fill } = scene({ blockBytes: 2 ** 20 });
  fill(10);
  way.room = 7;
  sealer.seal(0);
  t.same([sealed.length, sealer.hasMore], [7, true], 'room is looked at again after every MiB');
  t.notOk(sealer.isBehind, 'less than half is left');
  way.room = 3;
  sealer.seal(0);
  t.same([sealed.length, sealer.hasMore], [10, false]);
});

t.test('is behind from when more than half has to wait until three quarters are sent', async (t) => {
  const { sealer, way, fill } = scene({ blockBytes: 2 ** 20 });
  fill(100);
  way.room = 40;
  sealer.seal(0);
  t.ok(sealer.isBehind, '60 are left');
  way.room = 34;
  sealer.seal(0);
  t.ok(sealer.isBehind, '26 are left');
  way.room = 1;
  sealer.seal(0);
  t.notOk(sealer.isBehind, '25 are left');
  t.ok(sealer.hasMore);
  way.room = 25;
  sealer.seal(0);
  t.same([sealer.hasMore, sealer.isBehind], [false, false]);
});

t.test('says when servers will have caught up, by how fast they were', async (t) => {
  const { sealer, way, fill } = scene({ blockBytes: 2 ** 20 });
  fill(100);
  sealer.seal(1000);
  t.equal(sealer.pauseMs(1000), 250, 'nothing was sent yet');
  t.equal(sealer.pauseMs(1600), 600, 'nor for 600 ms');
  t.equal(sealer.pauseMs(9000), 2000);
  way.room = 10;
  sealer.seal(2000);
  t.equal(sealer.pauseMs(1700), 700, '10 in 700 ms, 90 are left: but these may be the first of many');
  way.room = 30;
  sealer.seal(2000);
  t.equal(sealer.pauseMs(1600), 600, '40 in 600 ms, 60 are left: 900 ms would be longer than it has lasted');
  way.room = 30;
  sealer.seal(2100);
  t.equal(sealer.pauseMs(2100), 472);
  way.room = 30;
  sealer.seal(2200);
  t.equal(sealer.pauseMs(2200), 0);
});

t.test('is not behind with nothing to send', async (t) => {
  const { sealer } = scene();
  sealer.seal(0);
  t.same([sealer.hasMore, sealer.isBehind], [false, false]);
});
