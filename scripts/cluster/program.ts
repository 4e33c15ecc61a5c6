import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

async function build(...flags: readonly string[]): Promise<void> {
  await run(process.execPath, ['--import', 'tsx', 'build/build.ts', ...flags], { cwd: root });
}

/** Builds the executable of the tree as it is now. @returns how to run it */
export async function buildExecutable(): Promise<readonly string[]> {
  await build('--executable');
  return [join(root, 'dist/taba')];
}

/** The bundle alone, in a place of its own: built in a second, run by this Node. @returns how to run it */
export async function buildBundle(folder: string): Promise<readonly string[]> {
  await build('--bundle', '--out', join(folder, 'dist'));
  return [process.execPath, join(folder, 'dist/taba.cjs')];
}
