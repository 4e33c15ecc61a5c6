import t from 'tap';
import type { MemberId } from '../../../src/core/ids.js';
import { Membership } from '../../../src/server/cluster/membership.js';
import type { Coordination, Member } from '../../../src/storage/coordination.js';
import { MemoryCoordination } from '../../../src/storage/memory/memory-coordination.js';
import { RecordingLog } from '../../agent/recording-log.js';
import { memberOf } from '../../storage/coordination.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Cluster {
  readonly clock: FakeClock;
  readonly coordination: MemoryCoordination;
  /** Who published an assignment, in order. */
  readonly published: MemberId[];
  join(name: string, more?: Partial<Member>): Promise<Joined>;
}

interface Joined {
  readonly membership: Membership;
  readonly lapses: boolean[];
  change(more: Partial<Member>): void;
  /** Makes heartbeats fail, or work again. */
  cut(isCut: boolean): void;
}

function clusterOf(): Cluster {
  const clock = new FakeClock();
  const coordination = new MemoryCoordination({ leaseMs: 3000, nowMs: () => clock.nowMs() });
  const published: MemberId[] = [];
  const join = async (name: string, more: Partial<Member> = {}): Promise<Joined> => {
    let self = memberOf(name, more);
    let isCut = false;
    const lapses: boolean[] = [];
    const cuttable: Coordination = {
      beat: async (member, version) => {
        if (isCut) throw new Error('the store does not answer');
        return coordination.beat(member, version);
      },
      assign: (by, before, assignment) => coordination.assign(by, before, assignment),
      leave: (member) => coordination.leave(member),
    };
    const membership = new Membership({
      coordination: cuttable,
      ...{ bucketCount: 10, heartbeatMs: 500, leaseMs: 3000, clock, log: new RecordingLog() },
      describe: () => self,
      learnt: (lapsed) => lapses.push(lapsed),
      published: () => {
        published.push(self.id);
      },
    });
    await membership.start();
    return {
      membership,
      lapses,
      change: (changed) => {
        self = { ...self, ...changed };
      },
      cut: (wanted) => {
        isCut = wanted;
      },
    };
  };
  return { clock, coordination, published, join };
}

function shares({ membership }: Joined): Record<string, number> {
  const found: Record<string, number> = {};
  for (const owner of membership.assignment?.owners ?? []) {
    found[owner ?? 'nobody'] = (found[owner ?? 'nobody'] ?? 0) + 1;
  }
  return found;
}

t.test('the first has everything, the second gets its half within a second, all know', async (t) => {
  const { clock, published, join } = clusterOf();
  const a = await join('a');
  t.strictSame(shares(a), { a: 10 });
  const b = await join('b');
  const fe = await join('fe', { roles: ['fe'], weight: 0 });
  await clock.advanceAsync(1000);
  for (const one of [a, b, fe]) t.strictSame(shares(one), { a: 5, b: 5 });
  t.equal(fe.membership.leader, 'a');
  t.strictSame(
    fe.membership.members.map(({ id }) => String(id)),
    ['a', 'b', 'fe'],
  );
  t.strictSame(published, ['a', 'a'], 'the leader alone, once for each');
});

t.test('with servers of no weight alone, nobody owns anything; the first owner gets all', async (t) => {
  const { clock, join } = clusterOf();
  const fe = await join('fe', { weight: 0 });
  await clock.advanceAsync(2000);
  t.strictSame(shares(fe), {});
  await join('be');
  await clock.advanceAsync(1000);
  t.strictSame(shares(fe), { be: 10 });
});

t.test('a dead leader is replaced after its lease, and its buckets go to the rest', async (t) => {
  const { clock, join } = clusterOf();
  const a = await join('a');
  const b = await join('b');
  await clock.advanceAsync(1000);
  a.membership.stop();
  await clock.advanceAsync(2500);
  t.strictSame(shares(b), { a: 5, b: 5 }, 'it may live');
  await clock.advanceAsync(1000);
  t.strictSame(shares(b), { b: 10 });
  t.equal(b.membership.leader, 'b');
  t.equal(b.membership.member('a' as MemberId), undefined);
});

t.test('who is leaving gets nothing new, and keeps what it has when nobody else is there', async (t) => {
  const { clock, join } = clusterOf();
  const a = await join('a');
  const b = await join('b');
  await clock.advanceAsync(1000);
  a.change({ leaving: true });
  await a.membership.refresh();
  t.strictSame(shares(a), { b: 10 });
  b.change({ leaving: true });
  await clock.advanceAsync(1000);
  t.strictSame(shares(b), { b: 10 });
  await a.membership.leave();
  await clock.advanceAsync(1000);
  t.strictSame(
    b.membership.members.map(({ id }) => String(id)),
    ['b'],
  );
});

t.test(
  'without the store the newest known stays; after a lease without an answer nothing is current',
  async (t) => {
    const { clock, join } = clusterOf();
    const a = await join('a');
    a.cut(true);
    await clock.advanceAsync(2500);
    t.ok(a.membership.isCurrent);
    t.equal(a.membership.lastError, 'the store does not answer');
    await clock.advanceAsync(1000);
    t.notOk(a.membership.isCurrent);
    t.strictSame(shares(a), { a: 10 });
    t.notOk(a.lapses.includes(true));
    a.cut(false);
    await clock.advanceAsync(500);
    t.ok(a.membership.isCurrent);
    t.equal(a.lapses.at(-1), true, 'it is told that it may have been replaced');
    await clock.advanceAsync(500);
    t.equal(a.lapses.at(-1), false);
  },
);

t.test('a refresh begins a heartbeat of its own, one for all who ask', async (t) => {
  const { join } = clusterOf();
  const a = await join('a');
  const before = a.lapses.length;
  await Promise.all([a.membership.refresh(), a.membership.refresh(), a.membership.refresh()]);
  // The first was under way when the others asked; these want to know what came after.
  t.equal(a.lapses.length, before + 2);
});

t.test('a lost assignment is made anew, with a version that was never there', async (t) => {
  const { clock, coordination, join } = clusterOf();
  const a = await join('a');
  await join('b');
  await clock.advanceAsync(1000);
  const before = a.membership.assignment?.version ?? 0;
  // As after a fail-over of the store that lost it.
  const leader = a.membership.leader as MemberId;
  t.ok(await coordination.assign(leader, before, { version: 1, owners: [] }));
  await clock.advanceAsync(1000);
  t.strictSame(shares(a), { a: 5, b: 5 });
  t.ok((a.membership.assignment?.version ?? 0) > before);
});

t.test('two leaders of one ms, each with a store of its own, do not use the same version', async (t) => {
  // As around a fail-over, when somebody still hears the master that was replaced.
  const [one, other] = [clusterOf(), clusterOf()];
  const [a, b] = [await one.join('a'), await other.join('b')];
  t.equal(one.clock.nowMs(), other.clock.nowMs());
  t.ok(a.membership.assignment !== undefined && b.membership.assignment !== undefined);
  t.not(a.membership.assignment?.version, b.membership.assignment?.version);
  t.ok(Number.isSafeInteger(a.membership.assignment?.version));
});
