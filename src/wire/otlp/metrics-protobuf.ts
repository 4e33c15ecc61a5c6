/** `ExportMetricsServiceRequest` of opentelemetry-proto 1.x as Protocol Buffers; the numbers of fields are those of its files. */
import type { CumulativeHistogram } from '../../core/cumulative/histogram.js';
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
  type Temporality,
  temporalities,
} from './metrics.js';
import { ProtobufReader } from './protobuf-reader.js';

/** Lists and maps within attributes; deeper ones are left out. */
const maxDepth = 8;
const nanosPerSec = 1e9;

/** @throws TabaError `bad_framing` */
export function readMetricsProtobuf(body: Uint8Array): ResourceMetrics[] {
  const resources: ResourceMetrics[] = [];
  each(new ProtobufReader(body), { 1: (reader) => resources.push(readResource(reader.message())) });
  return resources;
}

type Fields = Readonly<Record<number, (reader: ProtobufReader) => unknown>>;

/** Hands every field that is known to its function; passes over the others. */
function each(reader: ProtobufReader, fields: Fields): void {
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    const read = fields[field];
    if (read === undefined) reader.skip();
    else read(reader);
  }
}

function readResource(reader: ProtobufReader): ResourceMetrics {
  const attributes: Attribute[] = [];
  const scopes: ScopeMetrics[] = [];
  each(reader, {
    1: (field) => each(field.message(), { 1: (inner) => attributes.push(readAttribute(inner.message())) }),
    2: (field) => scopes.push(readScope(field.message())),
  });
  return { attributes, scopes };
}

function readScope(reader: ProtobufReader): ScopeMetrics {
  let name = '';
  let version = '';
  const metrics: Metric[] = [];
  each(reader, {
    1: (field) =>
      each(field.message(), {
        1: (inner) => {
          name = inner.string();
        },
        2: (inner) => {
          version = inner.string();
        },
      }),
    2: (field) => metrics.push(readMetric(field.message())),
  });
  return { name, version, metrics };
}

function readMetric(reader: ProtobufReader): Metric {
  let name = '';
  let data: MetricData = { kind: 'unknown' };
  each(reader, {
    1: (field) => {
      name = field.string();
    },
    5: (field) => {
      data = { kind: 'gauge', points: readPoints(field.message(), readNumberPoint).points };
    },
    7: (field) => {
      data = { kind: 'sum', ...readPoints(field.message(), readNumberPoint) };
    },
    9: (field) => {
      const { points, temporality } = readPoints(field.message(), readHistogramPoint);
      data = { kind: 'histogram', temporality, points };
    },
    10: (field) => {
      const { points, temporality } = readPoints(field.message(), readExponentialPoint);
      data = { kind: 'histogram', temporality, points };
    },
    11: (field) => {
      data = { kind: 'summary', points: readPoints(field.message(), readSummaryPoint).points };
    },
  });
  return { name, data };
}

interface Points<P> {
  readonly points: P[];
  readonly temporality: Temporality;
  readonly monotonic: boolean;
}

function readPoints<P>(reader: ProtobufReader, read: (reader: ProtobufReader) => P): Points<P> {
  const points: P[] = [];
  let temporality: Temporality = 'unspecified';
  let monotonic = false;
  each(reader, {
    1: (field) => points.push(read(field.message())),
    2: (field) => {
      temporality = temporalities[field.unsigned()] ?? 'unspecified';
    },
    3: (field) => {
      monotonic = field.unsigned() !== 0;
    },
  });
  return { points, temporality, monotonic };
}

/** What points of all kinds have: the fields whose numbers they share, and what was read of them. */
class PointReader {
  readonly attributes: Attribute[] = [];
  startSec = 0;
  timeSec = 0;
  isEmpty = false;

  fields(attributes: number, flags: number): Fields {
    return {
      [attributes]: (reader) => this.attributes.push(readAttribute(reader.message())),
      [flags]: (reader) => {
        this.isEmpty = isEmptyBy(reader.unsigned());
      },
      2: (reader) => {
        this.startSec = reader.fixed64() / nanosPerSec;
      },
      3: (reader) => {
        this.timeSec = reader.fixed64() / nanosPerSec;
      },
    };
  }
}

function readNumberPoint(reader: ProtobufReader): NumberPoint {
  const point = new PointReader();
  let value: number | undefined;
  each(reader, {
    ...point.fields(7, 8),
    4: (field) => {
      value = field.double();
    },
    6: (field) => {
      value = field.signedFixed64();
    },
  });
  return { ...point, value };
}

function readHistogramPoint(reader: ProtobufReader): HistogramPoint {
  const point = new PointReader();
  const figures = new Figures();
  const counts: number[] = [];
  const bounds: number[] = [];
  each(reader, {
    ...point.fields(9, 10),
    ...figures.fields(11, 12),
    6: (field) => field.fixed64s(counts),
    7: (field) => field.doubles(bounds),
  });
  const { count, total, min, max } = figures;
  return { ...point, count, min, max, histogram: explicitHistogram({ count, total, bounds, counts }) };
}

function readExponentialPoint(reader: ProtobufReader): HistogramPoint {
  const point = new PointReader();
  const figures = new Figures();
  let scale = 0;
  let zeros = 0;
  let zeroThreshold = 0;
  let positive: Buckets = { offset: 0, counts: [] };
  let negative: Buckets = { offset: 0, counts: [] };
  each(reader, {
    ...point.fields(1, 10),
    ...figures.fields(12, 13),
    6: (field) => {
      scale = field.zigzag();
    },
    7: (field) => {
      zeros = field.fixed64();
    },
    8: (field) => {
      positive = readBuckets(field.message());
    },
    9: (field) => {
      negative = readBuckets(field.message());
    },
    14: (field) => {
      zeroThreshold = field.double();
    },
  });
  const { count, total, min, max } = figures;
  const buckets = { count, total, scale, zeros, zeroThreshold, positive, negative };
  const histogram: CumulativeHistogram | undefined = exponentialHistogram(buckets);
  return { ...point, count, min, max, histogram };
}

/** Count, sum and ends of a histogram. */
class Figures {
  count = 0;
  total: number | undefined;
  min: number | undefined;
  max: number | undefined;

  fields(min: number, max: number): Fields {
    return {
      4: (reader) => {
        this.count = reader.fixed64();
      },
      5: (reader) => {
        this.total = reader.double();
      },
      [min]: (reader) => {
        this.min = reader.double();
      },
      [max]: (reader) => {
        this.max = reader.double();
      },
    };
  }
}

function readBuckets(reader: ProtobufReader): Buckets {
  let offset = 0;
  const counts: number[] = [];
  each(reader, {
    1: (field) => {
      offset = field.zigzag();
    },
    2: (field) => field.unsigneds(counts),
  });
  return { offset, counts };
}

function readSummaryPoint(reader: ProtobufReader): SummaryPoint {
  const point = new PointReader();
  const quantiles: { quantile: number; value: number }[] = [];
  let count = 0;
  let total = 0;
  each(reader, {
    ...point.fields(7, 8),
    4: (field) => {
      count = field.fixed64();
    },
    5: (field) => {
      total = field.double();
    },
    6: (field) => {
      const at = { quantile: 0, value: 0 };
      each(field.message(), {
        1: (inner) => {
          at.quantile = inner.double();
        },
        2: (inner) => {
          at.value = inner.double();
        },
      });
      quantiles.push(at);
    },
  });
  return { ...point, count, total, quantiles };
}

function readAttribute(reader: ProtobufReader): Attribute {
  let key = '';
  let value: unknown = '';
  each(reader, {
    1: (field) => {
      key = field.string();
    },
    2: (field) => {
      value = readValue(field.message(), 0);
    },
  });
  return [key, typeof value === 'string' ? value : JSON.stringify(value)];
}

/** An `AnyValue` as JSON would have it; bytes as base64. */
function readValue(reader: ProtobufReader, depth: number): unknown {
  let value: unknown = '';
  const inner = (field: ProtobufReader): ProtobufReader => field.message();
  each(reader, {
    1: (field) => {
      value = field.string();
    },
    2: (field) => {
      value = field.unsigned() !== 0;
    },
    3: (field) => {
      value = field.signed();
    },
    4: (field) => {
      value = field.double();
    },
    5: (field) => {
      value = depth < maxDepth ? readList(inner(field), depth) : null;
    },
    6: (field) => {
      value = depth < maxDepth ? readMap(inner(field), depth) : null;
    },
    7: (field) => {
      value = Buffer.from(field.bytes()).toString('base64');
    },
  });
  return value;
}

function readList(reader: ProtobufReader, depth: number): unknown[] {
  const list: unknown[] = [];
  each(reader, { 1: (field) => list.push(readValue(field.message(), depth + 1)) });
  return list;
}

function readMap(reader: ProtobufReader, depth: number): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  each(reader, {
    1: (field) => {
      let key = '';
      let value: unknown = '';
      each(field.message(), {
        1: (inner) => {
          key = inner.string();
        },
        2: (inner) => {
          value = readValue(inner.message(), depth + 1);
        },
      });
      entries.push([key, value]);
    },
  });
  return Object.fromEntries(entries);
}
