import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { luaScripts } from '../../build/lua-scripts.js';
import type { Rule } from '../../test/simulation/rules.js';
import type { Lower, Progress, Slice } from '../../test/simulation/worker.js';

export interface HistoriesToPlay {
  /** Of the first one. */
  readonly seed: number;
  readonly histories: number;
  /** Processes; as many as there are cores unless given. */
  readonly workers?: number;
  readonly without: readonly Rule[];
  /** So many more are done. */
  onDone?(histories: number): void;
}

export type Failure = NonNullable<Progress['failed']>;

/** Plays histories of the simulation in processes of their own, which nothing slows down that watches this one. */
export class HistoryPlayer {
  readonly #folder: string;
  readonly #worker: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#worker = join(folder, 'worker.cjs');
  }

  static async create(): Promise<HistoryPlayer> {
    const player = new HistoryPlayer(mkdtempSync(join(tmpdir(), 'taba-simulate-')));
    // One plain file: it starts at once, and runs faster than what is compiled module by module, with names kept.
    await build({
      entryPoints: [join(import.meta.dirname, '../../test/simulation/worker.ts')],
      outfile: player.#worker,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      plugins: [luaScripts()],
      logLevel: 'warning',
    });
    return player;
  }

  /**
   * Plays until all are done or the lowest seed that fails is known.
   * @returns that seed, and what went wrong; undefined when all is well @throws when a worker ends before its time
   */
  async play({ seed, histories, without, onDone, ...asked }: HistoriesToPlay): Promise<Failure | undefined> {
    const workers = Math.min(histories, asked.workers ?? availableParallelism());
    let failure: Failure | undefined;
    // There is a worker for each core: the collector's own threads would only be in the way.
    const execArgv = ['--max-semi-space-size=64', '--single-threaded-gc'];
    const children = Array.from({ length: workers }, () => fork(this.#worker, { execArgv }));
    try {
      await Promise.all(
        children.map((child, index) => {
          child.on('message', ({ histories: more, failed }: Progress) => {
            onDone?.(more);
            if (failed === undefined || (failure !== undefined && failure.seed < failed.seed)) return;
            failure = failed;
            const lower: Lower = { endSeed: failed.seed };
            for (const other of children) if (other.connected) other.send(lower, () => {});
          });
          const slice: Slice = { firstSeed: seed + index, step: workers, endSeed: seed + histories, without };
          child.send(slice);
          return new Promise<void>((resolve, reject) => {
            child.once('error', reject);
            child.once('exit', (code, signal) => {
              if (code === 0) resolve();
              else reject(new Error(`a worker ended with ${signal ?? code}`));
            });
          });
        }),
      );
    } finally {
      for (const child of children) child.kill();
    }
    return failure;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
