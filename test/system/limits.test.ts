import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { DenyLists } from '../../src/intake/deny-lists.js';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.js';
import { agentOf } from '../agent/agent-kit.js';
import { RecordingLog } from '../agent/recording-log.js';
import {
  ask,
  balanced,
  bucketCount,
  folder,
  handedOver,
  json,
  limitsWith,
  post,
  serverOf,
  throughBoth,
  until,
  v1,
} from './kit.js';

const line = '["TotalsCounter", 1700006400, "1"]';

t.test('owners know so many tabs and clients, and no more', (t) =>
  throughBoth(
    t,
    () => ({ server: { limits: limitsWith({ maxTabs: 3, maxClients: 2 }) } }),
    async (t, entrance) => {
      const { url, server, agent } = entrance;
      for (const tab of ['a', 'b', 'c', 'd']) {
        await post(`${url}/post`, v1({ one: { [tab]: [line] } }));
        await handedOver(entrance);
      }
      for (const client of ['one', 'two', 'three']) {
        await post(`${url}/post`, v1({ [client]: { a: [line] } }));
        await handedOver(entrance);
      }
      t.strictSame((await json(`${server.url}/names`)).json, ['a', 'b', 'c']);
      t.strictSame((await json(`${server.url}/clients`)).json, ['one', 'two']);
      t.match(server.status().books, {
        received: 7,
        applied: 5,
        rejected: { too_many_tabs: 1, too_many_clients: 1 },
      });
      if (agent !== undefined)
        t.match(agent.status().books.rejected, { too_many_tabs: 1, too_many_clients: 1 });
      await post(`${server.url}/delete?name=c`, '');
      const answer = await post(`${server.url}/post`, v1({ one: { d: [line] } }));
      t.equal(answer.json.accepted, 1, 'a tab that is deleted makes room');
    },
  ),
);

t.test('what is on a deny-list is refused by name', (t) => {
  const denyLists = new DenyLists({ names: ['secret', 'x.*y'], clients: ['bad-'], maxExpressionBytes: 1024 });
  return throughBoth(
    t,
    () => ({ server: { denyLists }, agent: { denyLists } }),
    async (t, entrance) => {
      const { url, server } = entrance;
      const body = v1({
        good: { secret_a: [line], xay: [line], open: [line], my_secret: [line] },
        'bad-1': { open: [line] },
      });
      const answer = await post(`${url}/post`, body);
      t.match(answer.json, {
        accepted: 2,
        rejected: [
          { index: 0, code: 'denied' },
          { index: 1, code: 'denied' },
          { index: 4, code: 'denied' },
        ],
      });
      await handedOver(entrance);
      t.strictSame((await json(`${server.url}/names`)).json, ['my_secret', 'open']);
      t.strictSame((await json(`${server.url}/clients`)).json, ['good']);
    },
  );
});

t.test('connections beyond the limit are refused, and said so', async (t) => {
  const limits = limitsWith({ maxConnections: 3 });
  const server = await serverOf(t, { limits });
  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = [];
  for (let i = 0; i < 3; i++) {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  await until('all are counted', () => server.status().connections === 3);
  const answer = await ask(`${server.url}/healthz`);
  t.equal(answer.status, 503);
  t.match(answer.json, { error: { code: 'too_many_connections' } });
  t.ok(Number(answer.headers.get('retry-after')) >= 1);
  for (const socket of sockets) socket.destroy();
  await until('there is room again', async () => (await ask(`${server.url}/healthz`)).status === 200);
});

t.test('an agent without room asks its senders to wait, and takes what needs none', async (t) => {
  const { agent } = await agentOf(t, { maxBufferedPairs: 2 });
  t.equal((await post(`${agent.url}/post`, v1({ c: { a: [line], b: [line] } }))).status, 200);
  const refused = await post(`${agent.url}/post`, v1({ c: { fresh: [line] } }));
  t.equal(refused.status, 503);
  t.match(refused.json, { error: { code: 'overloaded', waiting_for: 'pairs' } });
  t.ok(Number(refused.headers.get('retry-after')) >= 1);
  t.equal(
    (await post(`${agent.url}/post`, v1({ c: { a: [line] } }))).status,
    200,
    'what merges needs no room',
  );
  t.equal((await json(`${agent.url}/readyz`)).status, 503);
  t.match(agent.status(), { accepting: false, books: { received: 3, buffered: 3, balance: 0 } });
});

t.test('two on one port: the second is refused', async (t) => {
  const first = await serverOf(t);
  const port = Number(new URL(first.url).port);
  await t.rejects(serverOf(t, { port }), { code: 'port_in_use', message: new RegExp(String(port)) });
  await t.rejects(agentOf(t, { port }), { code: 'port_in_use' });
  t.equal((await ask(`${first.url}/healthz`)).status, 200);
});

t.test('two on one folder: the second is refused', async (t) => {
  const data = folder(t);
  const open = () => openEmbeddedStore({ folder: data, bucketCount, log: new RecordingLog() });
  const server = await serverOf(t, { store: await open() });
  await t.rejects(open(), { code: 'folder_in_use' });
  const spoolFolder = folder(t);
  const { agent } = await agentOf(t, { servers: [server.url], spoolFolder });
  await t.rejects(agentOf(t, { servers: [server.url], spoolFolder }), { code: 'folder_in_use' });
  balanced(t, { server, agent });
});
