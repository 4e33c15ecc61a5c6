import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildExecutable } from '../cluster/program.js';
import { Daemon } from '../process/daemon.js';
import { TemporaryFolder } from '../process/temporary-folder.js';
import { calibrationNs } from './calibration.js';
import { median } from './quantile.js';
import type { BenchOptions, Report, Scenario } from './scenario.js';
import { TabaPair } from './taba-pair.js';

interface Start {
  readonly what: string;
  /** Starts it once. @returns how long it took, ms */
  measure(): Promise<number>;
}

const tab = 'started';
const leastRounds = 5;

/** How long people and supervisors wait for the executable, beside a Node that does nothing. */
export const startScenario: Scenario = {
  about: 'how long commands and daemons take to start, beside a Node that does nothing',
  run: startReport,
};

async function startReport({ seconds, print }: BenchOptions): Promise<Report> {
  const taba = await buildExecutable();
  const folder = await TemporaryFolder.create('taba-start-');
  const pair = await TabaPair.start(taba);
  try {
    await timeOf([...taba, 'record', tab, '1', '--server', pair.agentUrl]);
    // Until it is there to be asked for.
    await sleep(1000);
    const starts = startsOf(taba, pair.serverUrl, folder.path);
    const taken = starts.map((): number[] => []);
    const calibrations = [calibrationNs()];
    const endMs = performance.now() + seconds * 1000;
    for (let round = 0; round < leastRounds || performance.now() < endMs; round++) {
      print(`round ${round + 1} …`);
      // Side by side: what slows one of them down slows down its neighbours.
      for (const [index, start] of starts.entries()) taken[index]!.push(await start.measure());
    }
    calibrations.push(calibrationNs());
    const medians = taken.map(median);
    return {
      columns: ['start of', 'ms', 'times bare Node'],
      rows: starts.map(({ what }, index) => [
        what,
        medians[index]!.toFixed(0),
        (medians[index]! / medians[0]!).toFixed(2),
      ]),
      calibrationsNs: calibrations,
      // Whatever does not start, or answers otherwise than expected, has thrown.
      ok: true,
    };
  } finally {
    await pair.stop();
    await folder.remove();
  }
}

function startsOf(taba: readonly string[], serverUrl: string, folder: string): readonly Start[] {
  const command = (what: string, line: readonly string[]): Start => ({ what, measure: () => timeOf(line) });
  let served = 0;
  const daemon = (what: string, flags: () => readonly string[]): Start => ({
    what,
    measure: () => readyTimeOf(what, [...taba, ...flags(), '--port', '0', '--log-format', 'json']),
  });
  return [
    command('node -e 0', [process.execPath, '-e', '0']),
    command('taba --version', [...taba, '--version']),
    command('taba --help', [...taba, '--help']),
    command('taba agg, with its answer', [...taba, 'agg', tab, '--server', serverUrl]),
    daemon('taba agent, ready', () => ['agent', '--server', serverUrl]),
    daemon('taba server, ready', () => ['server', '--data', join(folder, String(served++))]),
  ];
}

/** @throws when it ends with anything but 0 */
async function timeOf([program, ...args]: readonly string[]): Promise<number> {
  const beganAtMs = performance.now();
  const child = spawn(program!, args, { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
  return performance.now() - beganAtMs;
}

async function readyTimeOf(name: string, command: readonly string[]): Promise<number> {
  const daemon = new Daemon(name, command);
  const beganAtMs = performance.now();
  await daemon.start();
  const tookMs = performance.now() - beganAtMs;
  await daemon.stop();
  return tookMs;
}
