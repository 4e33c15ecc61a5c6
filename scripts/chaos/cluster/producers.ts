import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { entrust } from '../../process/keeper.js';
import type { FleetOrder, FleetProgress, FleetReport } from './fleet.js';

const module = fileURLToPath(new URL('./fleet-producer.ts', import.meta.url));

/** A producer process, as its parent sees it. */
export class Producer {
  readonly #child: ChildProcess;
  readonly #report: Promise<FleetReport>;
  #recorded = 0;

  constructor(order: FleetOrder) {
    this.#child = fork(module, [JSON.stringify(order)], { execArgv: ['--import', 'tsx'], detached: true });
    entrust(this.#child);
    this.#report = new Promise((resolve, reject) => {
      this.#child.on('message', (message: FleetProgress | FleetReport) => {
        if (message.kind === 'report') resolve(message);
        else this.#recorded = message.recorded;
      });
      this.#child.once('exit', (code, signal) =>
        reject(new Error(`a producer ended (${signal ?? code}) without a report`)),
      );
    });
    // Whoever finishes it hears of it.
    this.#report.catch(() => {});
  }

  /** Events recorded as of its last message, about a second ago. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Has it stop, and waits until agents have taken over everything. */
  async finish(): Promise<FleetReport> {
    if (this.#child.connected) this.#child.send('stop');
    return this.#report;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
