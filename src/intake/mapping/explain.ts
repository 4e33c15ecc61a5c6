import type { ErrorCode } from '../../core/errors.js';
import { TabaError } from '../../core/errors.js';
import type { TabName, TabType } from '../../core/ids.js';
import type { MetricKind, MetricName } from '../../wire/statsd/metric.js';
import { StatsdScanner } from '../../wire/statsd/scanner.js';
import type { StatsdSink } from '../../wire/statsd/sink.js';
import { payloadOfMember, type Series, type SeriesContext, seriesOf } from '../statsd/series.js';
import type { Mapping } from './mapping.js';

/** What becomes of one value of a StatsD line. */
export type Explanation =
  | {
      readonly fate: 'taken';
      readonly tab: TabName;
      readonly type: TabType;
      readonly rule: number | undefined;
      /** As it would be folded; a gauge that is changed: by how much. */
      readonly value: string;
      readonly weight: number;
    }
  | { readonly fate: 'dropped'; readonly rule: number | undefined }
  | { readonly fate: 'ignored'; readonly what: string }
  | { readonly fate: 'rejected'; readonly code: ErrorCode; readonly message: string };

/** What an agent with this mapping would make of StatsD lines, value by value. */
export function explainLines(text: string, mapping: Mapping, context: SeriesContext): Explanation[] {
  const explainer = new Explainer(mapping, context);
  const bytes = Buffer.from(text);
  new StatsdScanner(explainer, { maxSeries: 10_000, maxKeyBytes: 2 ** 24 }).scan(bytes, 0, bytes.length);
  return explainer.explanations;
}

class Explainer implements StatsdSink {
  readonly explanations: Explanation[] = [];
  readonly #mapping: Mapping;
  readonly #context: SeriesContext;
  #series: { readonly series: Series; readonly rule: number | undefined }[] = [];

  constructor(mapping: Mapping, context: SeriesContext) {
    this.#mapping = mapping;
    this.#context = context;
  }

  series(number: number, kind: MetricKind, name: MetricName): void {
    const series = seriesOf(kind, name, this.#mapping, this.#context);
    const { maxNameBytes } = this.#context.limits;
    const rule = series.use === 'refuse' ? undefined : this.#mapping.map(kind, name, maxNameBytes).rule;
    this.#series[number] = { series, rule };
  }

  forget(): void {
    this.#series = [];
  }

  value(number: number, value: number, weight: number): void {
    this.#explain(number, value, weight);
  }

  change(number: number, change: number): void {
    const { signIsChange } = this.#series[number]!.series;
    this.#explain(number, change, 1, signIsChange ? `changed by ${change}` : undefined);
  }

  member(number: number, bytes: Uint8Array, start: number, end: number, weight: number): void {
    const { series } = this.#series[number]!;
    this.#explain(number, payloadOfMember(series, bytes, start, end), weight, textOf(bytes, start, end));
  }

  #explain(number: number, payload: number | string, weight: number, value = String(payload)): void {
    const { series, rule } = this.#series[number]!;
    this.explanations.push(explanationOf(series, rule, payload, { value, weight }));
  }

  fault(code: ErrorCode, reason: string, bytes: Uint8Array, start: number, end: number): void {
    const message = `${reason}: ${JSON.stringify(textOf(bytes, start, end))}`;
    this.explanations.push({ fate: 'rejected', code, message });
  }

  notice(notice: string): void {
    this.explanations.push({ fate: 'ignored', what: notice.replace('_', ' ') });
  }
}

function explanationOf(
  series: Series,
  rule: number | undefined,
  payload: number | string,
  shown: { readonly value: string; readonly weight: number },
): Explanation {
  if (series.use === 'drop') return { fate: 'dropped', rule };
  if (series.use === 'refuse') {
    const { code, message } = series;
    return { fate: 'rejected', code, message };
  }
  const { tab, type, handler, takesText } = series;
  try {
    handler.parse(takesText ? String(payload) : payload);
  } catch (error) {
    const code = error instanceof TabaError ? error.code : 'bad_value';
    return {
      fate: 'rejected',
      code,
      message: `${tab}: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  return { fate: 'taken', tab, type, rule, ...shown };
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
