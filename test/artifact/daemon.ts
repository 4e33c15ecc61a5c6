import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One daemon as a process of its own. The test that started it ends it. */
export class Daemon {
  readonly log: readonly LogLine[];
  readonly ready: LogLine;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;

  private constructor(child: ChildProcess, ended: Promise<Ended>, log: readonly LogLine[], ready: LogLine) {
    this.#child = child;
    this.#ended = ended;
    this.log = log;
    this.ready = ready;
  }

  /** Starts, and waits for its `ready` line. @throws when it ends before, with what it wrote */
  static async start(
    t: Test,
    command: readonly string[],
    folder: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Daemon> {
    const [program = '', ...args] = command;
    const child = spawn(program, [...args, '--log-format', 'json'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Ended);
    const log: LogLine[] = [];
    const ready = await new Promise<LogLine>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on('line', (text) => {
        const line = parse(text);
        log.push(line);
        if (line.event === 'ready') resolve(line);
      });
      child.once('error', reject);
      void ended.then(({ code }) =>
        reject(new Error(`${args.join(' ')} ended with ${code}: ${JSON.stringify(log)}`)),
      );
    });
    return new Daemon(child, ended, log, ready);
  }

  address(role: 'server' | 'agent'): string {
    return String(this.ready[role]);
  }

  get port(): number {
    return Number(new URL(String(this.ready.server ?? this.ready.agent)).port);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { text };
  }
}

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export function runOnce(
  command: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv = {},
  input = '',
): Result {
  const [program = '', ...args] = command;
  const done = spawnSync(program, args, { cwd: folder, env, input, encoding: 'utf8', timeout: 60_000 });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

/** Runs a command again and again until its result is as expected: what was recorded is readable a moment later. */
export async function runUntil(
  command: readonly string[],
  folder: string,
  isExpected: (result: Result) => boolean,
): Promise<Result> {
  const giveUpAtMs = Date.now() + 30_000;
  for (;;) {
    const result = runOnce(command, folder);
    if (isExpected(result) || Date.now() > giveUpAtMs) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
