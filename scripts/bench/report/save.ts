import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../scenario.js';
import { asMarkdown } from './table.js';

const root = join(import.meta.dirname, '../../..');
const file = join(root, 'docs/benchmarks.md');

/** Puts the results of a scenario in the place of its former ones in docs/benchmarks.md. */
export async function save(scenario: string, report: Report): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [begin, end] = [`<!-- ${scenario} -->`, `<!-- /${scenario} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place between ${begin} and ${end}`);
  const section = `${begin}\n${await circumstances(report)}\n\n${asMarkdown(report)}\n${end}`;
  await writeFile(file, text.slice(0, from) + section + text.slice(to + end.length));
}

/** The day, the machine, and how fast it was. */
async function circumstances({ calibrationsNs }: Report): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], { cwd: root });
  const day = new Date().toISOString().slice(0, 10);
  const [{ model }, gib] = [cpus()[0]!, (totalmem() / 2 ** 30).toFixed(0)];
  const speeds = [...calibrationsNs].sort((a, b) => a - b);
  const calibration = `${speeds[0]!.toFixed(0)} to ${speeds.at(-1)!.toFixed(0)} ns`;
  return `${day}, ${stdout.trim()}, Node ${process.version}, ${cpus().length} x ${model.trim()}, ${gib} GiB; calibration ${calibration}.`;
}
