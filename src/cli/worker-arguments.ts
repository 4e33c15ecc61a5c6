import { memoryOfEach } from './memory.js';
import { variableOf } from './settings/environment.js';
import { holdsSecret } from './settings/kinds.js';
import { type Setting, type SettingName, type SettingValues, settings } from './settings/table.js';
import { workerVariable } from './worker-channel.js';

/** The least that the setting takes. */
const minMemoryBytes = 64 * 2 ** 20;

export interface WorkerCommand {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface WorkerCommandOptions {
  /** The flags that the parent was given. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly env: NodeJS.ProcessEnv;
  readonly settings: SettingValues;
  readonly worker: number;
  /** The port that it had before it died; 0 for none yet. */
  readonly portBefore: number;
}

/**
 * The command line of one worker: the parent's own, with what has to differ. Settings from the environment and from the file
 * are read again by the worker. Secrets go through the environment, which other users cannot see.
 */
export function workerCommand(options: WorkerCommandOptions): WorkerCommand {
  const { flags, worker } = options;
  const own = ownFlags(options);
  const env: NodeJS.ProcessEnv = { ...options.env, [workerVariable]: String(worker) };
  const args = ['server', ...Object.entries(own).map(([name, value]) => `--${name}=${value}`)];
  for (const [name, values] of flags) {
    if (Object.hasOwn(own, name)) continue;
    if (values.some((value) => isSecret(name, value))) env[variableOf(name)] = values.at(-1);
    else args.push(...values.map((value) => asFlag(name, value)));
  }
  return { args, env };
}

/** What differs between workers, and between a worker and its parent. */
function ownFlags({ settings, worker, portBefore }: WorkerCommandOptions): Readonly<Record<string, string>> {
  const { port, advertise, profile } = settings;
  return {
    workers: '1',
    'max-memory': String(Math.max(minMemoryBytes, memoryOfEach(settings, settings.workers))),
    port: String(port === 0 ? portBefore : port + worker),
    ...(advertise !== undefined && { advertise: countedUp(advertise, worker) }),
    ...(profile !== undefined && { profile: `${profile}.${worker}` }),
  };
}

function countedUp(hostAndPort: string, by: number): string {
  const colon = hostAndPort.lastIndexOf(':');
  return `${hostAndPort.slice(0, colon)}:${Number(hostAndPort.slice(colon + 1)) + by}`;
}

function rowOf(name: string): Setting | undefined {
  return Object.hasOwn(settings, name) ? (settings[name as SettingName] as Setting) : undefined;
}

function isSecret(name: string, value: string): boolean {
  const row = rowOf(name);
  return row !== undefined && holdsSecret(row.kind, value);
}

function asFlag(name: string, value: string): string {
  if (rowOf(name)?.kind.placeholder !== '') return `--${name}=${value}`;
  return value === 'true' ? `--${name}` : `--no-${name}`;
}
