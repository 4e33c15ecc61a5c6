import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installing =
  'apt-get update && apt-get install -y --no-install-recommends redis-server (Debian, Ubuntu); brew install redis (macOS)';

let found: Promise<string> | undefined;

/**
 * Path of redis-server: what TABA_REDIS_SERVER says, else the one on the PATH, else it is installed where that can be
 * done without asking: by root, on a system with apt-get.
 *
 * @throws with what to install, where there is none
 */
export function redisServerProgram(): Promise<string> {
  found ??= find();
  return found;
}

async function find(): Promise<string> {
  const told = process.env.TABA_REDIS_SERVER;
  if (told !== undefined) {
    if (await isExecutable(told)) return told;
    throw new Error(`TABA_REDIS_SERVER=${told} is not a program that can be run`);
  }
  const present = await onPath('redis-server');
  if (present !== undefined) return present;
  await install();
  const installed = await onPath('redis-server');
  if (installed === undefined) throw new Error(`redis-server was installed, but is not on the PATH`);
  return installed;
}

async function install(): Promise<void> {
  const advice = `redis-server is needed, and was not found on the PATH. Install it (${installing}), or set TABA_REDIS_SERVER to its path.`;
  const aptGet = await onPath('apt-get');
  if (aptGet === undefined || process.getuid?.() !== 0) throw new Error(advice);
  // Run level 1 keeps the package from starting a Redis of the system's own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const arguments_ = ['install', '-y', '--no-install-recommends', 'redis-server'];
  try {
    await run(aptGet, ['update'], { env });
    await run(aptGet, arguments_, { env });
  } catch (error) {
    throw new Error(`${advice} Tried to: ${(error as Error).message}`);
  }
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
