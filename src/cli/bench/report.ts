import type { Freshness } from './freshness.js';
import type { ShareResult } from './share.js';
import type { Verification } from './verification.js';

/** What --json prints. */
export interface BenchReport {
  readonly recorded: number;
  readonly shown: number;
  readonly lost: number;
  readonly rejected: number;
  /** Names of tabs whose count or total is not what was recorded; the first hundred. */
  readonly wrong_tabs: readonly string[];
  readonly seconds: number;
  readonly events_per_sec: number;
  /** CPU of the recording processes, sending included. */
  readonly cpu_us_per_event: number;
  /** Of the process that grew most. */
  readonly grown_bytes: number;
  /** After the last event, until everything was shown. */
  readonly drained_sec: number;
  /** From recording an event until a server shows it; null where none was shown. */
  readonly freshness_ms: {
    readonly p50: number | null;
    readonly p99: number | null;
    readonly max: number | null;
  };
}

const namedTabs = 100;

export function reportOf(
  results: readonly ShareResult[],
  { recorded, shown, wrongTabs, waitedSec }: Verification,
  freshness: Freshness,
): BenchReport {
  const sum = (of: (result: ShareResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const most = (of: (result: ShareResult) => number) => Math.max(...results.map(of));
  const seconds = most((result) => result.seconds);
  const at = (share: number) =>
    freshness[Math.min(freshness.length - 1, Math.floor(share * freshness.length))] ?? null;
  return {
    ...{ recorded, shown, lost: sum(({ lost }) => lost), rejected: sum(({ rejected }) => rejected) },
    wrong_tabs: wrongTabs.slice(0, namedTabs),
    ...{ seconds, events_per_sec: recorded / seconds },
    cpu_us_per_event: (sum(({ cpuSec }) => cpuSec) * 1e6) / recorded,
    grown_bytes: most(({ grownBytes }) => grownBytes),
    drained_sec: waitedSec,
    freshness_ms: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

/** What people read. */
export function textOf(report: BenchReport): string {
  const { recorded, shown, lost, rejected, wrong_tabs: wrong, freshness_ms: late } = report;
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  const ms = (value: number | null) => (value === null ? 'unknown' : `${whole(value)} ms`);
  const verdict =
    wrong.length === 0
      ? 'every count and total is exact'
      : `${wrong.length}${wrong.length === namedTabs ? ' or more' : ''} tabs are wrong, among them ${wrong.slice(0, 3).join(', ')}`;
  return [
    `recorded   ${whole(recorded)} events in ${report.seconds.toFixed(1)} s: ${whole(report.events_per_sec)} a second`,
    `shown      ${whole(shown)}: ${verdict}`,
    `lost       ${whole(lost)}, rejected ${whole(rejected)}`,
    `recording  ${report.cpu_us_per_event.toFixed(3)} µs of CPU an event, ${(report.grown_bytes / 1e6).toFixed(1)} MB of memory a process at most`,
    `freshness  p50 ${ms(late.p50)}, p99 ${ms(late.p99)}, at most ${ms(late.max)}; everything was shown ${report.drained_sec.toFixed(2)} s after the last event`,
    '',
  ].join('\n');
}
