import { setTimeout as sleep } from 'node:timers/promises';
import { buildExecutable } from '../cluster/program.js';
import { TabaCluster } from '../cluster/taba-cluster.js';
import { TemporaryFolder } from '../process/temporary-folder.js';
import { startRedisCluster } from '../redis/redis-cluster.js';
import { reportOf } from './load/report.js';
import { type Load, loaded, type Ran } from './load/run.js';
import type { BenchOptions, Scenario } from './scenario.js';

const servedWithinMs = 30_000;
const shards = 2;
/** That a shard has, and that a write waits for. */
const replicas = 1;
const nodes = { fe: 2, ctrl: 0, agent: 2 } as const;

/** What is done to a cluster of so many `be`. */
export interface ClusterLoad extends Load {
  readonly buckets: number;
  readonly be: number;
}

interface Shape {
  /** Of whom each has one of the four processes, or a share of one. */
  readonly clients: number;
  readonly buckets: number;
  /** Events/s; 0 for as many as go. */
  readonly rate: number;
}

/** What a store has unless told otherwise, and as many as two servers need. */
const [manyBuckets, fewBuckets] = [1000, 100];

const loads: readonly ClusterLoad[] = [
  { clients: 4, buckets: manyBuckets, rate: 0 },
  { clients: 20, buckets: manyBuckets, rate: 0 },
  { clients: 4, buckets: fewBuckets, rate: 0 },
  { clients: 4, buckets: fewBuckets, rate: 1_000_000 },
].map(loadOf);

function loadOf({ clients, buckets, rate }: Shape): ClusterLoad {
  const said = (number: number): string => number.toLocaleString('en');
  const pace = rate === 0 ? 'flat out' : `${said(rate)}/s`;
  return {
    name: `5,000 tabs, ${said(clients * 5000)} pairs, 4 applications, ${said(buckets)} buckets, ${pace}`,
    flags: ['--processes', '4', '--tabs', '5000', '--rate', String(rate), '--clients', String(clients)],
    buckets,
    be: 2,
  };
}

interface ClusterStatus {
  readonly cluster: { readonly buckets: { readonly served: number; readonly of: number } };
}

/** Applications, agents, servers of both roles, and Redis with replicas and sentinels: everything on this machine. */
export const clusterScenario: Scenario = {
  about: 'applications through two agents into two fe, two be and two Redis shards with a replica each',
  async run(options) {
    const taba = await buildExecutable();
    const runs: Ran[] = [];
    for (const load of loads) runs.push(await loadedCluster(taba, load, options));
    return reportOf(runs);
  },
};

/** Loads a cluster of its own. */
export async function loadedCluster(
  program: readonly string[],
  load: ClusterLoad,
  { seconds, print }: BenchOptions,
): Promise<Ran> {
  print(`${load.name} …`);
  const folder = await TemporaryFolder.create('taba-bench-');
  const redis = await startRedisCluster({ shards, replicas, downAfterMs: 10_000 });
  try {
    const own = ['--no-self-instrument'];
    const taba = await TabaCluster.start({
      ...{ program, redis, folder: folder.path, redisWait: replicas, buckets: load.buckets },
      nodes: { ...nodes, be: load.be },
      // As in the other loads: what waits at an agent is in its memory.
      spools: false,
      flags: { server: own, agent: own },
    });
    try {
      const ofTaba = [...taba.with('agent'), ...taba.with()].map(({ name, daemon }) => [name, daemon.pid]);
      const ofRedis = redis.shards.flatMap(({ servers }) => servers.map(({ name, pid }) => [name, pid]));
      const target = {
        urls: taba.with('agent').map(({ url }) => url),
        server: taba.node('fe1').url,
        pids: Object.fromEntries([...ofTaba, ...ofRedis]) as Record<string, number>,
      };
      await served(target.server);
      return await loaded(program, target, load, seconds);
    } finally {
      await taba.stop();
    }
  } finally {
    await redis.stop();
    await folder.remove();
  }
}

/** Resolves when every bucket has its owner. */
async function served(server: string): Promise<void> {
  const endMs = performance.now() + servedWithinMs;
  for (;;) {
    const answer = await fetch(`${server}/status`, { headers: { accept: 'application/json' } });
    const { cluster } = (await answer.json()) as ClusterStatus;
    if (cluster.buckets.served === cluster.buckets.of) return;
    if (performance.now() > endMs) throw new Error(`only ${cluster.buckets.served} buckets are served`);
    await sleep(50);
  }
}
