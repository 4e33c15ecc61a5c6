import { gzipSync } from 'node:zlib';
import t from 'tap';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { Mapping } from '../../../src/intake/mapping/mapping.js';
import { readRules } from '../../../src/intake/mapping/mapping-rule.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { type Answer, agentOf, ask } from '../../agent/agent-kit.js';
import { balanced, bucketCount, handedOver, json, serverOf, throughBoth } from '../kit.js';

type Json = Readonly<Record<string, unknown>>;

function request(metrics: readonly Json[], resource: Readonly<Record<string, string>> = {}): string {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] });
}

function send(url: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(`${url}/v1/metrics`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const nowSec = Math.floor(Date.now() / 1000);
const nanos = (sec: number): string => `${sec}000000000`;

/** What a process has counted by `timeSec`. */
function counter(value: number, startSec: number, timeSec: number): Json {
  return {
    name: 'orders',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        { asInt: String(value), startTimeUnixNano: nanos(startSec), timeUnixNano: nanos(timeSec) },
      ],
    },
  };
}

t.test('every kind of metric becomes a tab of the type that suits it', async (t) => {
  await throughBoth(
    t,
    () => ({}),
    async (t, entrance) => {
      const metrics: Json[] = [
        { name: 'a b', sum: { aggregationTemporality: 1, dataPoints: [{ asInt: '5' }, { asDouble: 1.5 }] } },
        {
          name: 'level',
          gauge: { dataPoints: [{ asDouble: 2.5, attributes: [{ key: 'k=', value: { intValue: '3' } }] }] },
        },
        {
          name: 'latency',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{ count: '3', sum: 12, bucketCounts: [1, 2], explicitBounds: [4], min: 2, max: 6 }],
          },
        },
        {
          name: 'sizes',
          exponentialHistogram: {
            aggregationTemporality: 1,
            dataPoints: [
              {
                count: 4,
                sum: 3,
                scale: 0,
                zeroCount: 1,
                positive: { offset: 0, bucketCounts: [2] },
                negative: { offset: 1, bucketCounts: [1] },
              },
            ],
          },
        },
        {
          name: 'old',
          summary: { dataPoints: [{ count: 9, sum: 45, quantileValues: [{ quantile: 0.5, value: 5 }] }] },
        },
        { name: 'gone', gauge: { dataPoints: [{ flags: 1 }] } },
      ];
      const answer = await send(
        entrance.url,
        request(metrics, { 'service.name': 'shop', 'host.name': 'web 1', other: 'x' }),
      );
      t.equal(answer.status, 200);
      t.strictSame(answer.json, {});
      await handedOver(entrance);
      const { json: tabs } = await json(`${entrance.server.url}/tabs?client=web~201`);
      const at = (name: string): { readonly '1d': { readonly count: number; readonly total: number } } =>
        tabs[`${name};service.name=shop`];
      t.strictSame(Object.keys(tabs).sort(), [
        'a~20b;service.name=shop',
        'latency;service.name=shop',
        'level;k~3D=3;service.name=shop',
        'old;quantile=0.5;service.name=shop',
        'old_count;service.name=shop',
        'old_sum;service.name=shop',
        'sizes;service.name=shop',
      ]);
      t.match(at('a~20b')['1d'], { count: 2, total: 6.5 });
      t.match(at('latency')['1d'], { count: 3, total: 12 });
      t.match(at('sizes')['1d'], { count: 4, total: 3 });
      t.strictSame(tabs['level;k~3D=3;service.name=shop'], { '2.5': 1 });
      t.strictSame(tabs['old;quantile=0.5;service.name=shop'], { '5': 1 });
      // Its sender does not say since when it counts.
      t.match(at('old_count')['1d'], { total: 0 });
    },
  );
});

t.test('what a process had counted before anybody listened is none of ours', async (t) => {
  const store = openMemoryStore({ bucketCount, createdAtMs: (nowSec - 100) * 1000 });
  const server = await serverOf(t, { store });
  const body = (value: number, startSec: number, timeSec: number): string =>
    request([counter(value, startSec, timeSec)]);
  const total = async (): Promise<number> =>
    (await json(`${server.url}/tabs?name=orders`)).json.orders['1d'].total;
  await send(server.url, body(1000, nowSec - 200, nowSec - 20));
  t.equal(await total(), 0);
  await send(server.url, body(1007, nowSec - 200, nowSec - 10));
  t.equal(await total(), 7);
  await send(server.url, body(30, nowSec - 50, nowSec - 10));
  t.equal(await total(), 37, 'another process, which began since');
  balanced(t, { server, agent: undefined });
});

t.test('a reading that comes again, late, or over another agent changes nothing', async (t) => {
  const server = await serverOf(t);
  const [one, other] = await Promise.all([0, 1].map(() => agentOf(t, { servers: [server.url] })));
  const entrances = [one!.agent, other!.agent];
  const start = nowSec - 60;
  for (const [value, at] of [
    [10, 30],
    [25, 20],
    [25, 10],
    [40, 5],
  ] as const) {
    for (const agent of entrances) await send(agent.url, request([counter(value, start, nowSec - at)]));
    for (const agent of entrances) await handedOver({ agent });
  }
  await send(entrances[0]!.url, request([counter(10, start, nowSec - 30)]));
  await handedOver({ agent: entrances[0]! });
  const { json: tabs } = await json(`${server.url}/tabs?name=orders`);
  t.match(tabs.orders['1d'], { total: 40, count: 3 });
  for (const agent of entrances) balanced(t, { server, agent });
});

t.test('data points that cannot be taken are named, and the others count', async (t) => {
  await throughBoth(
    t,
    () => ({}),
    async (t, entrance) => {
      const points = [{ asInt: '5' }, {}, { asDouble: 'NaN' }];
      const metrics = [
        { name: 'good', sum: { aggregationTemporality: 1, dataPoints: points } },
        { name: 'unsaid', sum: { dataPoints: [{ asInt: '1' }] } },
        {
          name: 'torn',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{ count: 3, bucketCounts: [1], explicitBounds: [1, 2] }],
          },
        },
        { name: 'none' },
      ];
      const answer = await send(entrance.url, request(metrics));
      t.equal(answer.status, 200);
      t.match(answer.json, {
        partialSuccess: {
          rejectedDataPoints: '5',
          errorMessage: /5 not taken; the first: bad_value: good: the data point has no value/,
        },
      });
      await handedOver(entrance);
      const { json: tabs } = await json(`${entrance.server.url}/tabs`);
      t.strictSame(Object.keys(tabs), ['good']);
    },
  );
});

t.test('bodies that cannot be read are refused in the words of the protocol', async (t) => {
  await throughBoth(
    t,
    () => ({}),
    async (t, { url }) => {
      const body = request([counter(1, nowSec - 5, nowSec)]);
      t.match(await send(url, body, { 'content-type': 'text/plain' }), { status: 400 });
      const broken = await send(url, '{', {});
      t.equal(broken.status, 400);
      t.match(broken.json, { code: 3, message: /bad_framing: the body is not JSON/ });
      const binary = await send(url, Buffer.from([0x0a, 0x7f]), { 'content-type': 'application/x-protobuf' });
      t.equal(binary.status, 400);
      t.match(binary.text, /bad_framing: not the protobuf that was expected/);
      t.match(await send(url, body, { 'content-encoding': 'gzip' }), { status: 400 });
      t.match(await send(url, gzipSync(body), { 'content-encoding': 'gzip' }), { status: 200 });
      t.match(await send(url, '', { 'content-type': 'application/x-protobuf' }), { status: 200, text: '' });
    },
  );
});

t.test('mapping rules rename, type and drop metrics, and drop attributes', async (t) => {
  const rules = [
    { match: 'noise', metrics: ['gauge', 'sum'], drop: true },
    { match: 'http\\.(\\w+)$', rename: 'web.$1', 'drop-tags': ['pod'] },
    { match: 'queue', metrics: ['sum'], type: 'Gauge' },
  ];
  const context = { registry: builtinHandlers(), maxExpressionBytes: 1000 };
  const mapping = new Mapping(readRules(rules, context));
  const otlp = { mapping, clientAttribute: 'k8s.node.name', resourceAttributes: new Set<string>() };
  await throughBoth(
    t,
    () => ({ server: { otlp }, agent: { otlp } }),
    async (t, entrance) => {
      const pods = ['p1', 'p2'].map((pod) => ({
        asInt: '4',
        startTimeUnixNano: nanos(nowSec - 9),
        timeUnixNano: nanos(nowSec),
        attributes: [{ key: 'pod', value: { stringValue: pod } }],
      }));
      const metrics = [
        { name: 'noise', gauge: { dataPoints: [{ asInt: '1' }] } },
        { name: 'http.requests', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: pods } },
        { name: 'queue', sum: { aggregationTemporality: 2, dataPoints: [{ asInt: '11' }] } },
      ];
      const resource = { 'service.name': 'shop', 'host.name': 'web', 'k8s.node.name': 'node-7' };
      t.match(await send(entrance.url, request(metrics, resource)), { status: 200, json: {} });
      await handedOver(entrance);
      const { json: tabs } = await json(`${entrance.server.url}/tabs?client=node-7`);
      t.match(tabs, { 'web.requests': { '1d': { total: 8, count: 2 } }, queue: { '11': 1 } });
      t.equal(Object.keys(tabs).length, 2);
      const status = (entrance.agent ?? entrance.server).status();
      t.equal(status.books.dropped.mapping, 1);
    },
  );
});
