import t from 'tap';
import { Sealer } from '../../../src/agent/forward/sealer.js';
import type { Block } from '../../../src/core/block.js';
import type { BucketIndex } from '../../../src/core/ids.js';

/** Buckets with something to send, and a way to servers on which there is room for so many Blocks. */
function scene({ blockBytes = 2 ** 20, flushIntervalMs = 250 } = {}) {
  const filled = new Set<BucketIndex>();
  const way = { room: 0, unsent: 0, sends: 0, asked: 0, stuck: new Set<BucketIndex>() };
  const sealed: BucketIndex[] = [];
  const sealer = new Sealer({
    producer: {
      filledBuckets: filled,
      seal(bucket) {
        filled.delete(bucket);
        return { bucket, payload: new Uint8Array(blockBytes) } as unknown as Block;
      },
    },
    routes: {
      get hasRoom() {
        return way.room > 0;
      },
      ready(bucket) {
        way.asked++;
        return way.room > 0 && !way.stuck.has(bucket);
      },
      sealed(bucket) {
        sealed.push(bucket);
        way.unsent++;
      },
    },
    flushIntervalMs,
    send() {
      way.sends++;
      way.room -= way.unsent;
      way.unsent = 0;
    },
  });
  const fill = (count: number, from = 0) => {
    for (let bucket = from; bucket < from + count; bucket++) filled.add(bucket as BucketIndex);
  };
  /** Servers take so many. */
  const take = (count: number, nowMs: number) => {
    way.room = count;
    sealer.sealMore(nowMs);
    way.room = 0;
  };
  return { sealer, way, sealed, fill, take };
}

t.test('seals everything while there is room', async (t) => {
  const { sealer, way, sealed, fill } = scene({ blockBytes: 100 });
  fill(10);
  way.room = 10;
  sealer.seal(0);
  t.same([sealed.length, way.sends, sealer.hasMore], [10, 1, false]);
  t.equal(sealer.pauseMs(10_000), 0);
});

t.test('what there is no room for is left to merge', async (t) => {
  const { sealer, way, sealed, fill } = scene();
  fill(10);
  way.room = 7;
  sealer.seal(0);
  t.same([sealed.length, sealer.hasMore], [7, true], 'room is looked at again after every MiB');
  way.room = 3;
  sealer.sealMore(0);
  t.same([sealed.length, sealer.hasMore], [10, false]);
});

t.test('without room no bucket is looked at, and what is sealed already is sent', async (t) => {
  const { sealer, way, fill } = scene();
  fill(10);
  sealer.seal(0);
  sealer.sealMore(1);
  t.same([way.asked, way.sends, sealer.hasMore], [0, 2, true]);
});

t.test('is not behind for as long as servers take what came within a flush interval', async (t) => {
  const { sealer, fill, take } = scene();
  for (let at = 0; at < 5000; at += 250) {
    fill(100);
    sealer.seal(at);
    t.equal(sealer.pauseMs(at), 0);
    take(40, at + 100);
    t.equal(sealer.pauseMs(at + 100), 0);
    take(60, at + 240);
    t.equal(sealer.pauseMs(at + 240), 0);
  }
});

t.test('is behind from when over half have waited an interval until a quarter are left', async (t) => {
  const { sealer, fill, take } = scene();
  fill(100);
  sealer.seal(0);
  take(49, 100);
  t.equal(sealer.pauseMs(249), 0);
  t.equal(sealer.pauseMs(250), 250, '51 are left');
  take(25, 300);
  t.equal(sealer.pauseMs(300), 250, '26 are left');
  take(1, 310);
  t.equal(sealer.pauseMs(310), 0, '25 are left');
  t.ok(sealer.hasMore);
  take(25, 400);
  t.notOk(sealer.hasMore);
  t.equal(sealer.pauseMs(400), 0);
});

t.test('half of it left after an interval is not behind', async (t) => {
  const { sealer, fill, take } = scene();
  fill(100);
  sealer.seal(0);
  take(50, 100);
  t.equal(sealer.pauseMs(250), 0);
  t.equal(sealer.pauseMs(5000), 0);
});

t.test('what is left of a backlog does not count as another', async (t) => {
  const { sealer, fill, take, way } = scene();
  fill(1000);
  sealer.seal(0);
  t.equal(sealer.pauseMs(1000), 1000);
  take(927, 1000);
  t.equal(sealer.pauseMs(1000), 0, '73 are left');
  for (let at = 1250; at < 5000; at += 250) {
    sealer.seal(at);
    t.equal(sealer.pauseMs(at), 0, `${at} ms: nothing new has come`);
  }
  fill(927, 73);
  way.room = 0;
  sealer.seal(5000);
  t.equal(sealer.pauseMs(5249), 0);
  t.equal(sealer.pauseMs(5250), 250, 'but what comes later does');
});

t.test('a bucket that is stuck while all others go on makes nobody pause', async (t) => {
  const { sealer, fill, take, way } = scene();
  way.stuck.add(7 as BucketIndex);
  for (let at = 0; at < 10_000; at += 250) {
    fill(at % 1000 === 0 ? 100 : 8);
    sealer.seal(at);
    take(100, at + 20);
    t.equal(sealer.pauseMs(at + 240), 0, `${at} ms`);
  }
  t.ok(sealer.hasMore);
  fill(100);
  sealer.seal(10_000);
  t.equal(sealer.pauseMs(10_300), 300, 'nor does it make the pause longer when all have to wait');
});

t.test('is behind without a break while servers are too slow', async (t) => {
  const { sealer, fill, take } = scene();
  const pauses: number[] = [];
  for (let at = 0; at < 20_000; at += 250) {
    fill(100);
    sealer.seal(at);
    take(25, at + 125);
    pauses.push(sealer.pauseMs(at + 125));
  }
  t.ok(pauses[0] === 0 && pauses.slice(1).every((pauseMs) => pauseMs >= 250), 'from the second interval on');
  t.ok(Math.max(...pauses) <= 1000, 'four intervals, as long as a bucket waits');
});

t.test('says when servers will have caught up, by how fast they were', async (t) => {
  const { sealer, fill, take } = scene();
  fill(100);
  sealer.seal(1000);
  t.equal(sealer.pauseMs(1000), 0, 'nobody knows yet');
  t.equal(sealer.pauseMs(1600), 600, 'nothing was sent for 600 ms');
  t.equal(sealer.pauseMs(9000), 2000);
  take(10, 1700);
  t.equal(sealer.pauseMs(1700), 700, '10 in 700 ms, 90 are left: but these may be the first of many');
  take(30, 1700);
  t.equal(sealer.pauseMs(1600), 600, '40 in 600 ms, 60 are left: 900 ms would be longer than it has lasted');
  take(30, 2100);
  t.equal(sealer.pauseMs(2100), 472);
  take(30, 2200);
  t.equal(sealer.pauseMs(2200), 0);
});

t.test('a pause never lasts longer than servers have been behind', async (t) => {
  const { sealer, fill } = scene({ flushIntervalMs: 10 });
  fill(100);
  sealer.seal(0);
  t.equal(sealer.pauseMs(249), 0, 'the shortest pause is 250 ms');
  t.equal(sealer.pauseMs(250), 250);
});

t.test('a long flush interval is waited for', async (t) => {
  const { sealer, fill } = scene({ flushIntervalMs: 1000 });
  fill(100);
  sealer.seal(0);
  t.equal(sealer.pauseMs(999), 0);
  t.equal(sealer.pauseMs(1000), 1000);
});

t.test('is not behind with nothing to send', async (t) => {
  const { sealer } = scene();
  sealer.seal(0);
  t.same([sealer.hasMore, sealer.pauseMs(10_000)], [false, 0]);
});
