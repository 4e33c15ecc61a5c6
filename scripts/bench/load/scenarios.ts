import { buildExecutable } from '../../cluster/program.js';
import type { BenchOptions, Report, Scenario } from '../scenario.js';
import { reportOf } from './report.js';
import { type Load, loadedPair, type Ran } from './run.js';

const application = ['--processes', '1', '--tabs', '100', '--rate', '5000000'];

/** As fast as it goes from four applications, and what an application pays at a rate that leaves room. */
const sdkLoads: readonly Load[] = [
  { name: '1,000 tabs, 4 applications, flat out', flags: ['--processes', '4', '--rate', '0'] },
  { name: '100 tabs, 1 application, 5,000,000/s', flags: application },
  { name: 'the same by name', flags: [...application, '--by-name'] },
];

const clusterOfOld = ['--tabs', '30000', '--zipf', '--clients', '20', '--processes', '4'];

/** What took a cluster once, and what is left of it when there is less to do. */
const missionLoads: readonly Load[] = [
  {
    name: '30,000 tabs (Zipf), 20 clients, 10,000,000/s',
    flags: [...clusterOfOld, '--rate', '10000000'],
  },
  { name: 'the same, 1,000,000/s', flags: [...clusterOfOld, '--rate', '1000000'] },
];

/** All of the processes have just started, on two cores: the first seconds are those of compilers. */
const warmUpSec = 5;

const rawColumns = ['--raw', '--processes', '2'];

/** What an agent folds for programs that do not, at a rate and as fast as it goes. */
const rawLoads: readonly Load[] = [
  { name: '1,000 tabs, 10,000,000/s', flags: [...rawColumns, '--rate', '10100000'] },
  { name: '1,000 tabs, 2 senders, flat out', flags: [...rawColumns, '--rate', '0'] },
  { name: '30,000 tabs, 2 senders, flat out', flags: [...rawColumns, '--tabs', '30000', '--rate', '0'] },
];

export const sdkScenario: Scenario = {
  about: 'applications that record through the client library, an agent and a server',
  run: (options) => runAll(sdkLoads, options),
};

export const rawScenario: Scenario = {
  about: 'events in columns over WebSocket, folded by the agent',
  run: (options) => runAll(rawLoads, options),
};

export const missionScenario: Scenario = {
  about: 'what a cluster did once: 30,000 tabs, 20 clients, 10,000,000 events a second',
  run: (options) => runAll(missionLoads, options),
};

export const freshnessScenario: Scenario = {
  about: 'how late events are shown at half of the load that is borne, with the usual settings',
  async run(options) {
    const taba = await buildExecutable();
    const flatOut = await run(taba, sdkLoads[0]!, options);
    const half = Math.round(flatOut.report.events_per_sec / 2);
    const flags = ['--processes', '4', '--rate', String(half)];
    const warm = ['--warm-up', String(Math.min(warmUpSec, options.seconds - 1))];
    const loads = [
      { name: 'half of that', flags },
      { name: `half of that, fresh after ${warm[1]} s`, flags: [...flags, ...warm] },
    ];
    const runs = [flatOut];
    for (const load of loads) runs.push(await run(taba, load, options));
    return reportOf(runs);
  },
};

async function runAll(loads: readonly Load[], options: BenchOptions): Promise<Report> {
  const taba = await buildExecutable();
  const runs: Ran[] = [];
  for (const load of loads) runs.push(await run(taba, load, options));
  return reportOf(runs);
}

function run(taba: readonly string[], load: Load, { seconds, print }: BenchOptions): Promise<Ran> {
  print(`${load.name} …`);
  return loadedPair(taba, load, seconds);
}
