import t, { type Test } from 'tap';
import type { RunningServer } from '../../src/server/server.js';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.js';
import { agentOf } from '../agent/agent-kit.js';
import { RecordingLog } from '../agent/recording-log.js';
import { MemoryFiles } from '../storage/embedded/memory-files.js';
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

async function serverOn(t: Test, files: MemoryFiles): Promise<RunningServer> {
  const store = await openEmbeddedStore({ folder: folder(t), bucketCount, log: new RecordingLog(), files });
  return serverOf(t, { store });
}

function body(): string {
  return v1({ c: Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`tab_${i}`, [line]])) });
}

t.test('a full disk: nothing is lost, nothing is counted twice, and it says what it waits for', async (t) => {
  const files = new MemoryFiles();
  const server = await serverOn(t, files);
  const { agent } = await agentOf(t, { servers: [server.url] });
  t.equal((await post(`${agent.url}/post`, body())).status, 200);
  await handedOver({ agent });
  files.freeBytes = 700;
  let accepted = 1;
  const send = async (): Promise<void> => {
    const answer = await post(`${agent.url}/post`, body());
    if (answer.status === 200) accepted++;
  };
  const waitingFor = async () => (await json(`${server.url}/status`)).json.waiting_for;
  await until('the server says what it waits for', async () => {
    await send();
    return (await waitingFor()) !== null;
  });
  t.match(await waitingFor(), /store: .*(ENOSPC|space|full)/i);
  const direct = await post(`${server.url}/post`, v1({ d: { direct: [line] } }));
  t.equal(direct.status, 503);
  t.match(direct.json, { error: { code: 'overloaded', message: /store/ } });
  t.ok(Number(direct.headers.get('retry-after')) >= 1);
  t.equal((await json(`${server.url}/readyz`)).status, 503);
  t.equal((await json(`${server.url}/healthz`)).status, 200, 'a restart would not help');
  t.equal((await json(`${agent.url}/readyz`)).status, 200, 'the agent has room');
  for (let i = 0; i < 5; i++) await send();
  t.ok(agent.status().books.buffered > 0, 'the agent keeps what it cannot hand over');
  balanced(t, { server, agent });

  files.freeBytes = Number.POSITIVE_INFINITY;
  await handedOver({ agent });
  for (let i = 0; i < 30; i++) t.equal(await totalOf(server, `tab_${i}`), accepted, `tab_${i}`);
  t.equal(
    (await json(`${server.url}/names?re=1&name=direct`)).json.length,
    0,
    'what got 503 was not counted',
  );
  await until('nothing is waited for any more', async () => (await waitingFor()) === null);
  t.equal((await post(`${server.url}/post`, v1({ d: { direct: [line] } }))).status, 200);
  balanced(t, { server, agent });

  const reopened = await serverOn(t, files.image());
  for (let i = 0; i < 30; i++) t.equal(await totalOf(reopened, `tab_${i}`), accepted, `tab_${i} on disk`);
});
