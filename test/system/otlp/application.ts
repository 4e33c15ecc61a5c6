/**
 * An application that OpenTelemetry's own SDK instruments, as a process of its own. Its only argument is where it sends to; it
 * has one meter for each way of sending. For every message it records something, flushes, and answers what it recorded.
 */
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Way } from './ways.js';
import { ways } from './ways.js';

/** What has been recorded: the sum of what was given to each instrument, and how often to the histograms. */
export interface Recorded {
  readonly counter: number;
  readonly upDown: number;
  readonly histogram: readonly number[];
  readonly exponential: readonly number[];
  readonly gauge: number;
}

const url = `${process.argv[2]}/v1/metrics`;
const exporters = { json: JsonExporter, protobuf: ProtobufExporter } as const;
const temporalities = {
  delta: AggregationTemporality.DELTA,
  cumulative: AggregationTemporality.CUMULATIVE,
} as const;

interface Instrumented {
  record(of: Recorded): void;
  flush(): Promise<void>;
}

function instrumented({ name, encoding, temporality }: Way): Instrumented {
  const exporter = new exporters[encoding]({ url, temporalityPreference: temporalities[temporality] });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'host.name': 'web' }),
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    views: [{ instrumentName: 'sizes', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('shop');
  const counter = meter.createCounter('orders');
  const upDown = meter.createUpDownCounter('queue');
  const histogram = meter.createHistogram('latency');
  const exponential = meter.createHistogram('sizes');
  const gauge = meter.createGauge('level');
  return {
    record(of) {
      counter.add(of.counter, { region: 'eu' });
      upDown.add(of.upDown);
      for (const value of of.histogram) histogram.record(value);
      for (const value of of.exponential) exponential.record(value);
      gauge.record(of.gauge);
    },
    flush: () => provider.forceFlush(),
  };
}

const meters = ways.map(instrumented);
process.on('message', (recorded: Recorded) => {
  for (const meter of meters) meter.record(recorded);
  Promise.all(meters.map((meter) => meter.flush())).then(
    () => process.send!('flushed'),
    (error: unknown) => process.send!(`failed: ${String(error)}`),
  );
});
process.send!('ready');
