import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchReport } from '../../src/cli/bench/report.js';
import { buildExecutable } from '../cluster/program.js';
import { measured } from './measured.js';
import { saidBy } from './said-by.js';
import type { BenchOptions, Report, Scenario } from './scenario.js';
import { TabaPair } from './taba-pair.js';

const tabs = 30_000;
/** Until what starting set off is over, one collection of all garbage included. */
const settleMs = 30_000;
const leastSeconds = 60;

/** What daemons cost that have much to know and nothing to do. */
export const idleScenario: Scenario = {
  about: 'what an agent and a server cost that know 30,000 tabs and have nothing to do',
  run: idleReport,
};

async function idleReport({ seconds, print }: BenchOptions): Promise<Report> {
  const taba = await buildExecutable();
  const pair = await TabaPair.start(taba);
  try {
    print(`recording into ${tabs} tabs …`);
    const filled = await saidBy<BenchReport>('load', [
      ...[...taba, 'bench', '--json', '--keep', '--url', pair.agentUrl, '--server', pair.serverUrl],
      ...['--tabs', String(tabs), '--rate', '100000', '--seconds', '3'],
    ]);
    await pair.restart();
    await sleep(settleMs);
    const forSeconds = Math.max(seconds, leastSeconds);
    print(`doing nothing for ${forSeconds} s …`);
    const { used, calibrationNs } = await measured(pair.pids, () => sleep(forSeconds * 1000));
    return {
      columns: ['idle', 'share of a core', 'memory MB'],
      rows: Object.entries(used).map(([name, { cpuSec, bytes }]) => [
        `${name}, ${tabs.toLocaleString('en')} tabs`,
        `${((cpuSec / forSeconds) * 100).toFixed(2)} %`,
        (bytes / 1e6).toFixed(0),
      ]),
      calibrationsNs: [calibrationNs],
      ok: filled.lost === 0 && filled.wrong_tabs.length === 0,
    };
  } finally {
    await pair.stop();
  }
}
