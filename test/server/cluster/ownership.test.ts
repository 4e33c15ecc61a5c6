import t from 'tap';
import type { BucketIndex, MemberId } from '../../../src/core/ids.js';
import { Holders } from '../../../src/server/cluster/holders.js';
import { Ownership } from '../../../src/server/cluster/ownership.js';
import type { OwnerState } from '../../../src/server/reduce/held-bucket.js';
import { pack, unpack } from '../../../src/wire/msgpack.js';
import { silent } from '../../simulation/silent.js';
import { memberOf } from '../../storage/coordination.js';
import { FakeClock } from '../../support/fake-clock.js';

const [self, a, b] = ['self', 'a', 'b'] as MemberId[] as [MemberId, MemberId, MemberId];

/** One server of a cluster of three that gets all buckets, and what it does about that. */
function joining({ bucketCount = 1, acquisitions = Promise.resolve() } = {}) {
  const done: string[] = [];
  const held = new Set<BucketIndex>();
  const known = new Set([a, b]);
  const holders = new Holders(bucketCount);
  let answer = (_of: MemberId): Promise<Uint8Array> => Promise.resolve(pack([]));
  let back: MemberId | undefined;
  let lapsed = false;
  const ownership = new Ownership({
    ...{ holders, leaseMs: 3000, clock: new FakeClock(), log: silent },
    owners: {
      bucketCount,
      stateOf: (of): OwnerState => (held.has(of) ? 'serving' : 'idle'),
      acquire: async (buckets) => {
        for (const one of buckets) {
          held.add(one);
          done.push(`acquires ${one}`);
        }
        await acquisitions;
      },
      release: async () => {},
      confirm: async (buckets) => {
        done.push(`confirms ${[...(buckets ?? ['all'])]}`);
      },
    },
    membership: {
      get members() {
        return [...known, self].map((id) => memberOf(id));
      },
      get isCurrent() {
        return !lapsed;
      },
      member: (id) => (known.has(id) ? memberOf(id) : undefined),
      refresh: async () => {
        if (back !== undefined) known.add(back);
      },
    },
    peers: {
      self,
      ask: (member, name, body) => {
        const [asker, buckets] = unpack(body) as [MemberId, number[]];
        done.push(`${asker} asks ${member} to ${name} ${buckets}`);
        return answer(member);
      },
    },
  });
  const learn = (owner: MemberId, alive = [self, a, b]): void => {
    holders.learn({ owners: Array.from({ length: bucketCount }, () => owner) }, new Set(alive));
    ownership.learn(false);
  };
  const answers = (given: typeof answer): void => {
    answer = given;
  };
  const acquired = (): number => held.size;
  const comesBack = (member: MemberId): void => {
    back = member;
  };
  const lapse = (is: boolean): void => {
    lapsed = is;
  };
  return { done, learn, answers, acquired, comesBack, lapse };
}

async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

t.test('the predecessor is asked, and nobody else', async (t) => {
  const { done, learn } = joining();
  learn(a);
  learn(self);
  await settled();
  t.same(done, ['self asks a to release 0', 'acquires 0']);
});

t.test(
  'who sees an assignment for the first time asks everybody, since any of them may serve the bucket',
  async (t) => {
    const { done, learn, answers } = joining();
    let letGo = (_answer: Uint8Array): void => {};
    answers((member) => {
      if (member === a) return Promise.resolve(pack([]));
      return new Promise((resolve) => {
        letGo = resolve;
      });
    });
    learn(self);
    await settled();
    t.same(done, ['self asks a to release 0', 'self asks b to release 0'], 'not before all have let go');
    letGo(pack([]));
    await settled();
    t.same(done.slice(2), ['acquires 0']);
  },
);

t.test(
  'with a dead predecessor everybody else is asked: one of them may have had the bucket in between',
  async (t) => {
    const { done, learn } = joining();
    learn('dead' as MemberId, [self, a, b, 'dead' as MemberId]);
    learn(self);
    await settled();
    t.same(done, ['self asks a to release 0', 'self asks b to release 0', 'acquires 0']);
  },
);

t.test('a predecessor that was taken for dead and is back is asked', async (t) => {
  const { done, learn, comesBack } = joining();
  const back = 'back' as MemberId;
  learn(back, [self, a, b, back]);
  comesBack(back);
  learn(self);
  await settled();
  t.same(done.slice(-2), ['self asks back to release 0', 'acquires 0']);
});

t.test(
  'who was taken for dead while it asked acquires nothing before it has learnt the assignment',
  async (t) => {
    const { done, learn, lapse } = joining();
    learn(a);
    lapse(true);
    learn(self);
    await settled();
    t.same(done, ['self asks a to release 0']);
    lapse(false);
    learn(self);
    await settled();
    t.same(done.slice(1), ['self asks a to release 0', 'acquires 0']);
  },
);

t.test('what is held and assigned elsewhere is confirmed, once', async (t) => {
  const { done, learn } = joining();
  learn(a);
  learn(self);
  await settled();
  done.length = 0;
  learn(b);
  learn(b);
  await settled();
  t.same(done, ['confirms 0']);
});

t.test('who is said to serve the bucket is asked as well', async (t) => {
  const { done, learn, answers } = joining();
  answers((member) => Promise.resolve(pack(member === a ? [[0, b]] : [])));
  learn(a);
  learn(self);
  await settled();
  t.same(done, ['self asks a to release 0', 'self asks b to release 0', 'acquires 0']);
});

t.test('a predecessor that serves many buckets lets go of a few at a time', async (t) => {
  const { learn, acquired } = joining({ bucketCount: 100, acquisitions: new Promise(() => {}) });
  learn(a);
  learn(self);
  await settled();
  t.equal(acquired(), 16);
});

t.test('what died with a successor of the predecessor is acquired all at once', async (t) => {
  const dead = 'dead' as MemberId;
  const { learn, answers, acquired } = joining({ bucketCount: 100, acquisitions: new Promise(() => {}) });
  let asked = 0;
  answers(async () => {
    const first = 4 * asked++;
    return pack([first, first + 1, first + 2, first + 3].map((bucket) => [bucket, dead]));
  });
  learn(a);
  learn(dead, [self, a, b, dead]);
  learn(self);
  await settled();
  t.equal(acquired(), 100);
});

t.test('what was assigned elsewhere while it was asked for, and is back, is asked for anew', async (t) => {
  const { done, learn, answers } = joining();
  const letGo: ((elsewhere: readonly (readonly [number, MemberId])[]) => void)[] = [];
  answers(
    () =>
      new Promise((resolve) => {
        letGo.push((elsewhere) => resolve(pack(elsewhere)));
      }),
  );
  learn(a);
  learn(self);
  learn(b);
  learn(self);
  await settled();
  t.same(done, ['self asks a to release 0', 'self asks a to release 0']);
  letGo[0]!([]);
  await settled();
  t.equal(done.length, 2, 'b may have it since: the first answer does not matter any more');
  letGo[1]!([[0, b]]);
  await settled();
  t.same(done.slice(2), ['self asks b to release 0']);
  letGo[2]!([]);
  await settled();
  t.same(done.slice(3), ['acquires 0']);
});
