import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Clock } from './clock.js';
import { type LagFigures, LoopLag } from './loop-lag.js';

/** A figure of this process by a label: events by reason, buckets by state. */
export interface LabelledValues {
  readonly label: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface ProcessFigure {
  /** Without the `_total` of counters. */
  readonly name: string;
  readonly help: string;
  /** A counter only ever rises while the process lives. */
  readonly kind: 'counter' | 'gauge';
  readonly value: number | LabelledValues;
}

/** @param prefix before every name */
export function figuresNamed(prefix: string): {
  readonly counter: (name: string, help: string, value: ProcessFigure['value']) => ProcessFigure;
  readonly gauge: (name: string, help: string, value: ProcessFigure['value']) => ProcessFigure;
} {
  return {
    counter: (name, help, value) => ({ name: `${prefix}_${name}`, help, kind: 'counter', value }),
    gauge: (name, help, value) => ({ name: `${prefix}_${name}`, help, kind: 'gauge', value }),
  };
}

export function by(label: string, values: Readonly<Record<string, number>>): LabelledValues {
  return { label, values };
}

export interface ProcessMetricsOptions {
  /** What this process is: labels of `taba_build_info`. */
  readonly about: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Everything as it is now; asked once per scrape. */
  figures(): readonly ProcessFigure[];
}

/** Gauges of the package whose names say that they are counters. What they count is told by type under other names. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The package's own monitor of the event loop, which wakes the process this often; `LoopLag` takes its place. */
const neverMs = 2 ** 31 - 1;
const lagOf: Readonly<Record<string, [field: keyof LagFigures, help: string]>> = {
  nodejs_eventloop_lag_seconds: ['last', 'How late the event loop was when it was looked at last.'],
  nodejs_eventloop_lag_min_seconds: ['min', 'The least that the event loop was late since the last scrape.'],
  nodejs_eventloop_lag_max_seconds: ['max', 'The most that the event loop was late since the last scrape.'],
  nodejs_eventloop_lag_mean_seconds: [
    'mean',
    'How late the event loop was on average since the last scrape.',
  ],
  nodejs_eventloop_lag_stddev_seconds: ['stddev', 'The standard deviation of how late the event loop was.'],
  nodejs_eventloop_lag_p50_seconds: ['p50', 'The 50th percentile of how late the event loop was.'],
  nodejs_eventloop_lag_p90_seconds: ['p90', 'The 90th percentile of how late the event loop was.'],
  nodejs_eventloop_lag_p99_seconds: ['p99', 'The 99th percentile of how late the event loop was.'],
};

/** The process itself for Prometheus: CPU, memory, event loop and garbage collection under their usual names, and figures of its own. */
export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #options: ProcessMetricsOptions;
  readonly #lag: LoopLag;

  constructor(options: ProcessMetricsOptions) {
    this.#options = options;
    const { about, clock } = options;
    this.#lag = new LoopLag(clock);
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: neverMs });
    for (const name of [...misnamed, ...Object.keys(lagOf)]) this.#registry.removeSingleMetric(name);
    const labelNames = Object.keys(about);
    const help = 'What this process is; always 1.';
    new Gauge({ name: 'taba_build_info', help, labelNames, registers: [this.#registry] }).set(about, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    const figures = new Registry();
    const lag = this.#lag.take();
    for (const [name, [field, help]] of Object.entries(lagOf))
      add(figures, { name, help, kind: 'gauge', value: lag[field] });
    for (const figure of this.#options.figures()) add(figures, figure);
    return `${await this.#registry.metrics()}\n${await figures.metrics()}`;
  }
}

/** Counters are made anew for every scrape: they are kept elsewhere, and told as they stand. */
function add(registry: Registry, { name, help, kind, value }: ProcessFigure): void {
  const registers = [registry];
  const labelNames = typeof value === 'number' ? [] : [value.label];
  const series: [labels: Record<string, string>, value: number][] =
    typeof value === 'number'
      ? [[{}, value]]
      : Object.entries(value.values).map(([key, figure]) => [{ [value.label]: key }, figure]);
  if (kind === 'gauge') {
    const gauge = new Gauge({ name, help, labelNames, registers });
    for (const [labels, figure] of series) gauge.set(labels, figure);
  } else {
    const counter = new Counter({ name: `${name}_total`, help, labelNames, registers });
    for (const [labels, figure] of series) counter.inc(labels, figure);
  }
}
