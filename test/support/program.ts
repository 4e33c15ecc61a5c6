import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** A TypeScript program of this project, as Node starts it. */
export interface Program {
  readonly file: string;
  /** Flags of Node, which stand before the file. */
  readonly execArgv: string[];
}

/** @param source path of the program: its bundle, where `npm test` made one (scripts/test/bundles.ts), starts sooner */
export function programOf(source: string): Program {
  const folder = process.env.TEST_BUNDLES;
  const bundle = folder && join(folder, relative(root, source).replace(/\.ts$/, '.mjs'));
  return bundle && existsSync(bundle)
    ? { file: bundle, execArgv: [] }
    : { file: source, execArgv: ['--import', 'tsx'] };
}

/** The same, as arguments of Node. */
export function programArguments(source: string): string[] {
  const { file, execArgv } = programOf(source);
  return [...execArgv, file];
}
