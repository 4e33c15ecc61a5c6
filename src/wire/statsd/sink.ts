import type { ErrorCode } from '../../core/errors.js';
import type { MetricKind, MetricName } from './metric.js';

/** What stands beside a packet's metrics and is none. */
export type StatsdNotice = 'event' | 'service_check';

/**
 * Takes what a scanner reads. A series is a (name, kind, tags) as the sender writes it, known by a number; everything that
 * has to be worked out for it is worked out once, at `series`.
 */
export interface StatsdSink {
  /** A series that comes for the first time since `forget`; numbers count from 0. Its values follow. */
  series(series: number, kind: MetricKind, name: MetricName): void;
  /** All numbers of series become free: whatever is kept under them must be taken elsewhere now. */
  forget(): void;
  /**
   * A counter, a measured value, or a gauge that is set.
   * @param weight 1 / sample rate; 1 for gauges
   * @param timestampSec -1 where the line has none
   */
  value(series: number, value: number, weight: number, timestampSec: number): void;
  /** A gauge that is to be changed by a signed number. */
  change(series: number, change: number, timestampSec: number): void;
  /** A member of a set: the bytes from `start` up to `end`. */
  member(
    series: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    weight: number,
    timestampSec: number,
  ): void;
  /** An event that cannot be counted; the bytes from `start` up to `end` are its line, or its value. */
  fault(code: ErrorCode, reason: string, bytes: Uint8Array, start: number, end: number): void;
  /** Something that is understood, and that Taba has no use for. */
  notice(notice: StatsdNotice): void;
}
