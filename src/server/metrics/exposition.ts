import { Size } from '../query/result.js';

export type FamilyKind = 'counter' | 'gauge' | 'summary';

export type Labels = readonly (readonly [name: string, value: string])[];

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface Family {
  /** Without the `_total` of counters. */
  readonly name: string;
  readonly kind: FamilyKind;
  /** One line. */
  readonly help: string;
}

/** Prometheus' text format 0.0.4, or OpenMetrics 1.0.0, which names counters without `_total` and has an end. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The format that an Accept header asks for: OpenMetrics where it is named, for nobody names it by accident. */
export function formatOf(accept: string | undefined): ExpositionFormat {
  const ranges = (accept ?? '').toLowerCase().split(',');
  const wanted = ranges.find((range) => range.trim().startsWith('application/openmetrics-text'));
  return wanted !== undefined && !/;\s*q=0(\.0*)?\s*(;|$)/.test(wanted) ? 'openmetrics' : 'prometheus';
}

/** An exposition while it is written, family by family, bounded while it grows. */
export class Exposition {
  readonly #format: ExpositionFormat;
  readonly #size: Size;
  readonly #lines: string[] = [];

  /** @param maxBytes of the whole text */
  constructor(format: ExpositionFormat, maxBytes: number) {
    this.#format = format;
    this.#size = new Size(maxBytes);
  }

  /**
   * A family without samples leaves no line.
   *
   * @throws TabaError `result_too_large`
   */
  add({ name, kind, help }: Family, samples: Iterable<Sample>): void {
    const sampled = kind === 'counter' ? `${name}_total` : name;
    let isNew = true;
    for (const { labels, value } of samples) {
      if (isNew) {
        const declared = this.#format === 'openmetrics' ? name : sampled;
        this.#write(`# HELP ${declared} ${help}\n# TYPE ${declared} ${kind}\n`);
        isNew = false;
      }
      // A type of somebody's own may tell what is no number.
      this.#write(`${sampled}${labelsText(labels)} ${Number.isFinite(value) ? value : 'NaN'}\n`);
    }
  }

  /** Written in full. */
  end(): string {
    if (this.#format === 'openmetrics') this.#write('# EOF\n');
    return this.#lines.join('');
  }

  #write(text: string): void {
    this.#size.add([text]);
    this.#lines.push(text);
  }
}

function labelsText(labels: Labels): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => escapes[character]!);
}
