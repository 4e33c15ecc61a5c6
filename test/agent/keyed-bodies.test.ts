/** Bodies under an Idempotency-Key into an agent: a repeat counts once, as far as the agent remembers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { RunningAgent } from '../../src/agent/agent.js';
import { KeyedBodies } from '../../src/agent/keyed-bodies.js';
import { systemDisk } from '../../src/agent/spool/spool-file.js';
import { taba } from '../cli/terminal.js';
import { FakeClock } from '../support/fake-clock.js';
import { agentOf, ask, post, until } from './agent-kit.js';
import { realServer } from './real-server.js';
import { folderOf } from './spool/kit.js';

const one = (name: string, type = 'CounterGroup'): string =>
  JSON.stringify({ name, value: 1, type, client: 'c' });
const key = (text: string): Record<string, string> => ({ 'idempotency-key': text });
const received = (agent: RunningAgent): number => agent.status().books.received;

for (const way of ['memory', 'a spool', 'a mirror'] as const) {
  t.test(`a body that comes again under its key counts once, with ${way}`, async (t) => {
    const { agent } = await agentOf(t, {
      ...(way === 'a spool' && { spoolFolder: folderOf(t) }),
      ...(way === 'a mirror' && { mirror: ['http://127.0.0.1:9'] }),
    });
    const url = `${agent.url}/events`;
    const body = `[${one('a')}, ${one('b', 'Gauge')}, {"name": "a", "value": "x"}]`;
    const first = await post(url, body, key('k'));
    t.match(first, { status: 200, json: { accepted: 2, rejected: [{ index: 2, code: 'bad_value' }] } });
    for (let time = 0; time < 2; time++) {
      const again = await post(url, body, key('k'));
      t.same([again.status, again.json], [first.status, first.json]);
    }
    t.match(agent.status(), { books: { received: 3, buffered: 2, rejected: { bad_value: 1 }, balance: 0 } });
    t.equal((await post(url, body, key('another'))).status, 200);
    t.equal((await post(url, body)).status, 200);
    t.equal(received(agent), 9, 'another key, or none, is another body');
  });
}

t.test('a key that was used for another body is refused, and so is one that is none', async (t) => {
  const { agent } = await agentOf(t);
  const url = `${agent.url}/events`;
  await post(url, one('a'), key('k'));
  t.match(await post(url, one('b'), key('k')), {
    status: 422,
    json: { error: { code: 'idempotency_mismatch' } },
  });
  t.match(await post(url, one('b'), key('k'.repeat(257))), {
    status: 400,
    json: { error: { code: 'bad_parameter' } },
  });
  t.match(agent.status(), { books: { received: 1, balance: 0 } });
});

t.test('only a body that was taken uses its key up', async (t) => {
  let heapShare = 0.1;
  const { agent } = await agentOf(t, { seams: { heapShare: () => heapShare } });
  const url = `${agent.url}/events`;
  t.equal((await post(url, '{"name": "a"', key('k'))).status, 400);
  heapShare = 0.95;
  t.equal((await post(url, one('a'), key('k'))).status, 503);
  heapShare = 0.1;
  t.equal((await post(url, one('a'), key('k'))).status, 200);
  t.equal(received(agent), 1);
  heapShare = 0.95;
  t.equal((await post(url, one('a'), key('k'))).status, 200, 'a repeat needs no room');
  t.equal(received(agent), 1);
});

t.test('a repeat says what the body is, whatever else waits by then', async (t) => {
  const { agent } = await agentOf(t);
  const url = `${agent.url}/events`;
  const body = `${one('a')}\n${one('b')}`;
  t.match(await post(url, body, key('k')), { status: 200, json: { accepted: 2 } });
  t.match(await post(url, one('a', 'Gauge')), { status: 400 }, 'the tab is known by its type');
  t.match(await post(url, body, key('k')), { status: 200, json: { accepted: 2, rejected: [] } });
});

t.test('many at once under one key: all are answered, one counts', async (t) => {
  const { agent } = await agentOf(t, { spoolFolder: folderOf(t) });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post(`${agent.url}/events`, one('a'), key('k'))),
  );
  for (const answer of answers) t.match(answer, { status: 200, json: { accepted: 1 } });
  t.equal(received(agent), 1);
});

t.test('a repeat is not answered before what came first is on the disk', async (t) => {
  const syncs: ((error: Error | null) => void)[] = [];
  const disk = {
    ...systemDisk,
    sync: (_fd: number, done: (error: Error | null) => void) => void syncs.push(done),
  };
  const { agent } = await agentOf(t, { spoolFolder: folderOf(t), spoolFsync: true, seams: { disk } });
  const url = `${agent.url}/events`;
  let answered = 0;
  const send = async (name: string) => {
    const { status } = await post(url, one(name), key(name));
    answered++;
    return status;
  };
  const both = [send('a'), send('a')];
  await until('both', () => agent.status().requests === 2 && syncs.length === 1);
  t.equal(answered, 0);
  syncs.shift()!(null);
  t.same(await Promise.all(both), [200, 200]);
  const failing = send('b');
  await until('a sync', () => syncs.length === 1);
  syncs.shift()!(new Error('EIO'));
  t.equal(await failing, 504, 'taken, but perhaps not safe');
  const again = send('b');
  await until('another sync, for the repeat', () => syncs.length === 1);
  t.equal(answered, 3);
  syncs.shift()!(null);
  t.equal(await again, 200);
  t.match(agent.status().books, { received: 2, buffered: 2, balance: 0 });
});

t.test('a spool remembers keys over a restart, and over its own compaction', async (t) => {
  const spoolFolder = folderOf(t);
  const first = await agentOf(t, { spoolFolder });
  t.equal((await post(`${first.agent.url}/events`, one('a'), key('k'))).status, 200);
  await first.agent.close(0);
  const server = await realServer(t);
  const second = await agentOf(t, { spoolFolder, servers: [server.url] });
  t.match(await post(`${second.agent.url}/events`, one('a'), key('k')), {
    status: 200,
    json: { accepted: 1, rejected: [] },
  });
  // As much as it takes until the file is written anew.
  const large = Array.from({ length: 20_000 }, (_, index) => one(`large${index}`)).join('\n');
  await until('a compaction', async () => {
    await post(`${second.agent.url}/events`, large);
    return second.agent.status().spool!.compactions > 0;
  });
  await second.agent.close();
  const third = await agentOf(t, { spoolFolder, servers: [server.url] });
  const before = received(third.agent);
  t.equal((await post(`${third.agent.url}/events`, one('a'), key('k'))).status, 200);
  t.match(await post(`${third.agent.url}/events`, one('b'), key('k')), { status: 422 });
  t.match(third.agent.status().books, { received: before, balance: 0 });
  t.equal(server.counts.get('a c'), 1);
});

t.test('the newest bodies are remembered, and none for longer than a day', (t) => {
  const clock = new FakeClock();
  const request = (name: string) => ({
    headers: new Map([['idempotency-key', name]]),
    body: Buffer.from(name),
  });
  const bodies = new KeyedBodies({ clock, restored: [], maxBodies: 3 });
  const taken = (name: string): void => bodies.taken(bodies.of(request(name))!);
  const knows = (...names: string[]): boolean[] =>
    names.map((name) => bodies.knows(bodies.of(request(name))!));
  for (const name of ['a', 'b', 'c', 'd']) taken(name);
  t.same(knows('a', 'b', 'c', 'd'), [false, true, true, true]);
  clock.advance(86_400_000);
  taken('e');
  t.same(knows('b', 'c', 'd', 'e'), [false, true, true, true]);
  clock.advance(1);
  taken('f');
  t.same(
    [...bodies.entries()].map((body) => body.key),
    ['e', 'f'],
  );
  const restored = new KeyedBodies({ clock, restored: bodies.entries() });
  t.equal(restored.knows(bodies.of(request('e'))!), true);
  t.equal(restored.size, 2);
  t.equal(bodies.of({ headers: new Map(), body: Buffer.from('a') }), undefined);
  t.end();
});

/** In front of an agent: passes on what comes, and hangs up instead of passing back the answers that `isLost` picks. */
async function losingAnswers(t: Test, agent: RunningAgent, isLost: (count: number) => boolean) {
  let count = 0;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const answer = await ask(`${agent.url}${incoming.url}`, {
      method: 'POST',
      headers: { ...key(String(incoming.headers['idempotency-key'])) },
      body: Buffer.concat(chunks),
    });
    if (isLost(++count)) incoming.socket.destroy();
    else outgoing.writeHead(answer.status).end(answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('taba record through an agent whose answers are lost counts every line once', async (t) => {
  const { agent } = await agentOf(t);
  const url = await losingAnswers(t, agent, (count) => count === 2);
  const ran = await taba(['record', '--server', url], { stdin: 'a 1\n'.repeat(4500) });
  t.same(ran, { code: 0, out: '4,500 accepted, 0 rejected\n', err: '' });
  t.equal(received(agent), 4500);
});
