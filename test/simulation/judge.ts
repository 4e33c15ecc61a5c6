import type { BucketIndex, TabName } from '../../src/core/ids.js';
import type { Cluster } from './cluster.js';
import type { MayLose, TabReading } from './ledger.js';
import { bucketCount, bucketOfTab, type Counted, countOf, tabs } from './payload.js';
import { mayLoseStored, type Profile } from './profile.js';
import type { SimAgent } from './sim-agent.js';
import type { SimServer } from './sim-server.js';

/** Virtual time in which everything must have been delivered, or answered, once nothing goes wrong any more. */
export const settleMs = 60_000;

/** Looks at everything when all is at rest. @returns what is wrong, in words; '' when all is well */
export async function judge(cluster: Cluster, agents: readonly SimAgent[]): Promise<string> {
  const { profile, ledger, servers } = cluster;
  const balances = [...agents.map(({ balance }) => balance), ...servers.flatMap(({ balances: all }) => all)];
  if (balances.some((balance) => balance !== 0)) return `books do not balance: ${balances}`;
  const mayLose = whatMayBeLost(profile);
  if (!mayLoseStored(profile.store)) {
    const kept = await readAll(cluster);
    if (typeof kept === 'string') return kept;
    const fault = ledger.judge((tab) => kept.get(tab)!, mayLose);
    if (fault !== '') return fault;
  }
  // An owner that has not written since its store lost something does not know of it: only the store's word counts then.
  // Otherwise the same must come out of what the store has.
  for (const server of servers) server.crash();
  const replayed = await readAll(cluster);
  if (typeof replayed === 'string') return `after a restart: ${replayed}`;
  const again = ledger.judge((tab) => replayed.get(tab)!, mayLose);
  return again === '' ? '' : `after a restart: ${again}`;
}

function whatMayBeLost({ store, deletedSpool, forget, flushAll }: Profile): MayLose {
  if (mayLoseStored(store) || deletedSpool > 0) return 'anything';
  return forget > 0 || flushAll > 0 ? 'what is reported' : 'nothing';
}

type Readings = Map<TabName, TabReading>;

/** A late command may still cost an owner its bucket: then the question is asked again, as a client would. */
async function readAll(cluster: Cluster): Promise<Readings | string> {
  let answer: Readings | string = 'never asked';
  for (let attempt = 0; attempt < 5; attempt++) {
    answer = await readOnce(cluster);
    if (typeof answer !== 'string') break;
    await cluster.world.run(cluster.world.nowMs + 1000, () => false);
  }
  return answer;
}

async function readOnce(cluster: Cluster): Promise<Readings | string> {
  const { world } = cluster;
  const holders = (): (SimServer | undefined)[] =>
    Array.from({ length: bucketCount }, (_, b) => cluster.holder(b as BucketIndex));
  if (!(await world.run(world.nowMs + settleMs, () => holders().every((holder) => holder !== undefined))))
    return 'a bucket is not served';
  const found = holders();
  const readings: Readings = new Map();
  let failed = '';
  let left = tabs.length;
  for (const tab of tabs) {
    const bucket = bucketOfTab(tab);
    read(found[bucket]!, bucket, tab).then(
      (reading) => {
        readings.set(tab, reading);
        left--;
      },
      (error) => {
        failed = String(error);
        left--;
      },
    );
  }
  if (!(await world.run(world.nowMs + settleMs, () => left === 0))) return 'a query hangs';
  return failed === '' ? readings : failed;
}

async function read(server: SimServer, bucket: BucketIndex, tab: TabName): Promise<TabReading> {
  const owner = server.process?.serving(bucket);
  if (owner === undefined) throw new Error(`bucket ${bucket} is not served`);
  // One that was replaced and got its bucket back, and heard of neither, does not know what happened in between.
  await owner.readPages([]);
  const reading = new Map<string, Counted>();
  // In one go: a client that is forgotten in between would be missing here and there.
  await owner.exclusively(async (check) => {
    const slots = [...(owner.states.tab(tab) ?? [])].filter(({ position }) => position > 0);
    try {
      await owner.load(slots);
      check();
      for (const slot of slots) {
        if (slot.isInMemory) reading.set(slot.owner, countOf(owner.states.stateOf(slot)));
      }
    } finally {
      owner.states.unpin(slots);
    }
  });
  return reading;
}
