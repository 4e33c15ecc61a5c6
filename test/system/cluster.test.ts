import t, { type Test } from 'tap';
import type { ServerOptions, ServerRole } from '../../src/server/options.js';
import type { RunningServer } from '../../src/server/server.js';
import type { Coordination, Member } from '../../src/storage/coordination.js';
import { MemoryCoordination } from '../../src/storage/memory/memory-coordination.js';
import { openMemoryStore } from '../../src/storage/memory/memory-store.js';
import type { Store } from '../../src/storage/store.js';
import { agentOf } from '../agent/agent-kit.js';
import { ask, balanced, bucketCount, json, post, serverOf, totalOf, until } from './kit.js';

t.setTimeout(120_000);

const leaseMs = 1200;

/** A store that several servers of this process share, each with a view of its own that can be cut off. */
class Shared {
  readonly #store = openMemoryStore({ bucketCount });
  readonly #coordination = new MemoryCoordination({ leaseMs, nowMs: () => Date.now() });

  async server(
    t: Test,
    role: ServerRole | readonly ServerRole[],
    options: Partial<ServerOptions> = {},
  ): Promise<Joined> {
    const view = new View(this.#store, this.#coordination);
    const server = await serverOf(t, {
      roles: [role].flat(),
      heartbeatMs: 100,
      leaseMs,
      store: view.store,
      ...options,
    });
    return { server, view };
  }
}

interface Joined {
  readonly server: RunningServer;
  readonly view: View;
}

/** What one server sees of the shared store. */
class View {
  readonly store: Store;
  /** The server is frozen, as its store sees it: its heartbeats do not arrive. */
  silent = false;

  constructor(store: Store, coordination: MemoryCoordination) {
    const own: Coordination = {
      beat: async (member: Member, version: number) => {
        if (this.silent) throw new Error('cut off');
        return coordination.beat(member, version);
      },
      assign: (by, before, assignment) => coordination.assign(by, before, assignment),
      leave: (member) => coordination.leave(member),
    };
    this.store = new Proxy(store, {
      get: (target, name) => {
        if (name === 'coordination') return own;
        // The test's to close.
        if (name === 'close') return async () => {};
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

const serving = ({ server }: Joined): number => server.status().buckets.serving ?? 0;

/** An event for each of 40 tabs, so that every bucket has some. */
const tabs = Array.from({ length: 40 }, (_, index) => `tab${index}`);
const body = JSON.stringify(tabs.map((name) => ({ name, type: 'TotalsCounter', value: 1 })));

async function countsOf({ server }: Joined): Promise<number[]> {
  const answer = await json(`${server.url}/tabs?name=${tabs.join(',')}`);
  return tabs.map((tab) => answer.json?.[tab]?.count ?? -1);
}

const all = (count: number): number[] => tabs.map(() => count);

t.test('what any server takes, every server shows', async (t) => {
  const shared = new Shared();
  const be1 = await shared.server(t, 'be');
  const be2 = await shared.server(t, 'be');
  const fe = await shared.server(t, 'fe');
  const ctrl = await shared.server(t, 'ctrl');
  await until('both own half', () => serving(be1) === bucketCount / 2 && serving(be2) === bucketCount / 2);
  t.equal(serving(fe), 0);
  const { agent } = await agentOf(t, { servers: [fe.server.url] });
  for (const { server } of [be1, be2, fe, ctrl]) {
    const answer = await post(`${server.url}/events`, body);
    t.strictSame(answer.json, { accepted: 40, rejected: [] });
  }
  await post(`${agent.url}/events`, body);
  await until('the agent handed over', () => agent.status().books.buffered === 0);
  for (const joined of [be1, be2, fe, ctrl]) {
    t.strictSame(await countsOf(joined), all(5));
    balanced(t, { server: joined.server, agent: undefined });
    const names = await json(`${joined.server.url}/names`);
    t.equal(names.json.length, 40);
    t.equal(Object.keys((await json(`${joined.server.url}/servers`)).json).length, 4);
    const sum = await json(`${joined.server.url}/supertabs?name=tab.*&re=1`);
    t.equal(sum.json.count, 200);
    t.equal((await ask(`${joined.server.url}/tabs?name=nothing`)).status, 404);
  }
});

t.test('a third server takes a third, and hand-overs lose and double nothing under load', async (t) => {
  const shared = new Shared();
  const be1 = await shared.server(t, 'be');
  const be2 = await shared.server(t, 'be');
  const fe = await shared.server(t, 'fe');
  await until('both own half', () => serving(be1) === bucketCount / 2 && serving(be2) === bucketCount / 2);
  let posted = 0;
  let loading = true;
  const load = (async () => {
    while (loading) {
      const answer = await post(`${fe.server.url}/events`, body);
      t.equal(answer.status, 200);
      posted++;
      t.equal((await json(`${fe.server.url}/tabs?name=${tabs[posted % 40]}`)).status, 200);
    }
  })();
  const be3 = await shared.server(t, 'be');
  await until('the third owns its share', () => serving(be3) === 5);
  t.strictSame([serving(be1), serving(be2)].sort(), [5, 6]);
  await be1.server.close();
  await until('the others own all', () => serving(be2) === 8 && serving(be3) === 8);
  loading = false;
  await load;
  t.ok(posted > 0);
  for (const joined of [be2, be3, fe]) t.strictSame(await countsOf(joined), all(posted));
});

t.test(
  'a server that is silent for a lease is replaced; it reads nothing, and changes nothing',
  async (t) => {
    const shared = new Shared();
    const zombie = await shared.server(t, 'be');
    const heir = await shared.server(t, 'be');
    const fe = await shared.server(t, 'fe');
    await until(
      'both own half',
      () => serving(zombie) === bucketCount / 2 && serving(heir) === bucketCount / 2,
    );
    await post(`${fe.server.url}/events`, body);
    zombie.view.silent = true;
    await until('the heir owns all', () => serving(heir) === bucketCount);
    t.strictSame(await countsOf(heir), all(1));
    // It knows that it may have been replaced, and does not show what it has in memory.
    const asked = await json(`${zombie.server.url}/tabs?name=${tabs.join(',')}&partial=true`);
    t.ok(asked.status === 503 || Object.keys(asked.json ?? {}).length < 40, 'nothing from memory');
    await post(`${fe.server.url}/events`, body);
    t.strictSame(await countsOf(heir), all(2));
    zombie.view.silent = false;
    await until('it is back with its share', () => serving(zombie) === bucketCount / 2);
    await until('it shows what happened meanwhile', async () =>
      (await countsOf(zombie)).every((n) => n === 2),
    );
    t.strictSame(await countsOf(heir), all(2));
  },
);

t.test('buckets are shared out by weight; one of weight 0 gets none', async (t) => {
  const shared = new Shared();
  const heavy = await shared.server(t, 'be', { weight: 3 });
  const light = await shared.server(t, 'be', { weight: 1 });
  await until('shares of three to one', () => serving(light) === bucketCount / 4);
  t.equal(serving(heavy), (3 * bucketCount) / 4);
  const door = await shared.server(t, ['fe', 'be'], { weight: 0 });
  t.equal((await post(`${door.server.url}/events`, body)).status, 200);
  t.same(await countsOf(door), all(1));
  t.equal(serving(door), 0);
});

t.test('without any owner a server keeps what it gets from agents with them, and says so', async (t) => {
  const shared = new Shared();
  const fe = await shared.server(t, 'fe');
  const { agent } = await agentOf(t, { servers: [fe.server.url] });
  await post(`${agent.url}/events`, body);
  const ready = await ask(`${fe.server.url}/readyz`);
  t.equal(ready.status, 503);
  t.match(ready.text, /a server with role be: 16 buckets have no owner/);
  const query = await ask(`${fe.server.url}/tabs?name=tab1`);
  t.equal(query.status, 503);
  t.match(query.text, /bucket/);
  t.equal(agent.status().books.buffered, 40);
  const be = await shared.server(t, 'be');
  await until('the agent handed over', () => agent.status().books.buffered === 0);
  t.strictSame(await countsOf(fe), all(1));
  t.equal(await totalOf(be.server, 'tab1'), 1);
});
