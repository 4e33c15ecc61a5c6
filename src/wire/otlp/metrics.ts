import type { CumulativeHistogram } from '../../core/cumulative/histogram.js';

/**
 * Metrics as OTLP describes them (opentelemetry-proto 1.x, metrics/v1), however they were encoded: what both readers
 * make, without what Taba has no use for (descriptions, exemplars, schema URLs).
 */
export interface ResourceMetrics {
  readonly attributes: readonly Attribute[];
  readonly scopes: readonly ScopeMetrics[];
}

/** An attribute with its value as text: numbers and booleans as JSON writes them, lists and maps as JSON. */
export type Attribute = readonly [key: string, value: string];

export interface ScopeMetrics {
  /** Name of the instrumentation scope, and its version. */
  readonly name: string;
  readonly version: string;
  readonly metrics: readonly Metric[];
}

export type Temporality = 'unspecified' | 'delta' | 'cumulative';

/** What `aggregation_temporality` means by its numbers. */
export const temporalities: readonly Temporality[] = ['unspecified', 'delta', 'cumulative'];

export interface Metric {
  readonly name: string;
  readonly data: MetricData;
}

export type MetricData =
  | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
  | {
      readonly kind: 'sum';
      readonly temporality: Temporality;
      readonly monotonic: boolean;
      readonly points: readonly NumberPoint[];
    }
  | {
      readonly kind: 'histogram';
      readonly temporality: Temporality;
      readonly points: readonly HistogramPoint[];
    }
  | { readonly kind: 'summary'; readonly points: readonly SummaryPoint[] }
  /** None, or one that came after this was written. */
  | { readonly kind: 'unknown' };

/** What rules tell metrics apart by. */
export const otlpKinds = ['sum', 'gauge', 'histogram', 'summary'] as const;
export type OtlpKind = (typeof otlpKinds)[number];

export interface Point {
  readonly attributes: readonly Attribute[];
  /** Seconds UTC; 0 where the sender does not say. */
  readonly startSec: number;
  readonly timeSec: number;
  /** The series was there, and had no value. */
  readonly isEmpty: boolean;
}

export interface NumberPoint extends Point {
  readonly value: number | undefined;
}

export interface HistogramPoint extends Point {
  readonly count: number;
  /** Undefined where its buckets contradict each other. */
  readonly histogram: CumulativeHistogram | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

export interface SummaryPoint extends Point {
  readonly count: number;
  readonly total: number;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

const noRecordedValue = 1;

/** Whether the flags of a point say that it has no value. */
export function isEmptyBy(flags: number): boolean {
  return (flags & noRecordedValue) !== 0;
}
