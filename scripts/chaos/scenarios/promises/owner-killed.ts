import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../random.js';
import type { Scenario } from '../scenario.js';
import { BucketLoad } from './bucket-load.js';
import { MeasuredCluster } from './cluster.js';
import { checkExact } from './exact.js';
import { fill } from './fill.js';
import { seenAll, spread } from './sight.js';

const leaseMs = 3000;
const promisedMs = leaseMs + 2000;
const warmUpMs = 10_000;
const deadlineMs = 60_000;

export const ownerKilled: Scenario = {
  name: 'owner-killed',
  description: 'a be is killed under load: all its buckets are served again within the lease and 2 s',
  async run(stage) {
    const cluster = await MeasuredCluster.start(stage);
    const owners = await cluster.servers('be', 3);
    const entrances = await cluster.servers('fe', 2);
    const urls = entrances.map(({ url }) => url);
    await cluster.balanced(entrances[0]!, owners);
    const filled = await fill(stage, urls);
    const load = new BucketLoad(stage, { urls });
    await seenAll({ urls, probes: load.probes, targets: load.probed.map(() => 1), deadlineMs });
    await pause(warmUpMs + new SeededRandom(stage.seed).integer(0, 2000));
    const owner = new SeededRandom(stage.seed).pick(owners);
    load.measure();
    const killedAtMs = performance.now();
    await owner.daemon.kill();
    stage.did(`${owner.name} is killed under load, with a lease of ${leaseMs / 1000} s`);
    const targets = load.probed.map((count) => count + 1);
    const seenAtMs = await seenAll({ urls, probes: load.probes, targets, deadlineMs });
    const tookMs = seenAtMs.map((atMs) => atMs - killedAtMs);
    stage.did(`new events of all buckets are to be seen: ${spread(tookMs)}`);
    const worst = tookMs.indexOf(Math.max(...tookMs));
    stage.check(
      tookMs[worst]! <= promisedMs,
      `bucket ${worst}, the last, is served after ${(tookMs[worst]! / 1000).toFixed(2)} s; promised are ${promisedMs / 1000} s`,
    );
    const survivors = owners.filter((server) => server !== owner);
    await cluster.balanced(entrances[0]!, survivors);
    await load.end();
    const [longest] = load.waits;
    const { blocks, events } = load.figures;
    stage.did(
      `${events} events in ${blocks} Blocks; one of bucket ${longest!.bucket} waited longest, ${longest!.ms.toFixed(0)} ms`,
    );
    await checkExact(stage, entrances[1]!, [...filled, load.report]);
  },
};
