import t from 'tap';
import { TabaError } from '../../../src/core/errors.js';
import { bucketCount } from '../reduce/owners-kit.js';
import { TinyCluster, tabsIn } from './cluster-kit.js';

const tab = (bucket: number, index = 0): string => tabsIn[bucket]![index]!;
const names = (tabs: readonly string[]): string => `name=${tabs.join(',')}`;
const first = [tab(0), tab(1), tab(2), tab(3)] as const;

/** Counters in each bucket, a gauge, and clients of which each holder knows one that the other does not. */
async function filled(shares: readonly (readonly number[])[]): Promise<TinyCluster> {
  const cluster = await TinyCluster.of(shares);
  for (const [bucket, name] of first.entries()) {
    await cluster.count(
      { tab: name, client: 'everywhere', value: 1 },
      { tab: name, client: `only-${bucket}`, value: 2 },
    );
  }
  for (const [client, value] of Object.entries({ x: 'red', y: 'red', z: 'blue' })) {
    await cluster.count(
      { tab: tab(0, 1), type: 'Gauge', client, value },
      { tab: tab(3, 1), type: 'Gauge', client, value },
    );
  }
  return cluster;
}

const questions = [
  '/tabs',
  `/tabs?${names([first[3], first[0]])}`,
  `/tabs?${names([first[3]])}&client=everywhere,only-3`,
  '/tabs?re=true&name=t&client=only',
  '/tabs?raw=true',
  '/projection',
  '/projection?client=everywhere',
  `/projection?${names(first)}&client=only-1`,
  `/supertabs?${names(first)}`,
  `/supertabs?${names(first)}&client=only-2`,
  `/supertabs?${names([tab(0, 1), tab(3, 1)])}`,
  '/names',
  '/names?client=only-2',
  '/names?re=true&name=t.*[02468]$',
  '/clients',
  `/clients?${names([first[1]])}`,
  '/clients?re=1&client=only',
  '/types',
  '/supertabs',
  '/tabs?name=nowhere',
  '/tabs?client=nobody',
];

t.test('every server gives the same answer, whoever holds what', async (t) => {
  const alone = await filled([[0, 1, 2, 3]]);
  const cluster = await filled([[0, 1], [2, 3], []]);
  for (const question of questions) {
    for (const accept of ['text/plain', 'application/json', 'application/json-detailed']) {
      const expected = await alone.servers[0]!.ask(question, { accept });
      for (const server of cluster.servers) {
        t.strictSame(await server.ask(question, { accept }), expected, `${question} as ${accept}`);
      }
    }
  }
});

t.test('the answers are what was counted', async (t) => {
  const { servers } = await filled([[0], [1, 2], [3]]);
  const ask = async (path: string): Promise<unknown> => (await servers[1]!.ask(path)).json;
  const counted = (count: number, total: number) => ({ count, total, average: total / count });
  t.strictSame(await ask(`/tabs?${names([first[3], first[0]])}`), {
    [first[0]]: counted(2, 3),
    [first[3]]: counted(2, 3),
  });
  t.strictSame(await ask(`/supertabs?${names(first)}`), counted(8, 12));
  t.strictSame(await ask(`/supertabs?${names(first)}&client=only-2`), counted(1, 2));
  t.strictSame(await ask(`/supertabs?${names([tab(0, 1), tab(3, 1)])}`), { red: 4, blue: 2 });
  t.strictSame(await ask(`/projection?${names([first[2]])}`), {
    everywhere: { [first[2]]: counted(1, 1) },
    'only-2': { [first[2]]: counted(1, 2) },
  });
  t.strictSame(await ask('/names?client=x'), [tab(0, 1), tab(3, 1)].sort());
  t.strictSame(await ask('/clients'), ['everywhere', 'only-0', 'only-1', 'only-2', 'only-3', 'x', 'y', 'z']);
  t.strictSame(await ask(`/clients?${names([first[1]])}`), ['everywhere', 'only-1']);
  t.match(await ask('/types'), { [first[0]]: 'TotalsCounter', [tab(3, 1)]: 'Gauge' });
});

t.test('only those are asked who hold the buckets, and oneself not over a link', async (t) => {
  const { servers } = await filled([[0], [1, 2], [3]]);
  const [a, b, c] = servers;
  await a!.ask(`/tabs?${names([first[0], first[1], first[2]])}`);
  t.same([a!.asked, b!.asked, c!.asked], [0, 1, 0]);
  await a!.ask(`/tabs?${names([first[0]])}`);
  t.same([a!.asked, b!.asked, c!.asked], [0, 1, 0]);
});

t.test('what is unknown is decided by all together', async (t) => {
  const { servers } = await filled([[0], [1, 2], [3]]);
  for (const server of servers) {
    const { error } = await server.ask(`/tabs?${names(['nowhere', first[0], 'neither', first[3]])}`);
    t.match(error, { code: 'unknown_tab', missing: ['nowhere', 'neither'] });
    const elsewhere = await server.ask(`/tabs?${names([first[0]])}&client=only-3`);
    t.same([elsewhere.status, elsewhere.json], [200, {}], 'a client of other tabs is known');
    const nobody = await server.ask(`/tabs?${names([first[0]])}&client=nobody,only-3`);
    t.match(nobody.error, { code: 'unknown_client', missing: ['nobody'] });
    t.match((await server.ask('/supertabs')).error, {
      code: 'mixed_types',
      types: ['Gauge', 'TotalsCounter'],
    });
    t.match((await server.ask('/supertabs?re=1&name=nothing')).error, { code: 'unknown_tab' });
  }
});

t.test('a wrong belief about who holds a bucket costs a question, not the answer', async (t) => {
  const cluster = await filled([[0, 1], [2, 3], []]);
  const [a, b, c] = cluster.servers;
  const expected = (await a!.ask('/tabs')).json;
  await cluster.move(1, c);
  await cluster.move(2, a);
  t.strictSame((await cluster.eventually(b!.ask('/tabs'))).json, expected);
  t.strictSame((await cluster.eventually(c!.ask('/tabs'))).json, expected);
});

t.test('buckets that move while they are asked for are in the answer once', async (t) => {
  const cluster = await filled([[0, 1], [2, 3], []]);
  const [a, b, c] = cluster.servers;
  const expected = (await a!.ask(`/supertabs?${names(first)}`)).json;
  let moved = 0;
  b!.beforeAnswer = async () => {
    if (moved++ === 0) await cluster.move(2, c);
  };
  t.strictSame((await cluster.eventually(a!.ask(`/supertabs?${names(first)}`))).json, expected);
  t.equal(moved, 1, 'b was asked once, the rest of c');
  t.equal(c!.asked, 1);
});

t.test('a holder that is silent is given up when its lease is over, and its heir is asked', async (t) => {
  const cluster = await filled([[0, 1], [2, 3], []]);
  const [a, b, c] = cluster.servers;
  const expected = (await a!.ask('/tabs')).json;
  b!.state = 'silent';
  const answer = a!.ask('/tabs');
  await cluster.clock.advanceAsync(1_000);
  t.equal(b!.asked, 2, 'it is being waited for');
  cluster.gone.add(b!);
  await cluster.move(2, c);
  await cluster.move(3, c);
  t.strictSame((await cluster.eventually(answer)).json, expected);
});

t.test('buckets that nobody serves are named, or left out and marked', async (t) => {
  const cluster = await filled([[0, 1], [2, 3], []]);
  const [a, b] = cluster.servers;
  b!.state = 'unreachable';
  const startedMs = cluster.clock.monotonicMs();
  const refused = await cluster.eventually(a!.ask('/tabs'));
  t.equal(refused.status, 503);
  t.match(refused.error, { code: 'unavailable', buckets: '2-3', message: /^buckets 2-3 are not served/ });
  const tookMs = cluster.clock.monotonicMs() - startedMs;
  t.ok(tookMs > 2_000 && tookMs < 4_000, `after ${tookMs} ms`);

  const partial = (path: string, accept: string) =>
    cluster.eventually(a!.ask(`${path}?partial=true`, { accept }));
  const json = await partial('/tabs', 'application/json');
  t.equal(json.headers['x-taba-missing-buckets'], '2-3');
  t.strictSame(Object.keys(json.json as object), [first[0], first[1], tab(0, 1)].sort(), 'the shape stays');
  const detailed = await partial('/tabs', 'application/json-detailed');
  t.match(detailed.json, { '%missing_buckets': '2-3', [first[0]]: { type: 'TotalsCounter' } });
  const grouped = await partial('/projection', 'application/json-detailed');
  t.match(grouped.json, { '%missing_buckets': '2-3', everywhere: { [first[0]]: { type: 'TotalsCounter' } } });
  const text = await partial('/names', 'text/plain');
  t.match(text.text, /^# partial: nothing of buckets 2-3 is in this answer\nt\d\d\n/);
  const sum = await cluster.eventually(
    a!.ask(`/supertabs?partial=1&raw=1&${names([first[0], first[2]])}`, {
      accept: 'application/json-detailed',
    }),
  );
  t.match(sum.json, { '%missing_buckets': '2', count: 2, total: 3 });

  t.match(
    (await a!.ask(`/tabs?${names([first[0]])}`)).json,
    { [first[0]]: { count: 2 } },
    'who needs them not, waits not',
  );
});

t.test('nothing is called unknown while somebody who may know it cannot be asked', async (t) => {
  const cluster = await filled([
    [0, 1],
    [2, 3],
  ]);
  const [a, b] = cluster.servers;
  b!.state = 'unreachable';
  const code = async (path: string) => (await cluster.eventually(a!.ask(path))).error.code;
  t.equal(await code(`/tabs?${names([first[0], first[2]])}`), 'unavailable');
  t.equal(await code(`/tabs?${names([first[0]])}&client=only-3`), 'unavailable');
  t.equal(await code(`/tabs?${names([first[0], first[2]])}&partial=1`), '', 'the tab may well exist');
  t.equal(await code(`/tabs?${names([first[0]])}&client=only-3&partial=1`), '', 'so may the client');
  const gone = Array.from({ length: 50 }, (_, index) => `u${index}`);
  const { error } = await cluster.eventually(a!.ask(`/tabs?${names(gone)}&partial=1`));
  t.equal(error.code, 'unknown_tab');
  t.ok(
    (error.missing as string[]).length < gone.length,
    'of those, some may lie in a bucket that cannot be asked',
  );
});

t.test('a server that others take for dead shows nothing from its memory', async (t) => {
  const cluster = await filled([
    [0, 1],
    [2, 3],
  ]);
  const [a, zombie] = cluster.servers;
  zombie!.isCurrent = false;
  for (const server of cluster.servers) {
    const { error } = await cluster.eventually(server.ask('/tabs'));
    t.match(error, { code: 'unavailable', buckets: '2-3' });
  }
  cluster.gone.add(zombie!);
  await cluster.move(2, a);
  await cluster.move(3, a);
  await cluster.count({ tab: first[2], client: 'late', value: 5 });
  const { json } = await cluster.eventually(zombie!.ask(`/tabs?${names([first[2]])}`));
  t.match(json, { [first[2]]: { count: 3 } }, 'the zombie shows what its successor counted');
});

t.test('the size of the whole answer is limited, not of each part', async (t) => {
  const cluster = await TinyCluster.of(
    [
      [0, 1],
      [2, 3],
    ],
    { limits: { maxResultBytes: 120 } },
  );
  for (const name of first) await cluster.count({ tab: name });
  const [a] = cluster.servers;
  t.equal((await a!.ask(`/tabs?${names(first.slice(0, 2))}`)).status, 200);
  t.equal((await a!.ask(`/tabs?${names(first.slice(2))}`)).status, 200);
  t.equal((await a!.ask('/tabs')).error.code, 'result_too_large');
  t.equal((await a!.ask('/projection')).error.code, 'result_too_large');
  t.equal((await a!.ask('/names')).status, 200);
});

t.test('a fault that a holder finds is the fault of the query, at once', async (t) => {
  const cluster = await filled([
    [0, 1],
    [2, 3],
  ]);
  const [a, b] = cluster.servers;
  const expression = '(a*)*b'.repeat(200);
  t.equal((await a!.ask(`/names?re=1&name=${expression}`)).error.code, 'bad_expression');
  t.equal(b!.asked, 0, 'nobody is asked what makes no sense');
  b!.beforeAnswer = () => {
    throw new TabaError('query_too_slow', 'the query took more than 1000 ms of work');
  };
  t.equal((await a!.ask('/names?re=1&name=t')).error.code, 'query_too_slow');
  t.equal(b!.asked, 1, 'and is not asked again');
});

t.test('buckets are all there is', async (t) => {
  t.equal(tabsIn.length, bucketCount);
  t.ok(
    tabsIn.every((tabs) => tabs.length > 2),
    'each has tabs to count in',
  );
});
