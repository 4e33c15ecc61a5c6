import { setTimeout as pause } from 'node:timers/promises';
import { shares } from '../../../cluster/shares.js';
import { aggregateMismatches } from '../../oracle.js';
import { SeededRandom } from '../../random.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import { BucketLoad } from './bucket-load.js';
import { defaultBuckets, MeasuredCluster } from './cluster.js';
import { checkExact } from './exact.js';
import { seenAll, spread } from './sight.js';
import { SwitchWatch } from './switch-watch.js';

const promisedMs = 3000;
const warmUpMs = 5000;
const deadlineMs = 60_000;
/** The old master comes back as a replica: that alone takes Sentinel ten seconds. */
const syncDeadlineMs = 60_000;
const loadTabs = 5000;

export const masterKilled: Scenario = {
  name: 'master-killed',
  description:
    "a Redis master with two replicas is killed: its buckets make progress within 3 s of Sentinel's decision, with --redis-wait 0 and 1",
  async run(stage) {
    for (const wait of [0, 1]) await killMasters(stage, wait);
  },
};

async function killMasters(stage: Stage, wait: number): Promise<void> {
  const cluster = await MeasuredCluster.start(stage, { redis: { replicas: 2 }, wait });
  const owners = await cluster.servers('be', 3);
  const entrances = await cluster.servers('fe', 2);
  const urls = entrances.map(({ url }) => url);
  await cluster.balanced(entrances[0]!, owners);
  const load = new BucketLoad(stage, { urls, mayLose: wait === 0, tabs: loadTabs });
  await seenAll({ urls, probes: load.probes, targets: load.probed.map(() => 1), deadlineMs });
  stage.did(`--redis-wait ${wait}: every bucket has load`);
  const watch = await SwitchWatch.start(stage, cluster.redis);
  for (const shard of ['shard1', 'shard2'])
    await killMaster(stage, { cluster, load, watch, urls, wait, shard });
  watch.end();
  await load.end();
  if (wait > 0) await checkExact(stage, entrances[1]!, [load.report]);
  else await checkNothingTwice(stage, urls[0]!, load);
  for (const { daemon } of [...entrances, ...owners]) await daemon.kill();
  await cluster.redis.stop();
}

interface Killing {
  readonly cluster: MeasuredCluster;
  readonly load: BucketLoad;
  readonly watch: SwitchWatch;
  readonly urls: readonly string[];
  readonly wait: number;
  readonly shard: string;
}

async function killMaster(stage: Stage, { cluster, load, watch, urls, wait, shard }: Killing): Promise<void> {
  const { redis } = cluster;
  await redis.inSync(shard, syncDeadlineMs);
  await pause(warmUpMs + new SeededRandom(stage.seed).integer(0, 2000));
  const master = await redis.master(shard);
  const decided = watch.next(shard);
  const killedAtMs = performance.now();
  await master.kill();
  const decidedAtMs = await stage.within("Sentinel's decision", decided);
  const decidedSec = (decidedAtMs - killedAtMs) / 1000;
  stage.did(
    `${master.name}, the master of ${shard}, is killed; Sentinel decides after ${decidedSec.toFixed(2)} s`,
  );
  const [first, last] = shares(redis.shards.length, defaultBuckets)[Number(shard.slice(-1)) - 1]!;
  const targets = load.probed.map((count, bucket) =>
    bucket >= first && bucket <= last ? count + 1 : Number.NaN,
  );
  const seenAtMs = await seenAll({ urls, probes: load.probes, targets, deadlineMs });
  const tookMs = [...seenAtMs].map((atMs) => atMs - decidedAtMs).filter((ms) => !Number.isNaN(ms));
  stage.did(`new events of the buckets of ${shard} are to be seen, after the decision: ${spread(tookMs)}`);
  const worstMs = Math.max(...tookMs);
  stage.check(
    worstMs <= promisedMs,
    `--redis-wait ${wait}: all ${tookMs.length} buckets of ${shard} make progress ${(worstMs / 1000).toFixed(2)} s after the decision; promised are ${promisedMs / 1000} s`,
  );
  await master.restart();
}

/** With `--redis-wait 0` a fail-over may lose what was acknowledged: that has to be all. */
async function checkNothingTwice(stage: Stage, url: string, load: BucketLoad): Promise<void> {
  const mismatches = await aggregateMismatches(url, [load.report]);
  const missing = mismatches.map(({ expected, found }) => expected.count - found.count);
  const sum = missing.reduce((total, count) => total + count, 0);
  stage.check(
    missing.every((count) => count > 0),
    `${sum} of ${load.figures.events} events were lost with the masters, and none is counted twice`,
    mismatches.slice(0, 5),
  );
}
