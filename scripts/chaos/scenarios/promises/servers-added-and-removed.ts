import { setTimeout as pause } from 'node:timers/promises';
import { json } from '../../oracle.js';
import { SeededRandom } from '../../random.js';
import type { Scenario } from '../scenario.js';
import type { Actor } from '../stage.js';
import { BucketLoad } from './bucket-load.js';
import { defaultBuckets, MeasuredCluster, type ServersStatus } from './cluster.js';
import { checkExact } from './exact.js';
import { seenAll } from './sight.js';

const rounds = 3;
const betweenMs = 2000;
const deadlineMs = 60_000;
const loadTabs = 5000;

export const serversAddedAndRemoved: Scenario = {
  name: 'servers-added-and-removed',
  description:
    'a third be moves no more than a third of the buckets; whatever comes and goes, they stay balanced',
  async run(stage) {
    const random = new SeededRandom(stage.seed);
    const cluster = await MeasuredCluster.start(stage);
    const entrances = await cluster.servers('fe', 2);
    const asked = entrances[0]!;
    let owners = await cluster.servers('be', 2);
    await cluster.balanced(asked, owners);
    const urls = entrances.map(({ url }) => url);
    const load = new BucketLoad(stage, { urls, tabs: loadTabs });
    await seenAll({ urls, probes: load.probes, targets: load.probed.map(() => 1), deadlineMs });

    /** Waits for the balance, and counts the buckets that have another owner than before. */
    const balance = async (before: readonly unknown[]) => {
      const counts = await cluster.balanced(asked, owners);
      const after = await cluster.owners();
      return { counts, moved: after.filter((owner, bucket) => owner !== before[bucket]).length };
    };
    const add = async (name: string): Promise<void> => {
      const server = await cluster.server(name, 'be');
      const counted = await bucketsOf(asked, owners);
      const before = await cluster.owners();
      load.measure();
      const beganMs = performance.now();
      await server.daemon.start();
      owners = [...owners, server];
      const { counts, moved } = await balance(before);
      const most = Math.ceil(defaultBuckets / owners.length);
      const tookSec = (performance.now() - beganMs) / 1000;
      stage.check(
        moved <= most && moved === counts.at(-1),
        `${name} is started: ${moved} buckets move, at most ${most} may, in ${tookSec.toFixed(1)} s: ${counted.join(', ')} become ${counts.join(', ')}; the longest wait was ${load.waits[0]!.ms.toFixed(0)} ms`,
        { moved, most, counts },
      );
    };
    const remove = async (server: Actor, how: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
      const held = (await bucketsOf(asked, [server]))[0]!;
      const before = await cluster.owners();
      if (how === 'SIGKILL') await server.daemon.kill();
      else {
        const code = await server.daemon.stop();
        stage.check(code === 0, `${server.name} ends in good order on SIGTERM`, code);
      }
      owners = owners.filter((other) => other !== server);
      const { counts, moved } = await balance(before);
      stage.check(
        moved === held,
        `${server.name} goes with ${how}: its ${held} buckets move, and no others: ${counts.join(', ')}`,
        { moved, held },
      );
    };

    for (let round = 1; round <= rounds; round++) {
      await add(`be${2 * round + 1}`);
      await add(`be${2 * round + 2}`);
      await pause(betweenMs);
      await remove(random.pick(owners), 'SIGTERM');
      await remove(random.pick(owners), random.pick(['SIGTERM', 'SIGKILL'] as const));
      await pause(betweenMs);
    }
    await load.end();
    await checkExact(stage, asked, [load.report]);
  },
};

async function bucketsOf(asked: Actor, servers: readonly Actor[]): Promise<number[]> {
  const status = await json<ServersStatus>(`${asked.url}/status`);
  return servers.map(({ port }) => status.servers[`127.0.0.1:${port}`]?.buckets ?? 0);
}
