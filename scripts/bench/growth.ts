import { buildExecutable } from '../cluster/program.js';
import { type ClusterLoad, loadedCluster } from './cluster.js';
import { reportOf } from './load/report.js';
import { type Load, loadedPair, type Ran } from './load/run.js';
import type { Scenario } from './scenario.js';

const rate = ['--rate', '200000'];

/** The same events over ever more tabs, and ever more clients. */
const ofTabsAndClients: readonly Load[] = [
  [1000, 1],
  [10_000, 1],
  [30_000, 1],
  [1000, 20],
  [1000, 100],
  [1000, 1000],
].map(([tabs, clients]) => ({
  name: `${said(tabs!)} tabs, clients: ${said(clients!)}`,
  flags: [...rate, '--tabs', String(tabs), '--clients', String(clients)],
}));

/** The same events, taken by ever more owners of ever fewer buckets. */
const ofOwners: readonly ClusterLoad[] = [1, 2, 4].map((be) => ({
  name: `1,000 tabs, clients: 4, in a cluster, be: ${be}`,
  flags: [...rate, '--tabs', '1000', '--clients', '4', '--processes', '2'],
  buckets: 1000,
  be,
}));

export const growthScenario: Scenario = {
  about: '200,000 events a second over ever more tabs, clients and be',
  async run({ seconds, print }) {
    const taba = await buildExecutable();
    const runs: Ran[] = [];
    for (const load of ofTabsAndClients) {
      print(`${load.name} …`);
      runs.push(await loadedPair(taba, load, seconds));
    }
    for (const load of ofOwners) runs.push(await loadedCluster(taba, load, { seconds, print }));
    return reportOf(runs);
  },
};

function said(number: number): string {
  return number.toLocaleString('en');
}
