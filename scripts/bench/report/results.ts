import type { Report } from '../scenario.js';
import type { Usage } from '../usage.js';

/** What one program did with one load. */
export interface Result {
  /** What came in, such as `TCP, counters, 1,000 names`. Results with the same load are compared with each other. */
  readonly load: string;
  /** Who took it. The first one that was given a load is Taba, the others are its peers. */
  readonly program: string;
  readonly sent: number;
  /** Events that the program shows in the end. */
  readonly shown: number;
  /** Whether it shows every event of every name and nothing else; in words where it does not. */
  readonly exact: true | string;
  /** Whether it does not, but tells every event that is missing. */
  readonly toldLoss?: boolean;
  /** From the first event sent until all of them were in. */
  readonly seconds: number;
  /** By process, the one that took the events first. */
  readonly used: Readonly<Record<string, Usage>>;
  /** Before and after, see calibration.ts. */
  readonly calibrationNs: number;
}

const columns = [
  'load',
  'program',
  'events/s',
  'CPU µs/event',
  'in calibrations',
  'memory MB',
  'lost',
  'exact',
  'CPU of the peer',
] as const;

/** The peers beside Taba, load by load. */
export function reportOf(results: readonly Result[]): Report {
  const tabaOf = (load: string): Result => results.find((result) => result.load === load)!;
  return {
    columns,
    rows: results.map((result) => rowOf(result, tabaOf(result.load))),
    calibrationsNs: results.map(({ calibrationNs }) => calibrationNs),
    // A peer that loses something is a result.
    ok: results.every((result) => {
      return result !== tabaOf(result.load) || result.exact === true || result.toldLoss === true;
    }),
  };
}

/** CPU of the process that took the events first, µs/event. */
function cpuOf({ used, sent }: Result): number {
  return ((Object.values(used)[0]?.cpuSec ?? 0) * 1e6) / sent;
}

function rowOf(result: Result, taba: Result): string[] {
  const { load, program, sent, shown, exact, seconds, used, calibrationNs } = result;
  const each = (of: (name: string) => string) => Object.keys(used).map(of).join(' + ');
  return [
    load,
    program,
    Math.round(shown / seconds).toLocaleString('en'),
    each((name) => `${name} ${((used[name]!.cpuSec * 1e6) / sent).toFixed(3)}`),
    ((cpuOf(result) * 1000) / calibrationNs).toFixed(2),
    each((name) => (used[name]!.peakBytes / 1e6).toFixed(0)),
    (sent - shown).toLocaleString('en'),
    exact === true ? 'yes' : exact,
    result === taba ? '' : `${(cpuOf(result) / cpuOf(taba)).toFixed(1)} times`,
  ];
}
