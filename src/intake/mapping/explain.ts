import type { ErrorCode } from '../../core/errors.js';
import { TabaError } from '../../core/errors.js';
import type { TabName, TabType } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { MetricKind, MetricName } from '../../wire/statsd/metric.js';
import { StatsdScanner } from '../../wire/statsd/scanner.js';
import type { StatsdSink } from '../../wire/statsd/sink.js';
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
export function explainLines(
  text: string,
  mapping: Mapping,
  limits: Pick<Limits, 'maxNameBytes'>,
): Explanation[] {
  const explainer = new Explainer(mapping, limits);
  const bytes = Buffer.from(text);
  new StatsdScanner(explainer, { maxSeries: 10_000, maxKeyBytes: 2 ** 24 }).scan(bytes, 0, bytes.length);
  return explainer.explanations;
}

type Named = (value: string, weight: number) => Explanation;

class Explainer implements StatsdSink {
  readonly explanations: Explanation[] = [];
  readonly #mapping: Mapping;
  readonly #limits: Pick<Limits, 'maxNameBytes'>;
  #series: { readonly explain: Named; readonly signIsChange: boolean }[] = [];

  constructor(mapping: Mapping, limits: Pick<Limits, 'maxNameBytes'>) {
    this.#mapping = mapping;
    this.#limits = limits;
  }

  series(series: number, kind: MetricKind, name: MetricName): void {
    try {
      const { tab, type, rule, signIsChange } = this.#mapping.map(kind, name, this.#limits.maxNameBytes);
      const explain: Named = (value, weight) =>
        tab === undefined ? { fate: 'dropped', rule } : { fate: 'taken', tab, type, rule, value, weight };
      this.#series[series] = { explain, signIsChange };
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      const { code, message } = error;
      this.#series[series] = { explain: () => ({ fate: 'rejected', code, message }), signIsChange: false };
    }
  }

  forget(): void {
    this.#series = [];
  }

  value(series: number, value: number, weight: number): void {
    this.explanations.push(this.#series[series]!.explain(String(value), weight));
  }

  change(series: number, change: number): void {
    const { explain, signIsChange } = this.#series[series]!;
    const text = signIsChange ? `changed by ${change}` : String(change);
    this.explanations.push(explain(text, 1));
  }

  member(series: number, bytes: Uint8Array, start: number, end: number, weight: number): void {
    this.explanations.push(this.#series[series]!.explain(textOf(bytes, start, end), weight));
  }

  fault(code: ErrorCode, reason: string, bytes: Uint8Array, start: number, end: number): void {
    const message = `${reason}: ${JSON.stringify(textOf(bytes, start, end))}`;
    this.explanations.push({ fate: 'rejected', code, message });
  }

  notice(notice: string): void {
    this.explanations.push({ fate: 'ignored', what: notice.replace('_', ' ') });
  }
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
