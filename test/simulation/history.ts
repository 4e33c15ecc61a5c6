import { SimPoster, SimSdk } from './applications.js';
import { Cluster } from './cluster.js';
import { judge, settleMs } from './judge.js';
import { Ledger } from './ledger.js';
import { bucketCount } from './payload.js';
import { drawProfile } from './profile.js';
import { SimReader } from './reader.js';
import { SimStore } from './redis/redis-store.js';
import type { Rule } from './rules.js';
import { leaseMs } from './server-process.js';
import { SimAgent } from './sim-agent.js';
import { SimServer } from './sim-server.js';
import { Trouble } from './trouble.js';
import { World } from './world.js';

export interface HistoryOptions {
  readonly without?: ReadonlySet<Rule>;
  readonly trace?: boolean;
}

export interface HistoryResult {
  /** What went wrong, in words; '' when all is well. */
  readonly fault: string;
  readonly trace: readonly string[];
}

const stepMs = 100;
/** Longer than any first delivery takes. */
const slowestMs = 200;

/** One history of the whole system, which follows from the seed alone: some seconds of trouble, then peace, then the judgement. */
export async function runHistory(
  seed: number,
  { without = new Set(), trace = false }: HistoryOptions,
): Promise<HistoryResult> {
  const world = new World(seed, trace);
  const fault = await play(world, without);
  world.log(() => (fault === '' ? 'all is well' : fault));
  return { fault, trace: world.trace };
}

async function play(world: World, without: ReadonlySet<Rule>): Promise<string> {
  const profile = drawProfile(world);
  world.log(() => `profile ${JSON.stringify(profile)}`);
  const ledger = new Ledger(world);
  const store = new SimStore(world, {
    ...{ ...profile.store, bucketCount, leaseMs, without },
    fenced: (bucket) => ledger.fenced(bucket),
  });
  const cluster = new Cluster({ world, profile, store, ledger, without });
  const serverCount = 2 + world.below(2);
  for (let index = 0; index < serverCount; index++) cluster.servers.push(new SimServer(index, cluster));
  for (const server of cluster.servers) void server.start();
  const agents = [
    new SimAgent('agent0', cluster),
    ...(world.chance(0.3) ? [new SimAgent('agent1', cluster)] : []),
  ];
  const sdks = Array.from(
    { length: 1 + world.below(2) },
    () => new SimSdk(cluster, agents[world.below(agents.length)]!),
  );
  const poster = new SimPoster(cluster);
  const reader = new SimReader(cluster);
  const trouble = new Trouble(cluster, agents);
  const steps = 10 + world.below(profile.forget > 0 ? 60 : 15);
  for (let step = 1; step <= steps; step++) {
    for (const sdk of sdks) if (world.chance(0.4)) sdk.record();
    if (world.chance(0.2)) poster.post();
    if (world.chance(profile.queries)) reader.ask();
    trouble.step();
    await world.run(step * stepMs, never);
  }
  world.faults = false;
  world.log(() => 'peace');
  const nodes = [...cluster.servers, ...agents].map(({ node }) => node);
  const thawMs = Math.max(world.nowMs, ...nodes.map(({ frozenUntilMs }) => frozenUntilMs));
  for (const node of nodes) node.frozenUntilMs = 0;
  store.heal();
  for (const server of cluster.servers) server.weigh(1);
  // Nobody waits for a post without a key: one that lies with a frozen server must not come between the questions.
  await world.run(thawMs + slowestMs, never);
  const settled = await world.run(world.nowMs + settleMs, () => {
    return [...sdks, ...agents, ...cluster.servers, poster, reader].every(({ idle }) => idle);
  });
  if (reader.fault !== '') return reader.fault;
  if (!settled) return 'it does not come to rest';
  return judge(cluster, agents);
}

function never(): boolean {
  return false;
}
