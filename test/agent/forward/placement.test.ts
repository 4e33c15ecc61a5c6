import fc from 'fast-check';
import t from 'tap';
import { type LaneLoad, place } from '../../../src/agent/forward/placement.js';

const lane = (id: string, latencyMs: number | undefined, up = true): LaneLoad => ({ id, up, latencyMs });
const none = (count: number): undefined[] => new Array<undefined>(count).fill(undefined);

/** Runs rounds of placing until nothing moves any more. */
function settle(
  lanes: readonly LaneLoad[],
  laneOf: (string | undefined)[],
  loadOf: readonly number[],
): number {
  for (let round = 1; round <= 100; round++) {
    const moves = place({ lanes, laneOf, loadOf });
    if (moves.length === 0) return round;
    for (const { bucket, to } of moves) laneOf[bucket] = to;
  }
  throw new Error('placement never comes to rest');
}

function counts(laneOf: readonly (string | undefined)[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const id of laneOf) result[id ?? 'none'] = (result[id ?? 'none'] ?? 0) + 1;
  return result;
}

t.test('equal lanes get equal shares', async (t) => {
  const laneOf = none(1000) as (string | undefined)[];
  settle([lane('a', 20), lane('b', 20)], laneOf, new Array(1000).fill(1));
  t.same(counts(laneOf), { a: 500, b: 500 });
});

t.test('nothing is placed while no lane is up', async (t) => {
  t.same(place({ lanes: [lane('a', 5, false)], laneOf: none(10), loadOf: none(10).map(() => 1) }), []);
  t.same(place({ lanes: [], laneOf: none(10), loadOf: [] }), []);
});

t.test('buckets leave a lane that is down at once, all of them', async (t) => {
  const laneOf = Array.from({ length: 100 }, (_, bucket) => (bucket % 2 === 0 ? 'a' : 'b'));
  const moves = place({ lanes: [lane('a', 5, false), lane('b', 5)], laneOf, loadOf: new Array(100).fill(1) });
  t.equal(moves.length, 50);
  t.ok(moves.every(({ bucket, to }) => bucket % 2 === 0 && to === 'b'));
});

t.test('load moves from a slow lane to a fast one, step by step, and some stays', async (t) => {
  const laneOf = Array.from({ length: 1000 }, (_, bucket) => (bucket % 2 === 0 ? 'slow' : 'fast'));
  const lanes = [lane('slow', 400), lane('fast', 20)];
  const first = place({ lanes, laneOf, loadOf: new Array(1000).fill(1) });
  t.ok(first.length > 0 && first.length <= 100, 'one round moves a tenth at most');
  settle(lanes, laneOf, new Array(1000).fill(1));
  const { slow, fast } = counts(laneOf);
  t.ok(slow! > 0, 'the slow lane keeps a little, to be measured');
  t.ok(slow! < 100, `the slow lane is relieved: ${slow} of 1000`);
  t.equal(slow! + fast!, 1000);
});

t.test('a heavy bucket weighs as much as many light ones', async (t) => {
  const laneOf = none(101) as (string | undefined)[];
  const loadOf = new Array(101).fill(1);
  loadOf[7] = 100;
  settle([lane('a', 20), lane('b', 20)], laneOf, loadOf);
  const heavy = laneOf[7]!;
  t.ok(counts(laneOf)[heavy]! <= 5, 'hardly another bucket shares the lane of the heavy one');
});

t.test('small differences move nothing', async (t) => {
  const laneOf = Array.from({ length: 1000 }, (_, bucket) => (bucket % 2 === 0 ? 'a' : 'b'));
  t.same(place({ lanes: [lane('a', 1), lane('b', 4)], laneOf, loadOf: new Array(1000).fill(1) }), []);
  t.same(place({ lanes: [lane('a', 20), lane('b', 22)], laneOf, loadOf: new Array(1000).fill(1) }), []);
});

t.test('whatever the loads: every bucket gets a lane that is up, and placement comes to rest', async () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          up: fc.boolean(),
          latencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      fc.array(fc.tuple(fc.nat(6), fc.double({ min: 0, max: 1e12, noNaN: true })), {
        minLength: 1,
        maxLength: 60,
      }),
      (lanesGiven, buckets) => {
        const lanes = lanesGiven.map((given, index) => ({ id: `lane${index}`, ...given }));
        const laneOf: (string | undefined)[] = buckets.map(([index]) =>
          index === 6 ? undefined : `lane${index}`,
        );
        settle(
          lanes,
          laneOf,
          buckets.map(([, load]) => load),
        );
        const up = new Set(lanes.filter((one) => one.up).map((one) => one.id));
        return up.size === 0 || laneOf.every((id) => id !== undefined && up.has(id));
      },
    ),
  );
});
