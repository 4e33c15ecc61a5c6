import type { Result } from '../scenario.js';

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

/** CPU of the process that took the events first. */
function cpuOf({ used, sent }: Result): number {
  return ((Object.values(used)[0]?.cpuSec ?? 0) * 1e6) / sent;
}

/** One row for each result: the cells of `columns`. */
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

function rowsOf(results: readonly Result[]): string[][] {
  const rows = results.map((result) => {
    const taba = results.find(({ load }) => load === result.load)!;
    return rowOf(result, taba);
  });
  return [[...columns], ...rows];
}

/** For a terminal. */
export function asText(results: readonly Result[]): string {
  const rows = rowsOf(results);
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** For docs/benchmarks.md. */
export function asMarkdown(results: readonly Result[]): string {
  const [head, ...rows] = rowsOf(results);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...rows.map(line)].join('\n');
}
