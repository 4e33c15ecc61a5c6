import t from 'tap';
import { askServer, NoAnswer, ServerFault } from '../../src/client/ask-server.js';
import { createReader } from '../../src/client/reader.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { defaultLimits } from '../../src/core/limits.js';
import { DenyLists } from '../../src/intake/deny-lists.js';
import type { Log } from '../../src/runtime/log.js';
import { systemClock } from '../../src/runtime/system-clock.js';
import { startServer } from '../../src/server/server.js';
import { openMemoryStore } from '../../src/storage/memory/memory-store.js';

const silence: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silence,
};
const server = await startServer({
  host: '127.0.0.1',
  port: 0,
  roles: ['fe', 'be', 'ctrl'],
  heartbeatMs: 500,
  leaseMs: 3000,
  store: openMemoryStore({ bucketCount: 8 }),
  bucketCount: 8,
  clientId: 'host',
  registry: builtinHandlers(),
  limits: defaultLimits,
  denyLists: new DenyLists({ names: [], clients: [], maxExpressionBytes: 1_024 }),
  checkpointIntervalMs: 10_000,
  pruneClientSec: 172_800,
  pruneTabSec: 2_592_000,
  memory: { maxStates: 10_000 },
  selfInstrument: false,
  drainDeadlineMs: 5_000,
  clock: systemClock(),
  log: silence,
  version: '0.0.0',
});
t.teardown(() => server.close(5_000));
const reader = createReader({ url: server.url });

t.before(async () => {
  const event = (name: string, client: string) => JSON.stringify({ name, client, value: 2 });
  await askServer(server.url, {
    path: '/events',
    method: 'POST',
    accept: 'application/json',
    body: {
      type: 'application/x-ndjson',
      content: [event('a', 'one'), event('a', 'two'), event('b', 'one'), event('c', 'two')].join('\n'),
    },
    timeoutMs: 10_000,
  });
});

t.test('looks', async (t) => {
  t.same(await reader.names(), ['a', 'b', 'c']);
  t.same(await reader.names({ names: ['a', '[bx]'], re: true }), ['a', 'b'], 'one that matches is enough');
  t.same(await reader.clients(), ['one', 'two']);
  t.same(await reader.types({ names: ['a'] }), { a: 'CounterGroup' });
  t.match(await reader.tabs({ names: ['a', 'b'] }), { a: { '1m': { total: 4 } }, b: { '1m': { total: 2 } } });
  t.match(await reader.tabs({ names: ['a'], clients: ['one'] }), { a: { '1m': { total: 2 } } });
  t.match(await reader.tabs({ names: ['a'], detail: true }), { a: { type: 'CounterGroup' } });
  t.match(await reader.projection({ names: ['a'] }), { one: { a: {} }, two: { a: {} } });
  t.match(await reader.superTabs({ names: ['[ab]'], re: true }), { '1m': { total: 6 } });
  t.match(await reader.status(), { roles: ['fe', 'be', 'ctrl'] });
  t.same(Object.values(await reader.servers()), [['fe', 'be', 'ctrl']]);
  t.match(await reader.latency(), { processed_avg: Number });
});

t.test('answers come as they were written, in each form', async (t) => {
  t.equal(await reader.answer('/names'), 'a\nb\nc\n');
  t.equal(await reader.answer('/types', { names: ['b'], form: 'json' }), '{"b": "CounterGroup"}\n');
  t.match(await reader.answer('/tabs', { names: ['b'], form: 'detailed' }), /"as_of"/);
});

t.test('a selection that is too long for a URL is sent as a form', async (t) => {
  const names = ['a', ...Array.from({ length: 2_000 }, () => 'b')];
  t.same(Object.keys(await reader.tabs({ names })), ['a', 'b']);
});

t.test('acts', async (t) => {
  t.match(await reader.check(), { findings: [], repaired: false });
  t.match(await reader.check(true), { repaired: true });
  t.match(await reader.gc(), { tabs: 0 });
  t.match(await reader.upgrade(), { upgraded: 0 });
  t.match(await reader.recompute({ names: ['a'] }), { recomputed: 1 });
  t.match(await reader.flushAll([0, 7]), { dropped: 0 });
  t.match(await reader.delete({ names: ['c'] }), { deleted: 1 });
  t.same(await reader.names(), ['a', 'b']);
});

t.test('an empty selection does not become all', async (t) => {
  await t.rejects(reader.delete({ names: [] }), { code: 'bad_parameter' });
  t.same(await reader.names(), ['a', 'b']);
});

t.test('faults have the code of the catalogue and its remedy; silence says who was asked', async (t) => {
  const fault = await reader.tabs({ names: ['nope'] }).catch((error: unknown) => error);
  t.ok(fault instanceof ServerFault);
  t.match(fault, { status: 404, code: 'unknown_tab', message: /nope/, remedy: /taba names/ });
  await t.rejects(reader.flushAll([8]), { code: 'bad_parameter' });
  const nobody = createReader({ url: 'http://127.0.0.1:9' }).names();
  await t.rejects(nobody, new NoAnswer('http://127.0.0.1:9', 'nobody listens there', 'ECONNREFUSED'));
});
