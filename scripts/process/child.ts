import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { entrust } from './keeper.js';

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Told every line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

/**
 * A program as a real process that can be killed, frozen, thawed, stopped, and started again with the same command line.
 * It leads a session of its own, so that Ctrl-C reaches its parent alone, which then ends it in good order; should the
 * parent end in another way, it is killed.
 */
export class Child {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #options: ChildOptions;
  #child: ChildProcess | undefined;
  #closed: Promise<void> | undefined;
  #frozen = false;

  /** @param command program and arguments, such as ['node', 'dist/taba.cjs', 'agent', '--port', '8279'] */
  constructor(name: string, command: readonly string[], options: ChildOptions = {}) {
    this.name = name;
    this.#command = command;
    this.#options = options;
  }

  /** @throws where it never ran */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.name} is not running`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get frozen(): boolean {
    return this.running && this.#frozen;
  }

  /** How the last run ended: `SIGKILL`, `exit code 1`; undefined while it runs. */
  get ending(): string | undefined {
    const child = this.#child;
    if (child === undefined || this.running) return undefined;
    return child.signalCode ?? `exit code ${child.exitCode}`;
  }

  /** Starts the process; whether it is of use yet is for others to find out. @throws when the program cannot be run */
  async spawn(): Promise<void> {
    if (this.running) throw new Error(`${this.name} is running already`);
    const [program, ...args] = this.#command;
    if (program === undefined) throw new Error(`${this.name} has no command`);
    const { cwd, env, onLine } = this.#options;
    const child = spawn(program, args, {
      stdio: ['ignore', onLine ? 'pipe' : 'ignore', onLine ? 'pipe' : 'ignore'],
      detached: true,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
    this.#child = child;
    this.#frozen = false;
    entrust(child);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream && onLine) createInterface({ input: stream }).on('line', onLine);
    }
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
    await once(child, 'spawn');
  }

  /** Waits until it has ended and everything that it wrote was told; resolved at once where it never ran. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGSTOP. */
  freeze(): void {
    if (!this.running) return;
    this.#frozen = true;
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    this.#frozen = false;
    if (this.running) this.#child?.kill('SIGCONT');
  }

  /**
   * Asks it to stop in good order (SIGTERM), and waits; kills it where it has not ended by the deadline.
   *
   * @returns its exit code; null when a signal ended it
   */
  async stop(deadlineMs = 60_000): Promise<number | null> {
    this.thaw();
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), deadlineMs);
    await this.#end('SIGTERM');
    clearTimeout(late);
    return this.#child?.exitCode ?? null;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    this.#child?.kill(signal);
    await this.#closed;
  }
}
