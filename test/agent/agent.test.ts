import { request } from 'node:http';
import { deflateSync } from 'node:zlib';
import t from 'tap';
import { startAgent } from '../../src/agent/agent.js';
import { defaultLimits } from '../../src/core/limits.js';
import { DenyLists } from '../../src/intake/deny-lists.js';
import { agentOf, ask, post, v1Body } from './agent-kit.js';

const nowSec = Math.floor(Date.now() / 1000);
const line = (value: string, type = 'CounterGroup', at: number | string = nowSec): string =>
  `[${JSON.stringify(type)}, ${at}, ${JSON.stringify(value)}]`;

t.test('events over every HTTP entrance', async (t) => {
  const { agent } = await agentOf(t);
  const body = v1Body({ bids: [line('1.5'), line('[2]')], price: [line('"x"', 'Gauge')] });
  t.match(await post(`${agent.url}/post`, body), { status: 200, json: { accepted: 3, rejected: [] } });
  t.match(await post(`${agent.url}/post_zip`, deflateSync(body)), { status: 200, json: { accepted: 3 } });
  t.match(await post(`${agent.url}/events`, '{"name": "bids", "value": 1}\n{"name": "bids", "value": 2}\n'), {
    status: 200,
    json: { accepted: 2 },
  });
  t.match(agent.status().books, { received: 8, buffered: 8, delivered: 0, balance: 0 });
});

t.test('a fault in one item rejects that item alone, by code and index', async (t) => {
  const { agent } = await agentOf(t, {
    denyLists: new DenyLists({ names: ['secret'], clients: [], maxExpressionBytes: 100 }),
  });
  const long = 'x'.repeat(1025);
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ name: 'a', value: 1, type: 'NoSuchType' }, 'unknown_type'],
    [{ name: 'not a name', value: 1 }, 'bad_name'],
    [{ name: '', value: 1 }, 'bad_name'],
    [{ name: long, value: 1 }, 'bad_name'],
    [{ name: 'a', client: 'ä', value: 1 }, 'bad_client'],
    [{ name: 'a', client: long, value: 1 }, 'bad_client'],
    [{ name: 'a', value: 'NaN' }, 'bad_value'],
    [{ name: 'a', value: { deep: 1 } }, 'bad_value'],
    [{ name: 'a', value: 1, timestamp: -5 }, 'bad_timestamp'],
    [{ name: 'a', value: 1, timestamp: 'now' }, 'bad_timestamp'],
    [{ name: 'ok', value: 'x', type: 'Gauge' }, 'type_conflict'],
    [{ name: 'secret.thing', value: 1 }, 'denied'],
    [{ name: 'g', type: 'Gauge', value: 'v'.repeat(2000) }, 'bad_value'],
    [{ nome: 'a', value: 1 }, 'bad_event'],
  ];
  for (const [item, code] of cases) {
    const answer = await post(
      `${agent.url}/events`,
      JSON.stringify([{ name: 'ok', value: 1 }, item, { name: 'ok', value: 2 }]),
    );
    t.match(
      answer,
      { status: 200, json: { accepted: 2, rejected: [{ index: 1, code }] } },
      JSON.stringify(item).slice(0, 60),
    );
    t.equal(answer.json.rejected.length, 1);
  }
  const { books, malformed } = agent.status();
  t.equal(books.received, cases.length * 3);
  t.equal(books.buffered, cases.length * 2);
  t.equal(books.rejected.type_conflict, 1);
  t.equal(books.balance, 0);
  t.ok(malformed.length > 0 && malformed.length <= 20);
});

t.test('v1: a broken line, NaN and a wrong type are items; the rest counts', async (t) => {
  const { agent } = await agentOf(t);
  const body = v1Body({
    a: [line('1'), '{broken', line('NaN'), line('1', 'CounterGroup', 'NaN'), line('3')],
  });
  const answer = await post(`${agent.url}/post`, body);
  t.match(answer, { status: 200, json: { accepted: 2 } });
  t.same(
    answer.json.rejected.map(({ index }: { index: number }) => index),
    [1, 2, 3],
  );
});

t.test(
  'a timestamp a year ahead is counted at the present, one a year behind where it belongs',
  async (t) => {
    const { agent } = await agentOf(t);
    const year = 365 * 86_400;
    const body = v1Body({
      a: [line('1', 'CounterGroup', nowSec + year), line('1', 'CounterGroup', nowSec - year)],
    });
    t.match(await post(`${agent.url}/post`, body), { status: 200, json: { accepted: 2, clamped: 1 } });
    t.equal(agent.status().clamped_timestamps, 1);
  },
);

t.test('what breaks the framing is refused as a whole, and nothing of it counts', async (t) => {
  const limits = { ...defaultLimits, maxBodyBytes: 20_000, maxDecompressedBytes: 100_000 };
  const { agent } = await agentOf(t, { limits });
  const good = v1Body({ a: [line('1')] });
  const zipped = deflateSync(good);
  const refused: readonly (readonly [string, string, string | Uint8Array, number, string])[] = [
    ['an unknown version', '/post', good.replace('1\n', '7\n'), 400, 'unsupported_version'],
    ['no version', '/post', 'hello', 400, 'unsupported_version'],
    ['an empty body', '/post', '', 400, 'bad_framing'],
    ['half of a JSON array', '/events', '[{"name": "a", "value": 1}, {"na', 400, 'bad_framing'],
    ['half of a zlib stream', '/post_zip', zipped.subarray(0, zipped.length - 6), 400, 'bad_framing'],
    ['no zlib stream', '/post_zip', good, 400, 'bad_framing'],
    ['bytes behind the zlib stream', '/post_zip', Buffer.concat([zipped, zipped]), 400, 'bad_framing'],
    ['a zip bomb', '/post_zip', deflateSync(Buffer.alloc(10_000_000)), 413, 'body_too_large'],
    ['an oversized body', '/post', v1Body({ a: new Array(1000).fill(line('1')) }), 413, 'body_too_large'],
  ];
  for (const [what, path, body, status, code] of refused) {
    t.match(await post(agent.url + path, body), { status, json: { error: { code } } }, what);
  }
  t.match(await post(`${agent.url}/events`, '[{"name": "", "value": 1}]'), {
    status: 400,
    json: { code: 'nothing_accepted', rejected: [{ code: 'bad_name' }] },
  });
  const { books } = agent.status();
  t.match(books, { received: 1, buffered: 0, rejected: { bad_name: 1 }, balance: 0 });
});

t.test('half a body counts nothing', async (t) => {
  const { agent } = await agentOf(t);
  const body = v1Body({ a: [line('1'), line('1')] });
  const { port } = new URL(agent.url);
  const sending = request({
    port,
    path: '/post',
    method: 'POST',
    headers: { 'content-length': body.length * 2 },
  });
  const ended = new Promise<void>((resolve) => sending.once('close', () => resolve()));
  sending.once('error', () => {});
  await new Promise<void>((resolve) => sending.write(body, () => resolve()));
  sending.destroy();
  await ended;
  t.match(await post(`${agent.url}/events`, '{"name": "b", "value": 1}'), { status: 200 });
  t.equal(agent.status().books.received, 1);
});

t.test('status for people and for programs, health and readiness', async (t) => {
  const { agent } = await agentOf(t);
  await post(`${agent.url}/events`, '[{"name": "a", "value": 1}, {"name": "a", "value": "x"}]');
  const text = await ask(`${agent.url}/status`);
  t.match(text.headers.get('content-type'), /text\/plain/);
  t.match(text.text, /received +buffered +delivered +rejected +dropped +balance/);
  t.match(text.text, /rejected as bad_value: 1/);
  t.match(text.text, /127\.0\.0\.1:9/);
  const json = await ask(`${agent.url}/status`, { headers: { accept: 'application/json' } });
  t.match(json.json, {
    role: 'agent',
    version: '0.0.0',
    accepting: true,
    total_tasks: 0,
    books: { received: 2, buffered: 1, rejected: { bad_value: 1 }, balance: 0 },
    servers: [{ address: '127.0.0.1:9', buckets: 0 }],
    spool: null,
    mirror: null,
  });
  t.equal((await ask(`${agent.url}/healthz`)).status, 200);
  t.equal((await ask(`${agent.url}/readyz`)).status, 200, 'no server, but room');
  t.equal((await ask(`${agent.url}/nothing`)).status, 404);
  t.match(await ask(`${agent.url}/post`), { status: 405, json: { error: { code: 'wrong_method' } } });
});

t.test('a tab that waits under one type is refused under another, whichever way both came', async (t) => {
  const { agent } = await agentOf(t);
  const send = (item: object) => post(`${agent.url}/events`, JSON.stringify({ value: 1, ...item }));
  t.match(await send({ name: 'a' }), { status: 200, json: { accepted: 1 } });
  t.match(await send({ name: 'a', type: 'Gauge' }), {
    status: 400,
    json: { rejected: [{ code: 'type_conflict', message: /^a: is a CounterGroup, not a Gauge/ }] },
  });
  t.match(await send({ name: 'b', type: 'Gauge' }), { status: 200 });
  t.match(await send({ name: 'b' }), { status: 400, json: { rejected: [{ code: 'type_conflict' }] } });
  t.match(agent.status().books, { received: 4, buffered: 2, rejected: { type_conflict: 2 }, balance: 0 });
});

t.test('no room: 503 with Retry-After, nothing counted, not ready; what merges still goes in', async (t) => {
  let heapShare = 0.1;
  const { agent } = await agentOf(t, { maxBufferedPairs: 3, seams: { heapShare: () => heapShare } });
  const events = (...names: string[]): string => JSON.stringify(names.map((name) => ({ name, value: 1 })));
  t.equal((await post(`${agent.url}/events`, events('a', 'b'))).status, 200);
  const refused = await post(`${agent.url}/events`, events('c', 'd'));
  t.match(refused, { status: 503, json: { error: { code: 'overloaded', waiting_for: 'pairs' } } });
  t.equal(refused.headers.get('retry-after'), '1');
  t.equal((await post(`${agent.url}/events`, events('a', 'b', 'c'))).status, 200);
  t.equal((await ask(`${agent.url}/readyz`)).status, 503);
  t.equal((await post(`${agent.url}/events`, events('a', 'b', 'c'))).status, 200, 'the same pairs again');
  heapShare = 0.95;
  t.match(await post(`${agent.url}/events`, events('a')), {
    status: 503,
    json: { error: { waiting_for: 'memory' } },
  });
  t.equal((await ask(`${agent.url}/healthz`)).status, 200);
  t.match(agent.status(), { refused_bodies: 2, books: { received: 8, buffered: 8, balance: 0 } });
});

t.test('more tabs than allowed are rejected by name, those known go on', async (t) => {
  const { agent } = await agentOf(t, { limits: { ...defaultLimits, maxTabs: 1, maxClients: 1 } });
  const both =
    '[{"name": "a", "value": 1, "client": "c"}, {"name": "b", "value": 1, "client": "c"}, {"name": "a", "value": 1, "client": "d"}]';
  t.match(await post(`${agent.url}/events`, both), {
    status: 200,
    json: {
      accepted: 1,
      rejected: [
        { index: 1, code: 'too_many_tabs' },
        { index: 2, code: 'too_many_clients' },
      ],
    },
  });
});

t.test('closing: not ready, nothing new, and what is lost is said', async (t) => {
  const { agent, log } = await agentOf(t);
  await post(`${agent.url}/events`, '{"name": "a", "value": 1}');
  const closing = agent.close(50);
  t.equal(agent.status().accepting, false);
  await closing;
  t.equal(agent.close(), closing, 'closing again is the same closing');
  t.equal(log.count('events_lost'), 1);
  await t.rejects(ask(`${agent.url}/healthz`), 'nobody listens any more');
});

t.test('settings that cannot work are refused', async (t) => {
  const start = (options: object): Promise<unknown> => agentOf(t, options);
  await t.rejects(start({ servers: [] }), { code: 'bad_setting' });
  await t.rejects(start({ servers: ['server:8300'] }), { code: 'bad_setting', message: 'server:8300' });
  await t.rejects(start({ mirror: ['nonsense'] }), { code: 'bad_setting' });
  await t.rejects(start({ spoolMaxAgeMs: 7 * 86_400_000 }), {
    code: 'bad_setting',
    message: 'spool-max-age',
  });
  await t.rejects(start({ clientId: 'not a client' }), { code: 'bad_client' });
  const { agent } = await agentOf(t);
  await t.rejects(start({ port: Number(new URL(agent.url).port) }), { code: 'port_in_use' });
  t.type(startAgent, 'function');
});
