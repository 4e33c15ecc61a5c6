import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program that is not an npm package, and how people get it. */
interface SystemProgram {
  readonly program: string;
  /** The package that has it, under Debian and Ubuntu, and under Homebrew. */
  readonly aptPackage: string;
  readonly brewPackage: string;
  /** The environment variable that says where it is. */
  readonly variable: string;
}

const redisServer: SystemProgram = {
  program: 'redis-server',
  aptPackage: 'redis-server',
  brewPackage: 'redis',
  variable: 'TABA_REDIS_SERVER',
};

const prometheus: SystemProgram = {
  program: 'prometheus',
  aptPackage: 'prometheus',
  brewPackage: 'prometheus',
  variable: 'TABA_PROMETHEUS',
};

const promtool: SystemProgram = { ...prometheus, program: 'promtool', variable: 'TABA_PROMTOOL' };

const aptFolder = '/var/lib/apt';

const found = new Map<SystemProgram, Promise<string>>();

/** Path of redis-server, see `find`. */
export function redisServerProgram(): Promise<string> {
  return foundOnce(redisServer);
}

/** Paths of Prometheus and its promtool, see `find`. */
export async function prometheusPrograms(): Promise<{ prometheus: string; promtool: string }> {
  return { prometheus: await foundOnce(prometheus), promtool: await foundOnce(promtool) };
}

function foundOnce(wanted: SystemProgram): Promise<string> {
  const path = found.get(wanted) ?? find(wanted);
  found.set(wanted, path);
  return path;
}

/**
 * What the environment says, else the one on the PATH, else it is installed where that can be done without asking: by root,
 * on a system with apt-get.
 *
 * @throws with what to install, where there is none
 */
async function find(wanted: SystemProgram): Promise<string> {
  const { program, variable } = wanted;
  const told = process.env[variable];
  if (told !== undefined) {
    if (await isExecutable(told)) return told;
    throw new Error(`${variable}=${told} is not a program that can be run`);
  }
  const present = await onPath(program);
  if (present !== undefined) return present;
  await install(wanted);
  const installed = await onPath(program);
  if (installed === undefined) throw new Error(`${program} was installed, but is not on the PATH`);
  return installed;
}

async function install({ program, aptPackage, brewPackage, variable }: SystemProgram): Promise<void> {
  const installing = `apt-get update && apt-get install -y --no-install-recommends ${aptPackage}`;
  const advice = `${program} is needed, and was not found on the PATH. Install it (${installing} (Debian, Ubuntu); brew install ${brewPackage} (macOS)), or set ${variable} to its path.`;
  if ((await onPath('apt-get')) === undefined || process.getuid?.() !== 0) throw new Error(advice);
  // Run level 1 keeps a package from starting a daemon of the system's own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  try {
    // One after the other: tests run side by side, and apt-get does not wait for itself. The lock is on its own folder,
    // so that nothing is left behind.
    await run('flock', [aptFolder, 'sh', '-c', installing], { env });
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
