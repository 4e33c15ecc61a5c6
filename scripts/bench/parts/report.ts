import type { Report } from '../scenario.js';
import type { Usage } from '../usage.js';
import type { Sent } from './sender.js';

/** What became of some rounds of Parts. */
export interface PartsRan {
  /** In words, such as `embedded, 5 Parts a Block: the first of each pair`. */
  readonly load: string;
  readonly sent: Sent;
  /** Tabs that show something else than was sent. */
  readonly wrongTabs: number;
  /** By process. */
  readonly used: Readonly<Record<string, Usage>>;
  readonly calibrationNs: number;
}

const columns = ['load', 'Parts', 'Parts/s', 'exact', 'CPU µs/Part', 'in calibrations', 'memory MB'] as const;

export function reportOf(runs: readonly PartsRan[]): Report {
  return {
    columns,
    rows: runs.map(rowOf),
    calibrationsNs: runs.map(({ calibrationNs }) => calibrationNs),
    ok: runs.every(isExact),
  };
}

function isExact({ sent, wrongTabs }: PartsRan): boolean {
  return sent.rejected === 0 && wrongTabs === 0;
}

function rowOf(ran: PartsRan): string[] {
  const { load, sent, wrongTabs, used, calibrationNs } = ran;
  const each = Object.entries(used).map(([name, { cpuSec }]) => [name, (cpuSec * 1e6) / sent.parts] as const);
  const total = each.reduce((sum, [, us]) => sum + us, 0);
  return [
    load,
    sent.parts.toLocaleString('en'),
    Math.round(sent.parts / sent.seconds).toLocaleString('en'),
    isExact(ran) ? 'yes' : `${wrongTabs} tabs wrong, ${sent.rejected} Parts rejected`,
    each.map(([name, us]) => `${name} ${us.toFixed(2)}`).join(' + '),
    ((total * 1000) / calibrationNs).toFixed(1),
    Object.entries(used)
      .map(([name, { peakBytes }]) => `${name} ${(peakBytes / 1e6).toFixed(0)}`)
      .join(', '),
  ];
}
