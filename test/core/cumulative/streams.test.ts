import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import type { CumulativePoint } from '../../../src/core/cumulative/reading.js';
import { CumulativeStreams } from '../../../src/core/cumulative/streams.js';

const view = { nowSec: 10_000, sinceSec: 1_000 };
const stream = { stream: 7, startSec: 2_000, monotonic: true };

function point(timeSec: number, value: number, of: Partial<CumulativePoint> = {}): CumulativePoint {
  return { ...stream, timeSec, value, ...of };
}

function partOf(...points: readonly CumulativePoint[]): CumulativeStreams {
  const part = new CumulativeStreams();
  for (const one of points) part.put(one);
  return part;
}

/** What a State adds when these Parts come one after the other. */
function added(parts: readonly CumulativeStreams[], state = new CumulativeStreams(), at = view): number[] {
  const sums: number[] = [];
  for (const part of parts) {
    state.merge(part);
    state.settle(at, (value) => sums.push(value as number));
  }
  return sums;
}

function bytesOf(streams: CumulativeStreams): Uint8Array {
  const out = new ByteWriter();
  streams.encode(out);
  return out.finish();
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

t.test('a stream that began since counts from zero, and then what was added', async (t) => {
  t.strictSame(
    added([partOf(point(3_000, 5)), partOf(point(3_010, 5)), partOf(point(3_020, 12))]),
    [5, 0, 7],
  );
});

t.test('a stream that began before is counted from its first reading on', async (t) => {
  const old = { startSec: 999 };
  t.strictSame(added([partOf(point(3_000, 500, old)), partOf(point(3_010, 507, old))]), [0, 7]);
  t.strictSame(added([partOf(point(3_000, 500, old), point(3_010, 507, old))]), [7], 'both in one Part');
  t.strictSame(added([partOf(point(3_000, 500, { startSec: 0 }))]), [0], 'no start is said');
});

t.test('a process that starts again is another stream', async (t) => {
  const again = { stream: 8, startSec: 3_005 };
  t.strictSame(
    added([partOf(point(3_000, 40)), partOf(point(3_010, 2, again)), partOf(point(3_020, 3, again))]),
    [40, 2, 1],
  );
});

t.test('what goes down although it must not has begun again; what may go down is less', async (t) => {
  const unsaid = { startSec: 0 };
  t.strictSame(added([partOf(point(3_000, 40, unsaid)), partOf(point(3_010, 3, unsaid))]), [0, 3]);
  const free = { monotonic: false };
  t.strictSame(added([partOf(point(3_000, 40, free)), partOf(point(3_010, 3, free))]), [40, -37]);
});

t.test('in whatever Parts and order, and however often, readings come: all is counted once', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat(11), fc.nat(4)), { maxLength: 30 }),
      (steps, deliveries) => {
        let value = 0;
        const readings = steps.map((step, at) => {
          value += step;
          return point(3_000 + at, value);
        });
        const parts = Array.from({ length: 5 }, () => new CumulativeStreams());
        for (const [which, part] of deliveries) parts[part]!.put(readings[which % readings.length]!);
        parts.push(partOf(readings.at(-1)!));
        return sum(added(parts)) === value;
      },
    ),
  );
});

t.test('merging Parts is associative, commutative and idempotent', async () => {
  const points = fc.array(
    fc.record({ timeSec: fc.nat(20), stream: fc.nat(3) }).map(({ timeSec, stream: id }) =>
      // One reading per moment, as a stream has.
      point(timeSec, timeSec * 3, { stream: id }),
    ),
    { maxLength: 8 },
  );
  const merged = (...parts: readonly CumulativeStreams[]): CumulativeStreams => {
    const into = new CumulativeStreams();
    for (const part of parts) into.merge(part);
    return into;
  };
  fc.assert(
    fc.property(points, points, points, (...lists) => {
      const [a, b, c] = lists.map((list) => partOf(...list)) as [
        CumulativeStreams,
        CumulativeStreams,
        CumulativeStreams,
      ];
      const expected = Buffer.from(bytesOf(merged(merged(a, b), c)));
      return [merged(a, merged(b, c)), merged(c, b, a), merged(a, b, c, b, a)].every((other) =>
        expected.equals(bytesOf(other)),
      );
    }),
  );
});

t.test('what is written is read, pending readings and settled ones', async (t) => {
  const state = new CumulativeStreams();
  added([partOf(point(3_000, 5.25))], state);
  state.merge(partOf(point(3_010, 6), point(3_020, 9), point(3_015, 1, { stream: 2 ** 53 - 1 })));
  const bytes = bytesOf(state);
  const copy = CumulativeStreams.decode(new ByteReader(bytes))!;
  t.strictSame(bytesOf(copy), bytes);
  t.strictSame(added([new CumulativeStreams()], copy), added([new CumulativeStreams()], state));
  t.equal(copy.newestSec, 3_020);
  t.equal(CumulativeStreams.decode(new ByteReader(bytesOf(new CumulativeStreams()))), undefined);
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => CumulativeStreams.decode(new ByteReader(bytes.subarray(0, length))), { code: 'corrupt' });
  }
});

t.test(
  'a stream that was silent for a day is forgotten, and does not count again when it comes back',
  async (t) => {
    const state = new CumulativeStreams();
    t.strictSame(added([partOf(point(3_000, 5))], state), [5]);
    const later = { ...view, nowSec: 3_000 + 86_400 };
    t.strictSame(added([new CumulativeStreams()], state, later), []);
    t.equal(state.size, 0);
    t.strictSame(added([partOf(point(90_000, 9)), partOf(point(90_010, 10))], state, later), [0, 1]);
    const younger = { stream: 9, startSec: 89_000 };
    t.strictSame(added([partOf(point(90_000, 4, younger))], state, later), [4]);
    const copy = CumulativeStreams.decode(new ByteReader(bytesOf(state)))!;
    t.strictSame(added([partOf(point(90_020, 3, { stream: 11 }))], copy, later), [0], 'the horizon is kept');
  },
);

t.test('a reading from the future is moved to the present', async (t) => {
  const part = partOf(point(3_000, 5), point(99_999, 8));
  t.equal(part.clampFuture(10_010, 10_000), 1);
  const times: number[] = [];
  const state = new CumulativeStreams();
  state.merge(part);
  state.settle(view, (_, timeSec) => times.push(timeSec));
  t.strictSame(times, [10_000]);
  t.equal(state.newestSec, 10_000);
});

t.test(
  'a start in the far future is not believed, and spoils nothing for others once it is forgotten',
  async (t) => {
    const state = new CumulativeStreams();
    for (const startSec of [1e10, Number.POSITIVE_INFINITY]) {
      const wrong = { stream: startSec === 1e10 ? 1 : 2, startSec };
      t.strictSame(
        added([partOf(point(3_000, 500, wrong)), partOf(point(3_010, 507, wrong))], state),
        [0, 7],
      );
    }
    const twoDays = 2 * 86_400;
    const later = { ...view, nowSec: 10_000 + twoDays };
    const other = { stream: 3, startSec: later.nowSec - 20 };
    const wrong = { stream: 1, startSec: 1e10 };
    t.strictSame(added([partOf(point(later.nowSec - 10, 1, { stream: 4, startSec: 0 }))], state, later), [0]);
    t.equal(state.size, 1, 'both are forgotten');
    t.strictSame(added([partOf(point(later.nowSec, 50, other))], state, later), [50]);
    t.strictSame(
      added([partOf(point(later.nowSec, 600, wrong))], state, later),
      [0],
      'nor does it count again',
    );
  },
);
