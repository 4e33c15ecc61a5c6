import { readdirSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';

/** What plays many rounds or starts whole processes goes first, so that no long file is left to run alone at the end. */
const longFirst = [
  'test/simulation',
  'test/artifact',
  'test/storage/redis',
  'test/system',
  'test/scripts',
  'test/cli',
];

/** The test files that are these, or lie in these folders, in the order to start them in. @throws when there is none */
export function testFiles(chosen: readonly string[]): string[] {
  const files = [...new Set(chosen.flatMap((path) => filesAt(normalize(path).replace(/\/$/, ''))))];
  if (files.length === 0) throw new Error(`no test file (*.test.ts) is, or lies in, ${chosen.join(', ')}`);
  return files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.ts')).map((name) => join(path, name));
}

function rank(file: string): number {
  const place = longFirst.findIndex((folder) => file.startsWith(`${folder}/`));
  return place < 0 ? longFirst.length : place;
}
