import t from 'tap';
import type { StoreFinding } from '../../../src/storage/store.js';
import { block } from '../reduce/owners-kit.js';
import { TinyCluster, type TinyOptions, tabsIn } from './cluster-kit.js';

const tab = (bucket: number, index = 0): string => tabsIn[bucket]![index]!;

async function filled(options: TinyOptions = {}): Promise<TinyCluster> {
  const cluster = await TinyCluster.of([[0, 1], [2, 3], []], options);
  for (const bucket of [0, 1, 2, 3]) {
    await cluster.count({ tab: tab(bucket), client: 'c' }, { tab: tab(bucket, 1), client: 'd' });
  }
  return cluster;
}

t.test('deletes tabs wherever they are, by name or expression', async (t) => {
  const { servers } = await filled();
  const [a, b, c] = servers;
  const listed = `name=${[tab(0), tab(3)].join(',')}`;
  t.strictSame((await c!.post(`/delete?${listed}`)).json, { deleted: 2 });
  t.match((await a!.post(`/delete?${listed}`)).error, { code: 'unknown_tab', missing: [tab(0), tab(3)] });
  t.strictSame((await a!.post(`/delete?re=1&name=${tab(2)}$`)).json, { deleted: 1 });
  t.strictSame((await a!.post('/delete?re=1&name=nothing')).json, { deleted: 0 });
  t.match((await a!.post('/delete')).error, { code: 'bad_parameter' });
  const left = [tab(1), ...[0, 1, 2, 3].map((bucket) => tab(bucket, 1))].sort();
  t.strictSame((await b!.ask('/names')).json, left);
});

t.test('deletes more tabs than the names of which one question has room for', async (t) => {
  const limits = { maxTabs: 1000, maxClients: 100, allowedSkewSec: 10 };
  const cluster = await filled({ owners: { limits } });
  const [a, b] = cluster.servers;
  const names = Array.from({ length: 200 }, (_, index) => `long${index}.${'x'.repeat(900)}`);
  await cluster.count(...names.map((name) => ({ tab: name, client: 'c' })));
  t.strictSame((await a!.post('/delete?re=1&name=long')).json, { deleted: 200 });
  t.equal(((await b!.ask('/names')).json as string[]).length, 8);
});

t.test('adds up what every holder did', async (t) => {
  const cluster = await filled();
  const [a, b, c] = cluster.servers;
  t.strictSame((await a!.post('/recompute')).json, { recomputed: 8 });
  t.strictSame((await b!.post(`/recompute?name=${tab(0)},${tab(2)}`)).json, { recomputed: 2 });
  t.strictSame((await c!.post('/upgrade')).json, { upgraded: 0 });
  t.strictSame((await c!.post('/gc')).json, { tabs: 0, clients: 0, producers: 0 });
  cluster.clock.jumpTo(cluster.clock.nowMs() + 100 * 24 * 3_600_000);
  t.strictSame((await c!.post('/gc')).json, { tabs: 8, clients: 0, producers: 8 });
  t.strictSame((await a!.ask('/names')).json, []);
});

t.test('looks at the States of every holder, and at the store once', async (t) => {
  const looks: boolean[] = [];
  const finding: StoreFinding = { key: 'taba:x', problem: 'belongs to nothing', repaired: false };
  const cluster = await filled({
    examine: async ({ repair }) => {
      looks.push(repair);
      return repair ? [{ ...finding, repaired: true }] : [finding];
    },
  });
  const [, b, c] = cluster.servers;
  const sent = { ...block({ tab: tab(2), producer: 'broken' }), payload: Uint8Array.of(1) };
  await b!.owners.take(sent);
  const looked = await c!.ask('/check');
  t.match(looked.json, { findings: [finding], set_aside: [{ bucket: 2, events: 1 }], repaired: false });
  t.equal((await c!.ask('/check?dry=false')).error.code, 'wrong_method');
  t.match((await c!.post('/check?dry=false')).json, {
    findings: [{ key: 'taba:x', repaired: true }],
    repaired: true,
  });
  t.same(looks, [false, true]);
});

t.test('a bucket that moves meanwhile is done by its new holder, and told of once', async (t) => {
  const cluster = await filled();
  const [a, b, c] = cluster.servers;
  const sent = { ...block({ tab: tab(2), producer: 'broken' }), payload: Uint8Array.of(1) };
  await b!.owners.take(sent);
  let moves = 0;
  b!.beforeAnswer = async () => {
    if (moves++ === 0) await cluster.move(2, c);
  };
  const checked = await cluster.eventually(a!.ask('/check'));
  t.match(checked.json, { set_aside: [{ bucket: 2 }] });
  t.equal((checked.json as { set_aside: unknown[] }).set_aside.length, 1);
  t.equal(c!.asked, 1);
});

t.test('a bucket that could not be done is named with the reason, beside what was done', async (t) => {
  const cluster = await filled();
  const [a, b] = cluster.servers;
  const { listSetAside } = cluster.store;
  cluster.store.listSetAside = async (bucket) => {
    if (bucket === 1) throw new Error('the disk is on fire');
    return listSetAside.call(cluster.store, bucket);
  };
  const checked = await cluster.eventually(a!.ask('/check'));
  t.equal(checked.status, 503);
  t.match(checked.error, {
    code: 'unavailable',
    message: 'not done in bucket 1: the disk is on fire',
    buckets: '1',
    reasons: { 'the disk is on fire': '1' },
    done: { findings: [], set_aside: [] },
  });
  b!.state = 'unreachable';
  const recomputed = await cluster.eventually(a!.post('/recompute'));
  t.match(recomputed.error, { code: 'unavailable', buckets: '2-3', done: { recomputed: 4 } });
  const deleted = await cluster.eventually(a!.post(`/delete?name=${tab(0)},${tab(2)}`));
  t.match(deleted.error, { code: 'unavailable', buckets: '2' }, 'before anything is deleted');
  t.equal((await a!.ask(`/names?name=${tab(0)}`)).status, 200);
});

t.test('discards in every server, and names those that were not reached', async (t) => {
  const cluster = await filled();
  const [a, b, c] = cluster.servers;
  for (const [index, server] of cluster.servers.entries()) server.waiting = 10 ** index;
  t.strictSame((await b!.post('/flush_all')).json, { dropped: 111 });
  t.same([a!.waiting, b!.waiting, c!.waiting], [0, 0, 0]);
  t.match((await a!.post('/flush_all?buckets=4')).error, { code: 'bad_parameter', message: /"4".* 0 to 3/ });
  for (const server of cluster.servers) server.waiting = 1;
  c!.state = 'unreachable';
  const { error } = await a!.post('/flush_all?buckets=0,3');
  t.match(error, { code: 'unavailable', message: /^not discarded by host:8302: /, done: { dropped: 2 } });
});
