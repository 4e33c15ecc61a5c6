import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildBundle } from '../../cluster/program.js';
import { TemporaryFolder } from '../../process/temporary-folder.js';
import { SeededRandom } from '../random.js';
import { type FleetClient, type FleetReport, probeNames, tabsPerTick } from './fleet.js';
import { Producer } from './producers.js';
import { gapsText, ProgressWatch } from './progress.js';
import { injectFaults } from './schedule.js';
import { ChaosSystem } from './system.js';
import { booksBalance, checkFindsNothing, countsAreExact, untilEmpty } from './verdict.js';

export interface ClusterChaosOptions {
  readonly seed: number;
  readonly durationSec: number;
  readonly clients: number;
  readonly tabs: number;
  /** Over all clients. */
  readonly eventsPerSec: number;
  readonly buckets: number;
  /** Fewer faults are not a pass. */
  readonly leastFaults: number;
  /** Faults with other names are left out; for the search for a defect. */
  readonly only?: RegExp;
  /** How Taba is run; the bundle of the tree unless given. */
  readonly program?: readonly string[];
  readonly print: (line: string) => void;
}

const logFolders = join(import.meta.dirname, '../../../.tmp/chaos');
const probePeriodMs = 6000;
const warmUpDeadlineMs = 60_000;

/**
 * A whole cluster under load and under faults, with `--redis-wait 1`. The logs of every process stay behind where the run
 * does not pass.
 *
 * @returns whether every figure is exact, `taba check` finds nothing, and the books balance
 */
export async function runClusterChaos(options: ClusterChaosOptions): Promise<boolean> {
  const { seed, durationSec, print } = options;
  print(`chaos on a cluster: seed ${seed}, ${durationSec} s`);
  const logFolder = join(logFolders, `cluster-${seed}`);
  await rm(logFolder, { recursive: true, force: true });
  const folder = await TemporaryFolder.create('taba-chaos-');
  let passed = false;
  try {
    const program = options.program ?? (await buildBundle(folder.path));
    const { buckets } = options;
    const system = await ChaosSystem.start({ program, folder: folder.path, logFolder, buckets });
    try {
      passed = await runOn(system, program, logFolder, options);
    } finally {
      if (!passed) await system.redis.saveLogs(logFolder);
      await system.stop();
    }
  } finally {
    await folder.remove();
    if (passed) await rm(logFolder, { recursive: true, force: true });
    else print(`logs are in ${logFolder}`);
  }
  return passed;
}

async function runOn(
  system: ChaosSystem,
  program: readonly string[],
  logFolder: string,
  options: ClusterChaosOptions,
): Promise<boolean> {
  const { seed, durationSec, print } = options;
  const probes = probeNames(options.buckets);
  const producers = startProducers(system, probes, options);
  const servers = system.taba.with().map(({ url }) => url);
  try {
    const watch = new ProgressWatch(probes, servers);
    const tell = (line: string): void => print(`  +${watch.nowSec.toFixed(1).padStart(6)} s  ${line}`);
    await untilWarm(watch, probes.length);
    const beganAtMs = performance.now();
    const before = recordedBy(producers);
    const random = new SeededRandom(seed);
    const durationMs = durationSec * 1000;
    const only = options.only ?? /./;
    const faults = await injectFaults(system, { random, durationMs, only, tell });
    const rate = (recordedBy(producers) - before) / ((performance.now() - beganAtMs) / 1000);
    await system.redis.settled();
    tell('all faults are undone');
    const reports = await Promise.all(producers.map((producer) => producer.finish()));
    await untilEmpty(system);
    tell('the agents have handed over everything');
    for (const line of gapsText(await watch.end())) print(line);
    return await judge(system, program, { ...options, logFolder, reports, faults: faults.length, rate });
  } finally {
    await Promise.all(producers.map((producer) => producer.kill()));
  }
}

/** Two processes with half of the clients each, and a probe client for each agent in the first of them. */
function startProducers(
  { taba }: ChaosSystem,
  probes: readonly string[],
  { clients, tabs, eventsPerSec, durationSec }: ClusterChaosOptions,
): Producer[] {
  const agents = taba.with('agent').map(({ reachedUrl }) => reachedUrl);
  const half = Math.ceil(clients / 2);
  const all = Array.from({ length: clients }, (_, index): FleetClient => {
    const agent = index % agents.length;
    // Hosts do the same work at the same time: an agent has all its clients' Parts of a tab in one Block.
    const firstTab = Math.floor((agent * tabs) / agents.length);
    return { id: `client${String(index).padStart(2, '0')}`, url: agents[agent]!, firstTab };
  });
  const probeClients = agents.map((url, index) => ({ id: `prober${index + 1}`, url, firstTab: 0 }));
  return [all.slice(0, half), all.slice(half)].map(
    (share, index) =>
      new Producer({
        clients: share,
        tabs,
        tabsPerTick: tabsPerTick(tabs, durationSec),
        eventsPerSec: (eventsPerSec * share.length) / clients,
        probes,
        probeClients: index === 0 ? probeClients : [],
        probePeriodMs,
      }),
  );
}

function recordedBy(producers: readonly Producer[]): number {
  return producers.reduce((sum, { recorded }) => sum + recorded, 0);
}

async function untilWarm(watch: ProgressWatch, buckets: number): Promise<void> {
  const deadline = performance.now() + warmUpDeadlineMs;
  while (watch.begun < buckets) {
    if (performance.now() > deadline) {
      throw new Error(
        `only ${watch.begun} of ${buckets} buckets have begun after ${warmUpDeadlineMs / 1000} s without any fault; ${watch.answers} answers of servers`,
      );
    }
    await pause(100);
  }
}

interface Evidence extends ClusterChaosOptions {
  readonly logFolder: string;
  readonly reports: readonly FleetReport[];
  readonly faults: number;
  /** Events per second. */
  readonly rate: number;
}

async function judge(
  system: ChaosSystem,
  program: readonly string[],
  { reports, faults, rate, leastFaults, eventsPerSec, logFolder, print }: Evidence,
): Promise<boolean> {
  const clients = reports.flatMap((report) => report.clients);
  const events = reports.reduce((sum, report) => sum + report.events, 0);
  const lost = reports.flatMap((report) => Object.entries(report.lost));
  print(`${events} events of ${clients.length} clients, ${Math.round(rate)} a second; ${faults} faults`);
  for (const [reason, count] of lost) print(`  LOST by a producer: ${count} events, ${reason}`);
  const exact = await countsAreExact(system, clients, logFolder, print);
  const clean = await checkFindsNothing(system, program, print);
  const balanced = await booksBalance(system, print);
  // The load keeps to the clock, but a step of it may be under way at the end.
  const loaded = rate >= eventsPerSec * 0.98;
  if (!loaded) print(`the load was to be ${eventsPerSec} events/s: this machine is too slow for it`);
  if (faults < leastFaults) print(`at least ${leastFaults} faults were to be done`);
  const passed = exact && lost.length === 0 && clean && balanced && loaded && faults >= leastFaults;
  print(passed ? 'PASSED' : 'FAILED');
  return passed;
}
