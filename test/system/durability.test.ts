import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createClient } from '../../src/client/index.js';
import type { RunningServer } from '../../src/server/server.js';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.js';
import { agentOf } from '../agent/agent-kit.js';
import { RecordingLog } from '../agent/recording-log.js';
import {
  balanced,
  bucketCount,
  folder,
  handedOver,
  json,
  post,
  serverOf,
  totalOf,
  until,
  v1,
} from './kit.js';

const line = '["TotalsCounter", 1700006400, "1"]';

async function serverOn(t: Test, data: string, port = 0): Promise<RunningServer> {
  const store = await openEmbeddedStore({ folder: data, bucketCount, log: new RecordingLog() });
  return serverOf(t, { store, port });
}

function portOf({ url }: { readonly url: string }): number {
  return Number(new URL(url).port);
}

async function load(url: string, rounds: number): Promise<number> {
  let accepted = 0;
  for (let round = 0; round < rounds; round++) {
    const tabs = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`tab_${i}`, [line, line]]));
    const answer = await post(`${url}/post`, v1({ a: tabs, b: { tab_0: [line] } }));
    if (answer.status !== 200) throw new Error(answer.text);
    accepted += answer.json.accepted;
  }
  return accepted;
}

async function holds(t: Test, server: RunningServer, rounds: number): Promise<void> {
  const { json: tabs } = await json(`${server.url}/tabs`);
  for (let i = 0; i < 20; i++) t.equal(tabs[`tab_${i}`].count, rounds * (i === 0 ? 3 : 2), `tab_${i}`);
  t.equal(await totalOf(server, 'tab_0', 'a'), 2 * rounds);
  t.equal(await totalOf(server, 'tab_0', 'b'), rounds);
  t.strictSame((await json(`${server.url}/clients`)).json, ['a', 'b']);
  balanced(t, { server, agent: undefined });
}

t.test('a server that is stopped and started again has everything', async (t) => {
  const data = folder(t);
  const first = await serverOn(t, data);
  await load(first.url, 5);
  await first.close();
  const second = await serverOn(t, data);
  await holds(t, second, 5);
  await load(second.url, 2);
  await holds(t, second, 7);
});

t.test('a copy of the folder of a running server has everything that was acknowledged', async (t) => {
  const data = folder(t);
  const running = await serverOn(t, data);
  await load(running.url, 5);
  const copy = join(folder(t), 'copy');
  // What is no file is the lock of the one that runs.
  cpSync(data, copy, { recursive: true, filter: (path) => !/lock-/.test(path) });
  const crashed = await serverOn(t, copy);
  await holds(t, crashed, 5);
  await holds(t, running, 5);
});

t.test('an agent with a spool, started again while the server was away', async (t) => {
  const data = folder(t);
  const spoolFolder = folder(t);
  const before = await serverOn(t, data);
  const port = portOf(before);
  const options = { servers: [before.url], spoolFolder };
  const { agent } = await agentOf(t, options);
  let accepted = await load(agent.url, 2);
  await handedOver({ agent });
  await before.close();
  accepted += await load(agent.url, 2);
  await agent.close(0);
  const { agent: again } = await agentOf(t, options);
  accepted += await load(again.url, 1);
  const after = await serverOn(t, data, port);
  await handedOver({ agent: again });
  await holds(t, after, 5);
  t.equal(accepted, 5 * 41);
  balanced(t, { server: after, agent: again });
});

t.test('an Idempotency-Key counts once, also over a restart', async (t) => {
  const data = folder(t);
  const headers = { 'idempotency-key': 'order-17' };
  const body = v1({ c: { a: [line], b: [line, line] } });
  const first = await serverOn(t, data);
  for (let time = 0; time < 2; time++) {
    const answer = await post(`${first.url}/post`, body, headers);
    t.equal(answer.status, 200);
    t.equal(answer.json.accepted, 3);
  }
  const other = await post(`${first.url}/post`, v1({ c: { a: [line, line] } }), headers);
  t.equal(other.status, 422);
  t.match(other.json, { error: { code: 'idempotency_mismatch' } });
  balanced(t, { server: first, agent: undefined });
  t.match(first.status().books, { received: 3, applied: 3 }, 'a repeat is not received again');
  await first.close();
  const second = await serverOn(t, data);
  t.equal((await post(`${second.url}/post`, body, headers)).status, 200);
  t.match(second.status().books, { received: 0, applied: 0 });
  t.equal(await totalOf(second, 'a'), 1);
  t.equal(await totalOf(second, 'b'), 2);
  balanced(t, { server: second, agent: undefined });
});

for (const way of ['server', 'agent'] as const) {
  t.test(`the SDK against the ${way}`, async (t) => {
    const server = await serverOf(t);
    const agent = way === 'agent' ? (await agentOf(t, { servers: [server.url] })).agent : undefined;
    const client = createClient({ clientId: 'app', url: agent?.url ?? server.url, flushIntervalMs: 10 });
    t.teardown(() => client.close());
    const bids = client.totals('bids');
    for (let i = 0; i < 1000; i++) {
      bids.record(1);
      client.record('other', 'TotalsCounter', 2);
      if (i % 100 === 0) t.ok(await client.flush());
    }
    t.ok(await client.flush());
    await handedOver({ agent });
    await until('all is counted', async () => (await totalOf(server, 'other')) === 1000);
    t.equal(await totalOf(server, 'bids', 'app'), 1000);
    balanced(t, { server, agent });
  });
}
