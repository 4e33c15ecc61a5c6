import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What the line of a daemon that is ready carries, besides its addresses. */
interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

/**
 * One Taba daemon as a real process, started, killed, frozen and started again with the same command line. It is
 * ready when it says so in its log.
 */
export class Daemon {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #onLog: (line: LogLine) => void;
  #child: ChildProcess | undefined;

  /** @param command program and arguments, such as ['node', 'dist/taba.cjs', 'agent', '--port', '8279'] */
  constructor(name: string, command: readonly string[], onLog: (line: LogLine) => void = () => {}) {
    this.name = name;
    this.#command = command;
    this.#onLog = onLog;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.name} is not running`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts, and waits until it is ready. @throws when it ends first, with the last lines it wrote */
  async start(): Promise<void> {
    const [program, ...args] = this.#command;
    if (program === undefined) throw new Error('no command');
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    const lastLines: string[] = [];
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on('line', (text) => {
        lastLines.push(text);
        if (lastLines.length > 20) lastLines.shift();
        const line = parseLine(text);
        this.#onLog(line);
        if (line.event === 'ready') resolve();
      });
      child.once('exit', (code, signal) => {
        reject(
          new Error(`${this.name} ended (${signal ?? code}) before it was ready:\n${lastLines.join('\n')}`),
        );
      });
      child.once('error', reject);
    });
    await ready;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Asks it to stop in good order, and waits. @returns its exit code; null when a signal ended it */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || !this.running) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
    return child.exitCode;
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { event: 'unstructured', text };
  }
}
