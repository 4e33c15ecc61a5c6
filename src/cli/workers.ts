import { type ChildProcess, spawn } from 'node:child_process';
import { Backoff } from '../runtime/backoff.js';
import type { Clock } from '../runtime/clock.js';
import type { Log } from '../runtime/log.js';
import type { Addresses, Running } from './daemon.js';
import type { Program } from './this-program.js';
import { CommandFailure } from './usage-error.js';
import type { WorkerCommand } from './worker-arguments.js';
import { asWorkerMessage, type WorkerMessage } from './worker-channel.js';

export interface WorkersOptions {
  readonly count: number;
  readonly program: Program;
  /** @param portBefore the port that the worker had before it died; 0 for none yet */
  command(worker: number, portBefore: number): WorkerCommand;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Pauses before a worker that died is started again. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

export interface RunningWorkers extends Running {
  /** Has every worker read its settings again. */
  reload(): void;
}

/** A worker that lived so long begins its pauses anew. */
const healthyAfterMs = 60_000;
/** Beyond the deadline of the drain, which every worker keeps by itself. */
const graceMs = 5_000;

/**
 * Runs `--workers` processes of this program, each a server of its own on the same store, and starts again those that die.
 * Resolves when all are ready.
 *
 * @throws CommandFailure when one of them refuses to start, with its reason in the log
 */
export async function startWorkers(options: WorkersOptions): Promise<RunningWorkers> {
  const workers = new Workers(options);
  try {
    return await workers.start();
  } catch (error) {
    // How the others end is not the reason.
    await workers.close(0).catch(() => undefined);
    throw error;
  }
}

class Workers {
  readonly #options: WorkersOptions;
  readonly #workers: Worker[];
  /** A pause before a restart does not keep a process alive, and all workers may have died at once. */
  readonly #awake = setInterval(() => {}, 60_000);
  readonly #endAll = () => {
    for (const worker of this.#workers) worker.kill();
  };

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.count }, (_, index) => new Worker(index, options));
  }

  async start(): Promise<RunningWorkers> {
    // However this process ends, short of SIGKILL; then the workers notice by themselves.
    process.on('exit', this.#endAll);
    const addresses = await Promise.all(this.#workers.map((worker) => worker.start()));
    const servers = addresses.flatMap(({ server }) => server ?? []);
    const [server] = servers;
    return {
      addresses: { ...(server !== undefined && { server }), servers },
      reload: () => {
        for (const worker of this.#workers) worker.reload();
      },
      close: (deadlineMs) => this.close(deadlineMs),
    };
  }

  /** @throws CommandFailure when a worker had to be killed, or failed to write everything down */
  async close(deadlineMs: number): Promise<void> {
    const callOff = this.#options.clock.after(deadlineMs + graceMs, this.#endAll);
    const endings = await Promise.all(this.#workers.map((worker) => worker.stop()));
    callOff();
    clearInterval(this.#awake);
    process.off('exit', this.#endAll);
    const bad = endings.filter((ending) => ending !== 'in good order');
    if (bad.length > 0) throw new CommandFailure(bad.join('; '));
  }
}

/** One worker, over all the processes that it has been. */
class Worker {
  readonly #index: number;
  readonly #options: WorkersOptions;
  readonly #backoff: Backoff;
  #child: ChildProcess | undefined;
  #startedAtMs = 0;
  #port = 0;
  #isReady = false;
  /** It was to reload before it was ready: what it read may be older. */
  #reloadsLater = false;
  #stopping = false;
  /** Settles the first start. */
  #first: { resolve(addresses: Addresses): void; reject(error: Error): void } | undefined;
  #ended = Promise.resolve<string>('in good order');
  #callOffRestart: (() => void) | undefined;

  constructor(index: number, options: WorkersOptions) {
    this.#index = index;
    this.#options = options;
    const { firstBackoffMs = 250, maxBackoffMs = 10_000 } = options;
    this.#backoff = new Backoff({ firstMs: firstBackoffMs, maxMs: maxBackoffMs });
  }

  /** Resolves when it is ready for the first time. */
  start(): Promise<Addresses> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#spawn();
    });
  }

  #spawn(): void {
    const { program, command, folder, clock } = this.#options;
    const { args, env } = command(this.#index, this.#port);
    this.#startedAtMs = clock.monotonicMs();
    this.#isReady = false;
    this.#reloadsLater = false;
    const child = spawn(program.file, [...program.args, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (message) => {
      const known = asWorkerMessage(message);
      if (known?.kind === 'taba_worker_ready') this.#ready(known.addresses);
    });
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(this.#gone(undefined, error.message)));
      child.once('exit', (code, signal) => resolve(this.#gone(code, signal ?? undefined)));
    });
  }

  #ready(addresses: Addresses): void {
    const { server } = addresses;
    this.#isReady = true;
    if (typeof server === 'string') this.#port = Number(new URL(server).port);
    this.#first?.resolve(addresses);
    this.#first = undefined;
    if (this.#reloadsLater) this.reload();
  }

  /** One that is dead at the moment reads its settings when it is started again. */
  reload(): void {
    this.#reloadsLater = !this.#isReady;
    if (this.#isReady) this.#tell({ kind: 'taba_worker_reload' });
  }

  #tell(message: WorkerMessage): void {
    // One that is ending by itself has closed the channel already.
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** The process is gone. @returns how it ended, in words */
  #gone(code: number | null | undefined, cause: string | undefined): string {
    this.#child = undefined;
    const { clock, log } = this.#options;
    const how = `worker ${this.#index} ended with ${cause ?? code}`;
    if (this.#stopping) return code === 0 ? 'in good order' : how;
    if (this.#first !== undefined && typeof code === 'number') {
      this.#first.reject(new CommandFailure(`${how} before it was ready; its own lines say why`));
      return how;
    }
    // It may have refused to start because its port is somebody else's by now: then it gets another where it may.
    if (!this.#isReady && typeof code === 'number') this.#port = 0;
    if (clock.monotonicMs() - this.#startedAtMs >= healthyAfterMs) this.#backoff.reset();
    const delayMs = this.#backoff.nextMs();
    log.error('worker_ended', {
      worker: this.#index,
      ...(cause === undefined ? { exitCode: code } : { cause }),
      restartInMs: Math.round(delayMs),
    });
    this.#callOffRestart = clock.after(delayMs, () => this.#spawn());
    return how;
  }

  /** Asks it to stop, and waits for it. @returns `in good order`, or how it ended instead */
  async stop(): Promise<string> {
    this.#stopping = true;
    this.#callOffRestart?.();
    if (this.#child === undefined) return 'in good order';
    this.#tell({ kind: 'taba_worker_stop', reason: 'the parent is stopping' });
    return this.#ended;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }
}
