import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../random.js';
import type { Scenario } from '../scenario.js';
import { BucketLoad } from './bucket-load.js';
import { MeasuredCluster } from './cluster.js';
import { checkExact } from './exact.js';
import { fill, filledTabs } from './fill.js';
import { QueryWatch } from './query-watch.js';
import { seenAll } from './sight.js';

const promisedWaitMs = 1000;
const warmUpMs = 5000;
const afterwardsMs = 5000;
const deadlineMs = 60_000;

export const ownerStopped: Scenario = {
  name: 'owner-stopped',
  description:
    'a be is stopped with SIGTERM under load and under queries: no query fails, no Block waits for a second',
  async run(stage) {
    const random = new SeededRandom(stage.seed);
    const cluster = await MeasuredCluster.start(stage);
    const owners = await cluster.servers('be', 3);
    const entrances = await cluster.servers('fe', 2);
    const urls = entrances.map(({ url }) => url);
    await cluster.balanced(entrances[0]!, owners);
    const filled = await fill(stage, urls);
    const load = new BucketLoad(stage, { urls });
    await seenAll({ urls, probes: load.probes, targets: load.probed.map(() => 1), deadlineMs });
    const queries = new QueryWatch({ urls, seed: stage.seed, tabs: filledTabs });
    load.measure();
    await pause(warmUpMs + random.integer(0, 5000));
    const before = load.waits[0]!;
    stage.did(`before, the longest wait for an acknowledgement was ${before.ms.toFixed(0)} ms`);

    const owner = random.pick(owners);
    load.measure();
    const beganMs = performance.now();
    const code = await owner.daemon.stop();
    const tookSec = (performance.now() - beganMs) / 1000;
    stage.check(
      code === 0,
      `${owner.name} is stopped with SIGTERM under load, in ${tookSec.toFixed(1)} s`,
      code,
    );
    await pause(afterwardsMs);
    const { asked, longestMs, failures } = await queries.end();
    const waits = load.waits;
    stage.check(
      failures.length === 0,
      `no one of ${asked} queries failed; the longest took ${longestMs.toFixed(0)} ms`,
      failures,
    );
    const longer = waits.filter(({ ms }) => ms > promisedWaitMs).length;
    stage.check(
      longer === 0,
      `no Block waited for more than ${promisedWaitMs / 1000} s; the longest wait was ${waits[0]!.ms.toFixed(0)} ms, of bucket ${waits[0]!.bucket}`,
      { buckets: longer, longest: waits[0] },
    );
    await cluster.balanced(
      entrances[0]!,
      owners.filter((server) => server !== owner),
    );
    await load.end();
    await checkExact(stage, entrances[1]!, [...filled, load.report]);
  },
};
