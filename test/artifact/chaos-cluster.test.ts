/** A short run of chaos on a whole cluster, with a seed of its own each time: the long ones are for people (`npm run chaos`). */
import t from 'tap';
import { runClusterChaos } from '../../scripts/chaos/cluster/cluster-chaos.js';

t.setTimeout(290_000);

t.test('60 s of faults on servers, agents, Redis and the network: every count is exact', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const lines: string[] = [];
  const print = (line: string): void => {
    lines.push(line);
    t.comment(line);
  };
  const load = { clients: 20, tabs: 1000, eventsPerSec: 50_000, buckets: 200 };
  const passed = await runClusterChaos({ seed, durationSec: 60, leastFaults: 8, ...load, print });
  t.ok(
    passed,
    `npm run chaos -- --target cluster --seconds 60 --seed ${seed} --tabs ${load.tabs} --rate ${load.eventsPerSec} --buckets ${load.buckets}\n${lines.join('\n')}`,
  );
});
