/**
 * `ExportMetricsServiceRequest` of opentelemetry-proto 1.x as JSON: keys in lowerCamelCase, 64-bit integers as decimal
 * strings or numbers, enumerations as integers. Keys that are not known are passed over.
 */
import { TabaError } from '../../core/errors.js';
import { type Buckets, explicitHistogram, exponentialHistogram } from './histograms.js';
import {
  type Attribute,
  type HistogramPoint,
  isEmptyBy,
  type Metric,
  type MetricData,
  type NumberPoint,
  type ResourceMetrics,
  type ScopeMetrics,
  type SummaryPoint,
  temporalities,
} from './metrics.js';

const nanosPerSec = 1e9;
/** Lists and maps within attributes; deeper ones are left out. */
const maxDepth = 8;

/** @throws TabaError `bad_framing`, naming the place in the document */
export function readMetricsJson(body: Uint8Array): ResourceMetrics[] {
  let document: unknown;
  try {
    document = JSON.parse(textDecoder.decode(body));
  } catch (error) {
    throw new TabaError('bad_framing', `the body is not JSON: ${(error as Error).message}`);
  }
  return new Node(document, '').list('resourceMetrics').map(readResource);
}

const textDecoder = new TextDecoder('utf-8', { fatal: true });

/** An object of the document, and where it is. */
class Node {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  /** @throws TabaError `bad_framing` */
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new TabaError('bad_framing', `${path === '' ? 'the body' : path} is not an object`);
    }
    this.#fields = value as Record<string, unknown>;
    this.#path = path;
  }

  #fault(key: string, what: string): TabaError {
    const shown = JSON.stringify(this.#fields[key])?.slice(0, 40);
    return new TabaError('bad_framing', `${this.#pathOf(key)} is ${shown}, not ${what}`);
  }

  #pathOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }

  has(key: string): boolean {
    return this.#fields[key] !== undefined && this.#fields[key] !== null;
  }

  raw(key: string): unknown {
    return this.#fields[key];
  }

  text(key: string): string {
    if (!this.has(key)) return '';
    const value = this.#fields[key];
    if (typeof value !== 'string') throw this.#fault(key, 'a text');
    return value;
  }

  /** A number, also as text. */
  number(key: string): number {
    return this.#number(this.#fields[key], key);
  }

  optional(key: string): number | undefined {
    return this.has(key) ? this.number(key) : undefined;
  }

  #number(value: unknown, key: string): number {
    if (typeof value === 'number') return value;
    if (value === undefined || value === null) return 0;
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    if (Number.isNaN(parsed) && value !== 'NaN') throw this.#fault(key, 'a number');
    return parsed;
  }

  flag(key: string): boolean {
    if (!this.has(key)) return false;
    const value = this.#fields[key];
    if (typeof value !== 'boolean') throw this.#fault(key, 'true or false');
    return value;
  }

  node(key: string): Node {
    return new Node(this.has(key) ? this.#fields[key] : {}, this.#pathOf(key));
  }

  list(key: string): Node[] {
    return this.#array(key).map((value, at) => new Node(value, `${this.#pathOf(key)}[${at}]`));
  }

  numbers(key: string): number[] {
    return this.#array(key).map((value) => this.#number(value, key));
  }

  #array(key: string): readonly unknown[] {
    if (!this.has(key)) return [];
    const value = this.#fields[key];
    if (!Array.isArray(value)) throw this.#fault(key, 'a list');
    return value;
  }
}

function readResource(node: Node): ResourceMetrics {
  const attributes = readAttributes(node.node('resource'));
  return { attributes, scopes: node.list('scopeMetrics').map(readScope) };
}

function readScope(node: Node): ScopeMetrics {
  const scope = node.node('scope');
  return {
    name: scope.text('name'),
    version: scope.text('version'),
    metrics: node.list('metrics').map(readMetric),
  };
}

function readMetric(node: Node): Metric {
  return { name: node.text('name'), data: readData(node) };
}

function readData(node: Node): MetricData {
  if (node.has('gauge')) return { kind: 'gauge', points: pointsOf(node.node('gauge'), readNumberPoint) };
  if (node.has('sum')) {
    const sum = node.node('sum');
    const monotonic = sum.flag('isMonotonic');
    return { kind: 'sum', ...temporalityOf(sum), monotonic, points: pointsOf(sum, readNumberPoint) };
  }
  if (node.has('histogram')) {
    const histogram = node.node('histogram');
    return {
      kind: 'histogram',
      ...temporalityOf(histogram),
      points: pointsOf(histogram, readHistogramPoint),
    };
  }
  if (node.has('exponentialHistogram')) {
    const histogram = node.node('exponentialHistogram');
    return {
      kind: 'histogram',
      ...temporalityOf(histogram),
      points: pointsOf(histogram, readExponentialPoint),
    };
  }
  if (node.has('summary'))
    return { kind: 'summary', points: pointsOf(node.node('summary'), readSummaryPoint) };
  return { kind: 'unknown' };
}

function pointsOf<P>(node: Node, read: (node: Node) => P): P[] {
  return node.list('dataPoints').map(read);
}

function temporalityOf(node: Node): { readonly temporality: (typeof temporalities)[number] } {
  return { temporality: temporalities[node.number('aggregationTemporality')] ?? 'unspecified' };
}

function pointOf(node: Node): Pick<NumberPoint, 'attributes' | 'startSec' | 'timeSec' | 'isEmpty'> {
  return {
    attributes: readAttributes(node),
    startSec: node.number('startTimeUnixNano') / nanosPerSec,
    timeSec: node.number('timeUnixNano') / nanosPerSec,
    isEmpty: isEmptyBy(node.number('flags')),
  };
}

function readNumberPoint(node: Node): NumberPoint {
  return { ...pointOf(node), value: node.optional('asDouble') ?? node.optional('asInt') };
}

function figuresOf(node: Node): {
  readonly count: number;
  readonly total: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
} {
  return {
    count: node.number('count'),
    total: node.optional('sum'),
    min: node.optional('min'),
    max: node.optional('max'),
  };
}

function readHistogramPoint(node: Node): HistogramPoint {
  const { count, total, min, max } = figuresOf(node);
  const [bounds, counts] = [node.numbers('explicitBounds'), node.numbers('bucketCounts')];
  return {
    ...pointOf(node),
    count,
    min,
    max,
    histogram: explicitHistogram({ count, total, bounds, counts }),
  };
}

function readExponentialPoint(node: Node): HistogramPoint {
  const { count, total, min, max } = figuresOf(node);
  const histogram = exponentialHistogram({
    ...{ count, total },
    scale: node.number('scale'),
    zeros: node.number('zeroCount'),
    zeroThreshold: node.number('zeroThreshold'),
    positive: bucketsOf(node.node('positive')),
    negative: bucketsOf(node.node('negative')),
  });
  return { ...pointOf(node), count, min, max, histogram };
}

function bucketsOf(node: Node): Buckets {
  return { offset: node.number('offset'), counts: node.numbers('bucketCounts') };
}

function readSummaryPoint(node: Node): SummaryPoint {
  const quantiles = node
    .list('quantileValues')
    .map((at) => ({ quantile: at.number('quantile'), value: at.number('value') }));
  return { ...pointOf(node), count: node.number('count'), total: node.number('sum'), quantiles };
}

function readAttributes(node: Node): Attribute[] {
  return node.list('attributes').map((attribute) => {
    const value = readValue(attribute.node('value'), 0);
    return [attribute.text('key'), typeof value === 'string' ? value : JSON.stringify(value)];
  });
}

/** An `AnyValue` as JSON would have it, whatever its own form says. */
function readValue(node: Node, depth: number): unknown {
  if (node.has('stringValue')) return node.text('stringValue');
  if (node.has('boolValue')) return node.flag('boolValue');
  if (node.has('intValue')) return node.number('intValue');
  if (node.has('doubleValue')) return node.number('doubleValue');
  if (node.has('bytesValue')) return node.text('bytesValue');
  const isNested = node.has('arrayValue') || node.has('kvlistValue');
  if (!isNested) return '';
  if (depth >= maxDepth) return null;
  if (node.has('arrayValue')) {
    return node
      .node('arrayValue')
      .list('values')
      .map((value) => readValue(value, depth + 1));
  }
  const entries = node.node('kvlistValue').list('values');
  return Object.fromEntries(
    entries.map((entry) => [entry.text('key'), readValue(entry.node('value'), depth + 1)]),
  );
}
