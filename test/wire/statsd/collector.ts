import { nameWithPairs } from '../../../src/core/names.js';
import { type MetricKind, type MetricName, pairOf } from '../../../src/wire/statsd/metric.js';
import { StatsdScanner } from '../../../src/wire/statsd/scanner.js';
import type { StatsdNotice, StatsdSink } from '../../../src/wire/statsd/sink.js';

/**
 * Writes down what a scanner finds, one text for each event: `tab kind value`, then `x` and the weight where it is not 1,
 * and `@` and the timestamp where there is one. Changes of gauges have a `±`, faults are `!code`, notices `(event)`.
 */
export class Collector implements StatsdSink {
  readonly found: string[] = [];
  readonly reasons: string[] = [];
  forgotten = 0;
  notices = 0;
  #series: string[] = [];

  series(series: number, kind: MetricKind, { name, tags }: MetricName): void {
    if (series !== this.#series.length) throw new Error(`series ${series} after ${this.#series.length}`);
    this.#series.push(`${nameWithPairs(name, new Set(tags.map(pairOf)))} ${kind}`);
  }

  forget(): void {
    this.forgotten++;
    this.#series = [];
  }

  #add(series: number, value: string, weight: number, timestampSec: number): void {
    const name = this.#series[series];
    if (name === undefined) throw new Error(`series ${series} was never told of`);
    const time = timestampSec < 0 ? '' : ` @${timestampSec}`;
    this.found.push(`${name} ${value}${weight === 1 ? '' : ` x${weight}`}${time}`);
  }

  value(series: number, value: number, weight: number, timestampSec: number): void {
    if (!Number.isFinite(value) || Object.is(value, -0)) throw new Error(`value ${value}`);
    if (!(weight >= 1 && Number.isFinite(weight))) throw new Error(`weight ${weight}`);
    this.#add(series, String(value), weight, timestampSec);
  }

  change(series: number, change: number, timestampSec: number): void {
    this.#add(series, `±${change}`, 1, timestampSec);
  }

  member(
    series: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    weight: number,
    timestampSec: number,
  ): void {
    this.#add(series, Buffer.from(bytes.subarray(start, end)).toString(), weight, timestampSec);
  }

  fault(code: string, reason: string, bytes: Uint8Array, start: number, end: number): void {
    if (start < 0 || end < start || end > bytes.length) throw new Error(`a fault from ${start} to ${end}`);
    this.found.push(`!${code}`);
    this.reasons.push(reason);
  }

  notice(notice: StatsdNotice): void {
    this.notices++;
    this.found.push(`(${notice})`);
  }
}

export const roomy = { maxSeries: 100_000, maxKeyBytes: 2 ** 24 };

/** What a packet comes to. Checks that as many events were counted as were told of. */
export function scanned(packet: string | Uint8Array): string[] {
  const collector = new Collector();
  const bytes = typeof packet === 'string' ? Buffer.from(packet) : packet;
  const events = new StatsdScanner(collector, roomy).scan(bytes, 0, bytes.length);
  const told = collector.found.length - collector.notices;
  if (events !== told) throw new Error(`${events} events counted, ${told} told of`);
  return collector.found;
}
