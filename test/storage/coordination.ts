import type t from 'tap';
import type { MemberId } from '../../src/core/ids.js';
import type { Coordination, Member } from '../../src/storage/coordination.js';

type Test = typeof t;

/** A coordination under test with a lease of 3 s; `pass` lets time go by for it. */
export interface Coordinating {
  readonly coordination: Coordination;
  pass(ms: number): Promise<void>;
  readonly close: () => Promise<void>;
}

export function memberOf(name: string, more: Partial<Member> = {}): Member {
  return {
    id: name as MemberId,
    address: `${name}:8300`,
    roles: ['be'],
    weight: 1,
    leaving: false,
    version: '1.0.0',
    report: new Uint8Array([0, 1, 255]),
    ...more,
  };
}

/** What every engine that servers share must do. */
export function coordinationSuite(t: Test, open: () => Promise<Coordinating>): void {
  const check = (name: string, body: (t: Test, opened: Coordinating) => Promise<void>): void => {
    t.test(name, async (t) => {
      const opened = await open();
      try {
        await body(t as Test, opened);
      } finally {
        await opened.close();
      }
    });
  };
  const [a, b] = [memberOf('a'), memberOf('b', { roles: ['fe', 'ctrl'], weight: 2.5, leaving: true })];
  const owners = [a.id, undefined, b.id, a.id];

  check('a member sees itself and the others as they describe themselves', async (t, { coordination }) => {
    const first = await coordination.beat(a, 0);
    t.strictSame(first.members, [a]);
    t.equal(first.version, 0);
    t.equal(first.assignment, undefined);
    const second = await coordination.beat(b, 0);
    t.strictSame(second.members, [a, b]);
    t.ok(second.nowMs >= first.nowMs);
    const changed = memberOf('a', { weight: 0, report: new Uint8Array() });
    t.strictSame((await coordination.beat(changed, 0)).members, [changed, b]);
  });

  check(
    'who is silent for longer than the lease is gone, and no sooner',
    async (t, { coordination, pass }) => {
      await coordination.beat(a, 0);
      for (let beats = 0; beats < 2; beats++) {
        await pass(1000);
        t.equal((await coordination.beat(b, 0)).members.length, 2);
      }
      await pass(1100);
      t.strictSame((await coordination.beat(b, 0)).members, [b]);
      t.equal((await coordination.beat(a, 0)).members.length, 2, 'it may come back');
    },
  );

  check('the first leads, and another when it is gone', async (t, { coordination, pass }) => {
    t.equal((await coordination.beat(a, 0)).leader, a.id);
    await pass(1000);
    t.equal((await coordination.beat(b, 0)).leader, a.id);
    t.equal((await coordination.beat(a, 0)).leader, a.id, 'a heartbeat keeps the lead');
    for (let beats = 0; beats < 2; beats++) {
      await pass(1000);
      t.equal((await coordination.beat(b, 0)).leader, a.id);
    }
    await pass(1100);
    t.equal((await coordination.beat(b, 0)).leader, b.id);
    t.equal((await coordination.beat(a, 0)).leader, b.id, 'it does not come back to the lead');
  });

  check('where nobody was heard, all of them get a lease', async (t, { coordination, pass }) => {
    await coordination.beat(a, 0);
    await coordination.beat(b, 0);
    await pass(3500);
    t.strictSame((await coordination.beat(b, 0)).members, [a, b], 'the store was away: a may well be alive');
    for (let beats = 0; beats < 2; beats++) {
      await pass(1100);
      t.equal((await coordination.beat(b, 0)).members.length, 2);
    }
    await pass(1000);
    t.strictSame((await coordination.beat(b, 0)).members, [b], 'it is not');
  });

  check('who leaves is gone at once, and leads no more', async (t, { coordination }) => {
    await coordination.beat(a, 0);
    await coordination.beat(b, 0);
    await coordination.leave(a.id);
    const view = await coordination.beat(b, 0);
    t.strictSame(view.members, [b]);
    t.equal(view.leader, b.id);
    await coordination.leave(a.id);
  });

  check('the leader alone assigns, and only from the present version', async (t, { coordination }) => {
    await coordination.beat(a, 0);
    await coordination.beat(b, 0);
    t.equal(await coordination.assign(b.id, 0, { version: 7, owners }), false, 'b does not lead');
    t.equal(await coordination.assign(a.id, 3, { version: 7, owners }), false, 'the version is 0');
    t.equal((await coordination.beat(b, 0)).version, 0, 'a refused one changes nothing');
    t.equal(await coordination.assign(a.id, 0, { version: 7, owners }), true);
    t.strictSame((await coordination.beat(b, 0)).assignment, { version: 7, owners });
    t.equal(await coordination.assign(a.id, 0, { version: 8, owners: [] }), false, 'made from an old one');
    t.equal(await coordination.assign(a.id, 7, { version: 1_790_000_000_000, owners: [b.id] }), true);
    t.equal((await coordination.beat(b, 7)).version, 1_790_000_000_000);
  });

  check('the assignment comes along only where it is another', async (t, { coordination }) => {
    await coordination.beat(a, 0);
    await coordination.assign(a.id, 0, { version: 5, owners });
    t.equal((await coordination.beat(a, 5)).assignment, undefined);
    t.equal((await coordination.beat(a, 5)).version, 5);
    t.strictSame((await coordination.beat(a, 4)).assignment, { version: 5, owners });
    t.strictSame((await coordination.beat(a, 9)).assignment, { version: 5, owners }, 'an older one too');
  });
}
