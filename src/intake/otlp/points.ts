import { coarseOf } from '../../core/cumulative/histogram.js';
import type { CumulativePoint, CumulativeValue } from '../../core/cumulative/reading.js';
import { TabaError } from '../../core/errors.js';
import type { Limits } from '../../core/limits.js';
import { nameEscapeBytes, tagEscape } from '../../core/names.js';
import type { ItemSink, RawEvent } from '../../wire/item-sink.js';
import type {
  Attribute,
  HistogramPoint,
  Metric,
  NumberPoint,
  OtlpKind,
  Point,
  ResourceMetrics,
  SummaryPoint,
  Temporality,
} from '../../wire/otlp/metrics.js';
import type { MetricTag } from '../../wire/statsd/metric.js';
import { Mapping } from '../mapping/mapping.js';
import { attributesText, joined, streamId } from './stream-id.js';

/** How metrics of OTLP become tabs. */
export interface OtlpNaming {
  readonly mapping: Mapping;
  /** Key of the resource attribute that is the client id. */
  readonly clientAttribute: string;
  /** Keys of the resource attributes that become part of the tab name, as all attributes of a point do. */
  readonly resourceAttributes: ReadonlySet<string>;
}

/** Where the settings say nothing else: the names that OpenTelemetry gives to hosts and services. */
export const defaultNaming: OtlpNaming = {
  mapping: new Mapping(),
  clientAttribute: 'host.name',
  resourceAttributes: new Set(['service.name']),
};

/** A histogram with more buckets is refused: its State would have to remember them. */
const maxBuckets = 8192;
/** A Gauge shows the figure itself, whatever it adds up. */
const gaugeType = 'Gauge';

/**
 * Hands every data point to `sink` as an item, and the count, the sum and each quantile of a summary as items of their own.
 * A point that says of itself that it has no value is none.
 *
 * @returns how many items the mapping rules drop: they are not handed to `sink`
 */
export function takePoints(
  resources: readonly ResourceMetrics[],
  naming: OtlpNaming,
  limits: Pick<Limits, 'maxNameBytes'>,
  sink: ItemSink,
): number {
  const points = new Points(naming, limits, sink);
  for (const resource of resources) points.takeResource(resource);
  return points.dropped;
}

/** What an item is, apart from whose it is and when. */
type Content = Pick<RawEvent, 'payload' | 'histogram' | 'cumulative'>;

class Points {
  dropped = 0;
  readonly #naming: OtlpNaming;
  readonly #limits: Pick<Limits, 'maxNameBytes'>;
  readonly #sink: ItemSink;
  /** Of the resource that is being read. */
  #client: string | undefined;
  #resourceTags: readonly MetricTag[] = [];
  #resourceText = '';
  /** Of the metric that is being read. */
  #metricText = '';
  #name = '';

  constructor(naming: OtlpNaming, limits: Pick<Limits, 'maxNameBytes'>, sink: ItemSink) {
    this.#naming = naming;
    this.#limits = limits;
    this.#sink = sink;
  }

  takeResource({ attributes, scopes }: ResourceMetrics): void {
    const { clientAttribute, resourceAttributes } = this.#naming;
    const client = attributes.find(([key]) => key === clientAttribute)?.[1];
    this.#client = client === undefined || client === '' ? undefined : tagEscape(client);
    this.#resourceTags = tagsOf(attributes.filter(([key]) => resourceAttributes.has(key)));
    this.#resourceText = attributesText(attributes);
    for (const { name, version, metrics } of scopes) {
      for (const metric of metrics) this.#takeMetric(metric, joined([name, version]));
    }
  }

  #takeMetric({ name, data }: Metric, scope: string): void {
    this.#name = escapedName(name);
    this.#metricText = joined([this.#resourceText, scope, name, data.kind]);
    switch (data.kind) {
      case 'gauge':
        for (const point of data.points) this.#takeGauge(point);
        return;
      case 'sum':
        for (const point of data.points) this.#takeSum(point, data.temporality, data.monotonic);
        return;
      case 'histogram':
        for (const point of data.points) this.#takeHistogram(point, data.temporality);
        return;
      case 'summary':
        for (const point of data.points) this.#takeSummary(point);
        return;
      case 'unknown':
        this.#sink.fault('bad_event', `${this.#name}: neither gauge, sum, histogram, nor summary`);
    }
  }

  #takeGauge(point: NumberPoint): void {
    if (point.isEmpty) return;
    this.#take('gauge', this.#name, point, () => ({ payload: numberOf(point) }));
  }

  #takeSum(point: NumberPoint, temporality: Temporality, monotonic: boolean): void {
    if (point.isEmpty) return;
    this.#take('sum', this.#name, point, (type) => {
      const value = numberOf(point);
      if (isDelta(temporality) || type === gaugeType) return { payload: value };
      return { payload: 0, cumulative: this.#cumulative(point, value, monotonic) };
    });
  }

  #takeHistogram(point: HistogramPoint, temporality: Temporality): void {
    if (point.isEmpty) return;
    this.#take('histogram', this.#name, point, () => {
      const { histogram, min, max } = point;
      if (histogram === undefined) {
        throw new TabaError('bad_value', 'its count, its buckets and their bounds contradict each other');
      }
      checkSize(histogram);
      if (!isDelta(temporality)) return { payload: 0, cumulative: this.#cumulative(point, histogram, true) };
      const ends = { ...(isNumber(min) && { min }), ...(isNumber(max) && { max }) };
      return { payload: 0, histogram: { ...coarseOf(histogram), ...ends } };
    });
  }

  /** Count and sum are cumulative; quantiles cannot be combined, and stay what they are. */
  #takeSummary(point: SummaryPoint): void {
    if (point.isEmpty) return;
    const figure = (suffix: string, value: number): void =>
      this.#take('sum', this.#name + suffix, point, (type) =>
        type === gaugeType
          ? { payload: value }
          : { payload: 0, cumulative: this.#cumulative(point, value, false, suffix) },
      );
    figure('_count', point.count);
    figure('_sum', point.total);
    for (const { quantile, value } of point.quantiles) {
      const tag: Attribute = ['quantile', String(quantile)];
      const attributes = [...point.attributes, tag];
      this.#take('summary', this.#name, { ...point, attributes }, () => ({ payload: value }));
    }
  }

  #cumulative(
    { attributes, startSec }: Point,
    value: CumulativeValue,
    monotonic: boolean,
    suffix = '',
  ): Omit<CumulativePoint, 'timeSec'> {
    const start = String(startSec);
    const stream = streamId(joined([this.#metricText, suffix, start, attributesText(attributes)]));
    return { stream, startSec, monotonic, value };
  }

  /** @param content makes the item, for a tab of the given type */
  #take(kind: OtlpKind, name: string, point: Point, content: (type: string) => Content): void {
    try {
      const tags = [...this.#resourceTags, ...tagsOf(point.attributes)];
      const { tab, type } = this.#naming.mapping.map(kind, { name, tags }, this.#limits.maxNameBytes);
      if (tab === undefined) {
        this.dropped++;
        return;
      }
      const timestampSec = point.timeSec > 0 ? point.timeSec : undefined;
      this.#sink.event({ client: this.#client, tab, type, timestampSec, ...content(type) });
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      this.#sink.fault(error.code, `${name}: ${error.message}`);
    }
  }
}

function numberOf({ value }: NumberPoint): number {
  if (value === undefined) throw new TabaError('bad_value', 'the data point has no value');
  if (!isNumber(value)) throw new TabaError('bad_value', `${value} is not a finite number`);
  return value;
}

/** @throws TabaError `bad_value` where the sender does not say whether it adds up */
function isDelta(temporality: Temporality): boolean {
  if (temporality === 'unspecified') {
    throw new TabaError('bad_value', 'its aggregation temporality is neither delta nor cumulative');
  }
  return temporality === 'delta';
}

function checkSize(histogram: NonNullable<HistogramPoint['histogram']>): void {
  const { total } = histogram;
  if (total !== undefined && !isNumber(total)) throw new TabaError('bad_value', `its sum is ${total}`);
  const buckets =
    histogram.kind === 'explicit'
      ? histogram.counts.length
      : histogram.positive.counts.length + histogram.negative.counts.length;
  if (buckets > maxBuckets) {
    throw new TabaError('bad_value', `it has ${buckets} buckets; ${maxBuckets} are allowed`);
  }
}

function isNumber(value: number | undefined): value is number {
  return Number.isFinite(value);
}

function tagsOf(attributes: readonly Attribute[]): MetricTag[] {
  return attributes.map(([key, value]) => ({ key: tagEscape(key), value: tagEscape(value) }));
}

function escapedName(name: string): string {
  const bytes = Buffer.from(name);
  return nameEscapeBytes(bytes, 0, bytes.length);
}
