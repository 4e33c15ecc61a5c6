import { aligned } from '../../terminal/aligned.js';
import type { Report } from '../scenario.js';

/** For a terminal. */
export function asText({ columns, rows }: Report): string {
  return aligned([columns, ...rows]);
}

/** For docs/benchmarks.md. */
export function asMarkdown({ columns, rows }: Report): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
