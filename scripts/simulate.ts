/**
 * Runs the simulation: whole histories of a cluster, each of which follows from its seed.
 *
 *   npm run simulate -- [--seed N] [--histories M] [--workers W] [--without RULE]... [--trace]
 *
 * From seed 1 (or N) on, 100,000 histories (or M), spread over as many processes as there are cores (or W). `--without`
 * takes a rule out, to see that the simulation notices. `--trace` prints what happens, and runs in this process, by
 * default one history. Exit code 0: all is well; 1: a history failed, the one of the lowest seed is named; 2: usage.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runHistory } from '../test/simulation/history.js';
import { type Rule, rules } from '../test/simulation/rules.js';
import { type Failure, HistoryPlayer } from './simulation/history-player.js';

interface Settings {
  readonly seed: number;
  readonly histories: number;
  readonly workers: number;
  readonly without: readonly Rule[];
  readonly trace: boolean;
}

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

async function inWorkers(asked: Settings): Promise<Failure | undefined> {
  const player = await HistoryPlayer.create();
  const startedMs = performance.now();
  let done = 0;
  const report = setInterval(() => {
    const perSec = Math.round((done * 1000) / (performance.now() - startedMs));
    console.error(`${done} of ${asked.histories} histories, ${perSec}/s`);
  }, progressEachMs);
  try {
    return await player.play({ ...asked, onDone: (more) => (done += more) });
  } finally {
    clearInterval(report);
    player.remove();
  }
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
