import type { Report } from '../scenario.js';
import type { Ran } from './run.js';

const columns = [
  'load',
  'events/s',
  'exact',
  'CPU µs/event',
  'in calibrations',
  'memory MB',
  'fresh p50, p99',
  'all shown after',
] as const;

/** Events are exact where every count and total is, and nothing was lost or rejected. */
export function isExact({ report }: Ran): boolean {
  return report.wrong_tabs.length === 0 && report.lost === 0 && report.rejected === 0;
}

export function reportOf(runs: readonly Ran[]): Report {
  return {
    columns,
    rows: runs.map(rowOf),
    calibrationsNs: runs.map(({ calibrationNs }) => calibrationNs),
    ok: runs.every(isExact),
  };
}

/** CPU of the applications and of every process of the cluster, µs/event. */
export function cpuOf({ report, used }: Ran): Readonly<Record<string, number>> {
  const cluster = Object.entries(used).map(([name, { cpuSec }]) => [name, (cpuSec * 1e6) / report.recorded]);
  return { apps: report.cpu_us_per_event, ...Object.fromEntries(cluster) };
}

function rowOf(ran: Ran): string[] {
  const { load, report, used, calibrationNs } = ran;
  const cpu = Object.entries(cpuOf(ran));
  const total = cpu.reduce((sum, [, each]) => sum + each, 0);
  const megabytes = Object.entries(used).map(([name, { peakBytes }]) => `${name} ${mb(peakBytes)}`);
  const ms = (value: number | null) => (value === null ? 'never' : `${value.toFixed(0)} ms`);
  return [
    load.name,
    Math.round(report.events_per_sec).toLocaleString('en'),
    isExact(ran) ? 'yes' : faultOf(ran),
    cpu.map(([name, each]) => `${name} ${each.toFixed(3)}`).join(' + '),
    ((total * 1000) / calibrationNs).toFixed(2),
    [`app +${mb(report.grown_bytes)}`, ...megabytes].join(', '),
    `${ms(report.freshness_ms.p50)}, ${ms(report.freshness_ms.p99)}`,
    `${report.drained_sec.toFixed(2)} s`,
  ];
}

function faultOf({ report: { recorded, shown, lost, rejected, wrong_tabs: wrong } }: Ran): string {
  return `${shown - recorded} events, ${wrong.length} tabs wrong, ${lost} lost, ${rejected} rejected`;
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
