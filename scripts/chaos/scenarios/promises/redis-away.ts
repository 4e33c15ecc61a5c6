import { setTimeout as pause } from 'node:timers/promises';
import { json } from '../../oracle.js';
import { SeededRandom } from '../../random.js';
import type { Scenario } from '../scenario.js';
import { MeasuredCluster } from './cluster.js';
import { checkExact } from './exact.js';
import { MemoryWatch } from './memory-watch.js';
import { SdkLoad } from './sdk-load.js';

const clients = 20;
const tabs = 5000;
const eventsPerSec = 20_000;
const beforeMs = 15_000;
const awayMs = 60_000;
/** What an agent merges, and a be repeats when it is back. */
const allowedGrowthBytes = 256 * 2 ** 20;
const mib = 2 ** 20;

export const redisAway: Scenario = {
  name: 'redis-away',
  description:
    'all of Redis and Sentinel is killed for a minute under load: nothing is lost or doubled, nobody dies',
  async run(stage) {
    const cluster = await MeasuredCluster.start(stage, { redis: { config: ['appendfsync always'] } });
    const { redis } = cluster;
    const owners = await cluster.servers('be', 3);
    const entrances = await cluster.servers('fe', 2);
    const agents = await cluster.agents(entrances, 2);
    await cluster.balanced(entrances[0]!, owners);
    const everybody = [...agents, ...entrances, ...owners];
    const load = new SdkLoad(stage, { agents, clients, tabs, eventsPerSec, roundSec: beforeMs / 1000 });
    await pause(beforeMs + new SeededRandom(stage.seed).integer(0, 2000));
    const memory = new MemoryWatch(stage, everybody);
    await Promise.all(redis.processes.map((process) => process.kill()));
    stage.did(
      `all ${redis.processes.length} processes of Redis and Sentinel are killed, after ${load.recorded} events`,
    );
    await pause(awayMs);
    for (const { name, url } of everybody) {
      const { waiting_for } = await json<{ readonly waiting_for: string | null }>(`${url}/status`);
      stage.check(waiting_for !== null, `${name} says that it waits for ${waiting_for}`);
    }
    await Promise.all(redis.processes.map((process) => process.restart()));
    const backAtMs = performance.now();
    stage.did(`Redis is back, ${(awayMs / 1000).toFixed(0)} s later, with ${load.recorded} events recorded`);
    await cluster.balanced(entrances[0]!, owners);
    stage.did(`all buckets are served again ${((performance.now() - backAtMs) / 1000).toFixed(1)} s later`);
    const reports = await load.end();
    stage.did(
      `everything is handed over ${((performance.now() - backAtMs) / 1000).toFixed(1)} s after Redis was back`,
    );
    const dead = everybody.filter(({ daemon }) => !daemon.running).map(({ name }) => name);
    stage.check(dead.length === 0, `none of ${everybody.length} processes died`, dead);
    memory.tell(stage);
    for (const { name, grownBytes } of memory.rows) {
      stage.check(
        grownBytes <= allowedGrowthBytes,
        `${name} grew by ${(grownBytes / mib).toFixed(0)} MiB; ${allowedGrowthBytes / mib} MiB are allowed`,
      );
    }
    await checkExact(stage, entrances[1]!, reports);
  },
};
