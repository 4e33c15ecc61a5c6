import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import t, { type Test } from 'tap';
import { TabaError } from '../../../src/core/errors.js';
import type { ResourceMetrics } from '../../../src/wire/otlp/metrics.js';
import { readMetricsJson } from '../../../src/wire/otlp/metrics-json.js';
import { readMetricsProtobuf } from '../../../src/wire/otlp/metrics-protobuf.js';
import { random } from '../../core/random.js';
import { utf8 } from '../collector.js';

/** The same metrics as the SDK of OpenTelemetry writes them in both ways. */
async function bodiesOfSdk(t: Test): Promise<{ readonly json: Uint8Array; readonly protobuf: Uint8Array }> {
  const bodies = new Map<string, Uint8Array>();
  const sink = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.set(String(request.headers['content-type']), Buffer.concat(chunks));
    response.end();
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  t.teardown(() => sink.close());
  const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'shop',
      whole: 7,
      half: 0.5,
      yes: true,
      list: ['a', 'b'],
    }),
    readers: [new JsonExporter({ url }), new ProtobufExporter({ url })].map(
      (exporter) => new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 }),
    ),
    views: [{ instrumentName: 'sizes', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('scope', '1.2');
  meter.createCounter('orders').add(5, { region: 'eu', code: 200 });
  meter.createUpDownCounter('queue').add(-2.5);
  const histogram = meter.createHistogram('latency');
  const sizes = meter.createHistogram('sizes');
  for (const value of [0, 1.5, 70, 12_000]) {
    histogram.record(value);
    sizes.record(value);
  }
  meter.createGauge('level').record(-3);
  await provider.shutdown();
  return { json: bodies.get('application/json')!, protobuf: bodies.get('application/x-protobuf')! };
}

/** Without the times of the two exports, which differ. */
function timeless(resources: readonly ResourceMetrics[]): unknown {
  return JSON.parse(JSON.stringify(resources, (key, value) => (key === 'timeSec' ? 0 : value)));
}

t.test('protobuf and JSON say the same', async (t) => {
  const { json, protobuf } = await bodiesOfSdk(t);
  const [read] = readMetricsProtobuf(protobuf);
  t.strictSame(timeless(readMetricsProtobuf(protobuf)), timeless(readMetricsJson(json)));
  t.match(read!.attributes, [
    ['service.name', 'shop'],
    ['whole', '7'],
    ['half', '0.5'],
    ['yes', 'true'],
    ['list', '["a","b"]'],
  ]);
  const [scope] = read!.scopes;
  t.match(scope, { name: 'scope', version: '1.2' });
  const of = (name: string) => scope!.metrics.find((metric) => metric.name === name)!.data;
  t.match(of('orders'), {
    kind: 'sum',
    temporality: 'cumulative',
    monotonic: true,
    points: [
      {
        value: 5,
        attributes: [
          ['region', 'eu'],
          ['code', '200'],
        ],
        isEmpty: false,
      },
    ],
  });
  t.match(of('queue'), { kind: 'sum', monotonic: false, points: [{ value: -2.5 }] });
  t.match(of('latency'), {
    kind: 'histogram',
    points: [{ count: 4, min: 0, max: 12_000, histogram: { kind: 'explicit', total: 12_071.5 } }],
  });
  t.match(of('sizes'), {
    kind: 'histogram',
    points: [{ count: 4, histogram: { kind: 'exponential', zeros: 1, total: 12_071.5 } }],
  });
  t.match(of('level'), { kind: 'gauge', points: [{ value: -3 }] });
});

t.test(
  'protobuf that is cut off or damaged is refused, or is other metrics, but never anything else',
  async (t) => {
    const { protobuf } = await bodiesOfSdk(t);
    const next = random(5);
    const read = (bytes: Uint8Array): boolean => {
      try {
        readMetricsProtobuf(bytes);
        return true;
      } catch (error) {
        if (error instanceof TabaError && error.code === 'bad_framing') return false;
        throw error;
      }
    };
    let refused = 0;
    for (let length = 1; length < protobuf.length; length++)
      if (!read(protobuf.subarray(0, length))) refused++;
    t.ok(refused > protobuf.length / 2, `${refused} of ${protobuf.length} cuts are refused`);
    for (let run = 0; run < 2000; run++) {
      const damaged = Buffer.from(protobuf);
      for (let flips = 0; flips < 3; flips++)
        damaged[Math.floor(next() * damaged.length)]! ^= 1 << Math.floor(next() * 8);
      read(damaged);
    }
    t.pass('2,000 damaged bodies');
  },
);

t.test('JSON of the wrong shape is refused, and the place is named', async (t) => {
  const metric = (data: unknown): string =>
    JSON.stringify({
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', ...(data as object) }] }] }],
    });
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /not JSON/],
    ['{', /not JSON/],
    ['[]', /the body is not an object/],
    ['{"resourceMetrics": {}}', /resourceMetrics is \{\}, not a list/],
    ['{"resourceMetrics": [1]}', /resourceMetrics\[0\] is not an object/],
    [
      '{"resourceMetrics": [{"resource": {"attributes": [{"key": 1}]}}]}',
      /attributes\[0\]\.key is 1, not a text/,
    ],
    [
      metric({ gauge: { dataPoints: [{ asDouble: 'x' }] } }),
      /dataPoints\[0\]\.asDouble is "x", not a number/,
    ],
    [metric({ sum: { isMonotonic: 1 } }), /sum\.isMonotonic is 1, not true or false/],
    [metric({ histogram: { dataPoints: [{ bucketCounts: [null, 'a'] }] } }), /bucketCounts/],
  ];
  for (const [body, message] of wrong) {
    t.throws(() => readMetricsJson(utf8(body)), { code: 'bad_framing', message }, body);
  }
  t.throws(() => readMetricsJson(Uint8Array.of(0x22, 0xff, 0x22)), { code: 'bad_framing' });
});

t.test('what is not there has the values that protobuf gives it', async (t) => {
  t.strictSame(readMetricsJson(utf8('{}')), []);
  t.strictSame(readMetricsProtobuf(new Uint8Array()), []);
  const body =
    '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"gauge": {"dataPoints": [{}]}}, {}]}]}]}';
  t.strictSame(readMetricsJson(utf8(body)), [
    {
      attributes: [],
      scopes: [
        {
          name: '',
          version: '',
          metrics: [
            {
              name: '',
              data: {
                kind: 'gauge',
                points: [{ attributes: [], startSec: 0, timeSec: 0, isEmpty: false, value: undefined }],
              },
            },
            { name: '', data: { kind: 'unknown' } },
          ],
        },
      ],
    },
  ]);
});

t.test('an exponential histogram whose numbers no State could write down contradicts itself', async (t) => {
  const histogramOf = (point: object): unknown => {
    const dataPoints = [{ count: 1, positive: { bucketCounts: [1] }, ...point }];
    const metrics = [{ exponentialHistogram: { dataPoints } }];
    const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    const { data } = readMetricsJson(utf8(body))[0]!.scopes[0]!.metrics[0]!;
    return data.kind === 'histogram' && data.points[0]!.histogram;
  };
  t.match(histogramOf({ positive: { offset: -(2 ** 31), bucketCounts: [1] } }), { kind: 'exponential' });
  for (const offset of [1e300, 2 ** 31, -(2 ** 31) - 1]) {
    t.equal(histogramOf({ positive: { offset, bucketCounts: [1] } }), undefined, `offset ${offset}`);
    t.equal(histogramOf({ negative: { offset } }), undefined, `offset ${offset} of negative values`);
    t.equal(histogramOf({ scale: offset }), undefined, `scale ${offset}`);
  }
});
