import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { programArguments } from '../support/program.js';

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A TypeScript program as a process of its own, whose log is read line by line. */
export interface DaemonProcess {
  readonly pid: number;
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>;
  readonly lines: readonly LogLine[];
  /** The next line that `is` accepts, counted from the last one that this gave. */
  next(is: (line: LogLine) => boolean): Promise<LogLine>;
  event(name: string): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
}

/** What a daemon says when it refuses to start is for people. */
function parse(text: string): LogLine {
  return text.startsWith('{') ? (JSON.parse(text) as LogLine) : { event: 'said', text };
}

export function startDaemon(
  t: Test,
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): DaemonProcess {
  const child = spawn(process.execPath, [...programArguments(script), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: LogLine[] = [];
  const incoming = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  const next = async (is: (line: LogLine) => boolean): Promise<LogLine> => {
    for (;;) {
      const { value, done } = await incoming.next();
      if (done) throw new Error(`the log ended: ${JSON.stringify(lines)}`);
      const line = parse(value);
      lines.push(line);
      if (is(line)) return line;
    }
  };
  return {
    pid: child.pid ?? 0,
    ended,
    lines,
    next,
    event: (name) => next((line) => line.event === name),
    kill: (signal) => void child.kill(signal),
  };
}
