import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Resolved, resolveSettings } from '../../../src/cli/settings/resolve.js';
import type { Daemon } from '../../../src/cli/settings/table.js';
import { UsageError } from '../../../src/cli/usage-error.js';

export interface Given {
  readonly flags?: Readonly<Record<string, string | readonly string[]>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly file?: unknown;
}

export function resolve(t: Test, daemon: Daemon, { flags = {}, env = {}, file }: Given): Resolved {
  const folder = t.testdir();
  const all = new Map(Object.entries(flags).map(([name, value]) => [name, [value].flat()]));
  if (file !== undefined) {
    writeFileSync(join(folder, 'taba.json'), typeof file === 'string' ? file : JSON.stringify(file));
    all.set('config', ['taba.json']);
  }
  return resolveSettings(daemon, { flags: all, env, folder });
}

/** The message with which the settings are refused. */
export function refusal(t: Test, daemon: Daemon, given: Given): string {
  try {
    resolve(t, daemon, given);
  } catch (error) {
    t.ok(error instanceof UsageError, 'a fault of whoever wrote it');
    return (error as Error).message;
  }
  t.fail('should have been refused');
  return '';
}
