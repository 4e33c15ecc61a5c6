import { join } from 'node:path';
import { buildExecutable } from '../../cluster/program.js';
import { TabaCluster } from '../../cluster/taba-cluster.js';
import { TemporaryFolder } from '../../process/temporary-folder.js';
import { startRedisCluster } from '../../redis/redis-cluster.js';
import { measured } from '../measured.js';
import { saidBySender } from '../said-by.js';
import type { BenchOptions, Scenario } from '../scenario.js';
import { type ShownTab, shownTabs, TabaPair } from '../taba-pair.js';
import { type PartsRan, reportOf } from './report.js';
import type { SenderOrder, Sent } from './sender.js';
import { expectedOf, type Traffic, tabOf } from './traffic.js';

interface Load {
  readonly name: string;
  readonly traffic: Traffic;
  /** Parts for each second that it should last. */
  readonly about: number;
}

/** With 1,000 buckets, which each have a Block of their own. */
const loads: readonly Load[] = [
  {
    name: '600 Parts a Block',
    traffic: { tabs: 30_000, clients: 20, eventsPerPart: 4 },
    about: 120_000,
  },
  {
    name: '5 Parts a Block',
    traffic: { tabs: 5_000, clients: 1, eventsPerPart: 4 },
    about: 40_000,
  },
];
const leastRounds = 3;

/** A server that takes Parts, and whose CPU is looked at. */
interface Target {
  readonly url: string;
  readonly pids: Readonly<Record<string, number>>;
}

export const partsScenario: Scenario = {
  about:
    'what a server does for each Part, in large Blocks and in small ones, on the embedded store and on Redis',
  async run(options) {
    const taba = await buildExecutable();
    const runs: PartsRan[] = [];
    for (const on of [onEmbedded, onRedis]) {
      for (const load of loads) runs.push(...(await on(taba, load, options)));
    }
    return reportOf(runs);
  },
};

async function onEmbedded(taba: readonly string[], load: Load, options: BenchOptions): Promise<PartsRan[]> {
  const pair = await TabaPair.start(taba);
  try {
    const target = { url: pair.serverUrl, pids: { server: pair.pids.server! } };
    return await loaded('embedded', target, load, options);
  } finally {
    await pair.stop();
  }
}

/** One shard, whose replica has each write before it is acknowledged. */
async function onRedis(program: readonly string[], load: Load, options: BenchOptions): Promise<PartsRan[]> {
  const folder = await TemporaryFolder.create('taba-bench-');
  const redis = await startRedisCluster({ shards: 1, replicas: 1, downAfterMs: 10_000 });
  try {
    const taba = await TabaCluster.start({
      ...{ program, redis, nodes: { fe: 0, be: 1, ctrl: 0, agent: 0 }, folder: folder.path },
      flags: { server: ['--no-self-instrument'] },
    });
    try {
      const [{ url, daemon }, [master, replica]] = [taba.node('be1'), redis.shards[0]!.servers];
      const pids = { server: daemon.pid, redis: master!.pid, replica: replica!.pid };
      return await loaded('Redis', { url, pids }, load, options);
    } finally {
      await taba.stop();
    }
  } finally {
    await redis.stop();
    await folder.remove();
  }
}

/** The first round makes the States, the others merge into them. */
async function loaded(
  store: string,
  { url, pids }: Target,
  { name, traffic, about }: Load,
  { seconds, print }: BenchOptions,
): Promise<PartsRan[]> {
  const pairs = traffic.tabs * traffic.clients;
  const further = Math.max(leastRounds, Math.round((about * seconds) / pairs));
  const runs: PartsRan[] = [];
  let before = 0;
  for (const [what, rounds] of [
    ['the first of each pair', 1],
    ['further ones', further],
  ] as const) {
    const load = `${store}, ${name}: ${what}`;
    print(`${load}: ${(rounds * pairs).toLocaleString('en')} Parts …`);
    const order: SenderOrder = { url, traffic, rounds };
    const { outcome, used, calibrationNs } = await measured(pids, () =>
      saidBySender<Sent>(join(import.meta.dirname, 'sender.ts'), order),
    );
    before += rounds;
    const wrongTabs = wrongOf(traffic, await shownTabs(url, 'parts'), before);
    runs.push({ load, sent: outcome, wrongTabs, used, calibrationNs });
  }
  return runs;
}

function wrongOf(traffic: Traffic, shown: Readonly<Record<string, ShownTab>>, rounds: number): number {
  let wrong = 0;
  for (let tab = 0; tab < traffic.tabs; tab++) {
    const { count, total } = shown[tabOf(tab)] ?? { count: 0, total: 0 };
    const expected = expectedOf(traffic, tab, rounds);
    if (count !== expected.count || total !== expected.total) wrong++;
  }
  return wrong;
}
