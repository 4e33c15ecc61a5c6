/**
 * Runs the simulation: whole histories of a cluster, each of which follows from its seed.
 *
 *   npm run simulate -- [--seed N] [--histories M] [--workers W] [--without RULE]... [--trace]
 *
 * From seed 1 (or N) on, 100,000 histories (or M), spread over as many processes as there are cores (or W). `--without`
 * takes a rule out, to see that the simulation notices. `--trace` prints what happens, and runs in this process, by
 * default one history. Exit code 0: all is well; 1: a history failed, the one of the lowest seed is named; 2: usage.
 */

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { luaScripts } from '../build/lua-scripts.js';
import { runHistory } from '../test/simulation/history.js';
import { type Rule, rules } from '../test/simulation/rules.js';
import type { Lower, Progress, Slice } from '../test/simulation/worker.js';

interface Settings {
  readonly seed: number;
  readonly histories: number;
  readonly workers: number;
  readonly without: readonly Rule[];
  readonly trace: boolean;
}

type Failure = NonNullable<Progress['failed']>;

const progressEachMs = 10_000;

function settings(): Settings {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ seed: string, histories: string, workers: string },
      without: { type: 'string', multiple: true, default: [] },
      trace: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'seed' | 'histories' | 'workers', preset: number, least: number): number => {
    const given = values[name];
    if (given === undefined) return preset;
    const number = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    if (!(number >= least))
      throw new Error(`--${name} must be a whole number from ${least} on, not ${given}`);
    return number;
  };
  const without = values.without.map((name) => {
    const rule = rules.find((known) => known === name);
    if (rule === undefined) throw new Error(`--without must be one of ${rules.join(', ')}, not ${name}`);
    return rule;
  });
  const { trace } = values;
  const histories = whole('histories', trace ? 1 : 100_000, 1);
  const workers = Math.min(histories, whole('workers', availableParallelism(), 1));
  return { seed: whole('seed', 1, 0), histories, workers, without, trace };
}

async function inThisProcess({ seed, histories, without }: Settings): Promise<Failure | undefined> {
  for (let next = seed; next < seed + histories; next++) {
    const { fault, trace } = await runHistory(next, { without: new Set(without), trace: true });
    for (const line of trace) console.log(line);
    if (fault !== '') return { seed: next, fault };
  }
  return undefined;
}

/** @throws when a worker ends before its time */
async function inWorkers({ seed, histories, workers, without }: Settings): Promise<Failure | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'taba-simulate-'));
  const worker = join(folder, 'worker.cjs');
  // One plain file: it starts at once, and runs faster than what is compiled module by module, with names kept.
  const entry = fileURLToPath(new URL('../test/simulation/worker.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [luaScripts()],
    logLevel: 'warning',
  });
  const startedMs = performance.now();
  let failure: Failure | undefined;
  let done = 0;
  const report = setInterval(() => {
    const perSec = Math.round((done * 1000) / (performance.now() - startedMs));
    console.error(`${done} of ${histories} histories, ${perSec}/s`);
  }, progressEachMs);
  // There is a worker for each core: the collector's own threads would only be in the way.
  const execArgv = ['--max-semi-space-size=64', '--single-threaded-gc'];
  const children = Array.from({ length: workers }, () => fork(worker, { execArgv }));
  try {
    await Promise.all(
      children.map((child, index) => {
        child.on('message', ({ histories: more, failed }: Progress) => {
          done += more;
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
    clearInterval(report);
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
  return failure;
}

async function main(): Promise<number> {
  let asked: Settings;
  try {
    asked = settings();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error(
      'usage: npm run simulate -- [--seed N] [--histories M] [--workers W] [--without RULE]... [--trace]',
    );
    return 2;
  }
  const { seed, histories, without, trace } = asked;
  const startedMs = performance.now();
  const failure = await (trace ? inThisProcess(asked) : inWorkers(asked));
  if (failure !== undefined) {
    const mutant = without.map((rule) => ` --without ${rule}`).join('');
    console.log(`seed ${failure.seed}: ${failure.fault}`);
    console.log(`again, with a trace: npm run simulate -- --seed ${failure.seed}${mutant} --trace`);
    return 1;
  }
  const tookSec = (performance.now() - startedMs) / 1000;
  const perSec = Math.round(histories / tookSec);
  console.log(
    `${histories} histories from seed ${seed} in ${tookSec.toFixed(1)} s, all well (${perSec}/s, ${asked.workers} processes)`,
  );
  return 0;
}

process.exitCode = await main();
