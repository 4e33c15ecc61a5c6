import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { systemDisk } from '../../src/agent/spool/spool-file.js';
import { programOf } from '../support/program.js';
import { agentOf, ask, post, until } from './agent-kit.js';
import { realServer } from './real-server.js';
import { folderOf } from './spool/kit.js';

const one = (name: string): string => JSON.stringify({ name, value: 1, client: 'c' });

t.test('what was answered with 200 survives the agent, and is delivered by the next one', async (t) => {
  const spoolFolder = folderOf(t);
  const first = await agentOf(t, { spoolFolder });
  t.equal((await post(`${first.agent.url}/events`, one('a'))).status, 200);
  t.equal((await post(`${first.agent.url}/events`, one('b'))).status, 200);
  await first.agent.close(0);
  t.equal(first.log.count('agent_drained_in_part'), 1);
  const server = await realServer(t);
  const second = await agentOf(t, { spoolFolder, servers: [server.url] });
  t.equal(second.agent.status().instance, first.agent.status().instance);
  await until('delivery', () => second.agent.status().books.buffered === 0);
  t.same(Object.fromEntries(server.counts), { 'a c': 1, 'b c': 1 });
  t.match(second.agent.status().books, { received: 2, delivered: 2, balance: 0 });
});

t.test('killed again and again under load: every answered event is counted once', async (t) => {
  const spoolFolder = folderOf(t);
  const server = await realServer(t);
  const { file, execArgv } = programOf(fileURLToPath(new URL('./killable-agent.ts', import.meta.url)));
  let answered = 0;
  let unanswered = 0;
  let child: ChildProcess | undefined;
  t.teardown(() => child?.kill('SIGKILL'));
  for (let round = 0; round < 3; round++) {
    child = fork(file, [JSON.stringify({ spoolFolder, servers: [server.url] })], { execArgv, silent: true });
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    const url = line.toString().trim();
    // Blocks that were counted and not acknowledged are what a restart must not count again.
    server.silent = round === 1;
    const goal = answered + 40 + round * 7;
    while (answered < goal) {
      if ((await post(`${url}/events`, one(`tab${answered % 5}`))).status === 200) answered++;
    }
    const ended = once(child, 'exit');
    const last = post(`${url}/events`, one('last')).then(
      ({ status }) => status === 200,
      () => false,
    );
    child.kill('SIGKILL');
    await ended;
    if (await last) answered++;
    else unanswered++;
  }
  server.silent = false;
  const { agent } = await agentOf(t, { spoolFolder, servers: [server.url] });
  await until('delivery', () => agent.status().books.buffered === 0);
  const counted = [...server.counts.values()].reduce((sum, events) => sum + events, 0);
  t.ok(counted >= answered && counted <= answered + unanswered, `${answered} answered, ${counted} counted`);
  for (let tab = 0; tab < 5; tab++) t.ok(server.counts.get(`tab${tab} c`)! >= 27, `tab${tab}`);
  t.equal(agent.status().books.balance, 0);
});

t.test('a second agent on the same spool is refused', async (t) => {
  const spoolFolder = folderOf(t);
  const { agent } = await agentOf(t, { spoolFolder });
  await t.rejects(agentOf(t, { spoolFolder }), { code: 'folder_in_use' });
  t.equal((await post(`${agent.url}/events`, one('a'))).status, 200, 'the first goes on');
  await agent.close(0);
  const { agent: third } = await agentOf(t, { spoolFolder });
  t.equal(third.status().books.buffered, 1);
});

t.test('a full disk: 503, nothing counted, said in the status, and on it goes', async (t) => {
  let full = false;
  const disk = {
    ...systemDisk,
    write: (fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number => {
      if (full) throw new Error('ENOSPC: no space left on device');
      return writeSync(fd, bytes, offset, length, position);
    },
  };
  const spoolFolder = folderOf(t);
  const { agent } = await agentOf(t, { spoolFolder, seams: { disk } });
  t.equal((await post(`${agent.url}/events`, one('a'))).status, 200);
  full = true;
  t.match(await post(`${agent.url}/events`, one('a')), {
    status: 503,
    json: { error: { code: 'overloaded' } },
  });
  t.match(agent.status(), { accepting: false, waiting_for: 'spool', spool: { waiting_for: /ENOSPC/ } });
  t.equal((await ask(`${agent.url}/readyz`)).status, 503);
  full = false;
  await until('room', () => agent.status().accepting);
  t.equal((await post(`${agent.url}/events`, one('a'))).status, 200);
  t.match(agent.status().books, { received: 2, buffered: 2, balance: 0 });
});

t.test('with fsync the answer waits for the disk; a failing disk is no reason to repeat', async (t) => {
  const syncs: ((error: Error | null) => void)[] = [];
  const disk = {
    ...systemDisk,
    sync: (_fd: number, done: (error: Error | null) => void) => void syncs.push(done),
  };
  const { agent } = await agentOf(t, { spoolFolder: folderOf(t), spoolFsync: true, seams: { disk } });
  let answered = false;
  const first = post(`${agent.url}/events`, one('a')).then((answer) => {
    answered = true;
    return answer;
  });
  await until('sync', () => syncs.length > 0);
  t.equal(answered, false);
  syncs.shift()!(null);
  t.equal((await first).status, 200);
  const second = post(`${agent.url}/events`, one('a'));
  await until('sync', () => syncs.length > 0);
  syncs.shift()!(new Error('EIO'));
  t.match(await second, { status: 504, json: { error: { code: 'counted_in_part' } } });
  t.match(agent.status().books, { buffered: 2, balance: 0 });
});
