import { bucketOf } from '../../src/core/buckets.js';
import type { BucketIndex, ClientId } from '../../src/core/ids.js';
import { viewTab } from '../../src/server/reduce/reading.js';
import { SimPoster, SimSdk } from './applications.js';
import { Cluster, type Profile } from './cluster.js';
import { Ledger } from './ledger.js';
import { bucketCount, tabs } from './payload.js';
import type { Rule } from './rules.js';
import { SimAgent } from './sim-agent.js';
import { SimServer } from './sim-server.js';
import { SimStore } from './sim-store.js';
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
/** Virtual time in which everything must have been delivered once nothing goes wrong any more. */
const settleMs = 60_000;

/** One history of the whole system, which follows from the seed alone: some seconds of trouble, then peace, then the judgement. */
export async function runHistory(
  seed: number,
  { without = new Set(), trace = false }: HistoryOptions,
): Promise<HistoryResult> {
  const world = new World(seed, trace);
  const profile = drawProfile(world);
  world.log(() => `profile ${JSON.stringify(profile)}`);
  const ledger = new Ledger(world);
  const store = new SimStore(world, bucketCount, profile, without);
  const cluster = new Cluster(world, profile, store, ledger, without);
  cluster.servers.push(new SimServer(0, cluster), new SimServer(1, cluster));
  const agents = [
    new SimAgent('agent0', cluster),
    ...(world.chance(0.3) ? [new SimAgent('agent1', cluster)] : []),
  ];
  const sdks = Array.from(
    { length: 1 + world.below(2) },
    () => new SimSdk(cluster, agents[world.below(agents.length)]!),
  );
  const poster = new SimPoster(cluster);
  const backups = new Map<number, unknown>();
  const steps = 10 + world.below(profile.forget > 0 ? 60 : 15);
  const done = (): boolean => false;
  for (let step = 1; step <= steps; step++) {
    for (const sdk of sdks) if (world.chance(0.4)) sdk.record();
    if (world.chance(0.2)) poster.post();
    trouble(cluster, agents, backups);
    await world.run(step * stepMs, done);
  }
  world.faults = false;
  world.log(() => 'peace');
  const nodes = [...cluster.servers, ...agents].map(({ node }) => node);
  const thawMs = Math.max(world.nowMs, ...nodes.map(({ frozenUntilMs }) => frozenUntilMs));
  for (const node of nodes) node.frozenUntilMs = 0;
  store.fullUntilMs = 0;
  for (const server of cluster.servers) server.learn();
  // Nobody waits for a post without a key: one that lies with a frozen server must not come between the questions.
  await world.run(thawMs + slowestMs, done);
  const deadlineMs = world.nowMs + settleMs;
  const settled = await world.run(deadlineMs, () => {
    return [...sdks, ...agents, ...cluster.servers, poster].every(({ idle }) => idle);
  });
  if (!settled) return { fault: 'it does not come to rest', trace: world.trace };
  const fault = await judge(cluster, agents, profile);
  world.log(() => (fault === '' ? 'all is well' : fault));
  return { fault, trace: world.trace };
}

function drawProfile(world: World): Profile {
  const sometimes = (probability: number, value: number): number =>
    world.chance(probability) ? value * world.random() : 0;
  return {
    unknown: sometimes(0.5, 0.1),
    late: sometimes(0.5, 0.1),
    loss: sometimes(0.5, 0.3),
    repeat: sometimes(0.5, 0.3),
    agentCrash: sometimes(0.5, 0.2),
    serverCrash: sometimes(0.4, 0.1),
    freeze: sometimes(0.4, 0.2),
    move: sometimes(0.5, 0.2),
    failOver: sometimes(0.4, 0.2),
    diskFull: sometimes(0.2, 0.1),
    forget: sometimes(0.25, 0.5),
    compaction: sometimes(0.5, 0.5),
    deletedSpool: sometimes(0.1, 0.2),
    restart: sometimes(0.2, 0.1),
    recompute: sometimes(0.3, 0.3),
    groups: world.chance(0.25),
    storeLoss: world.chance(0.1),
    maxStates: world.chance(0.5) ? 1 : 1000,
  };
}

function trouble(cluster: Cluster, agents: readonly SimAgent[], backups: Map<number, unknown>): void {
  const { world, profile, servers, store } = cluster;
  const bucket = cluster.otherBucket();
  if (world.chance(profile.agentCrash)) agents[world.below(agents.length)]!.crash();
  if (world.chance(profile.compaction)) agents[world.below(agents.length)]!.compact();
  if (world.chance(profile.deletedSpool)) agents[world.below(agents.length)]!.loseSpool();
  if (world.chance(profile.restart)) for (const server of servers) server.drain();
  if (world.chance(profile.serverCrash)) servers[world.below(servers.length)]!.crash();
  if (world.chance(profile.freeze)) {
    const { node } = servers[world.below(servers.length)]!;
    node.frozenUntilMs = world.nowMs + world.delayMs(500);
    world.log(() => `${node.name}: frozen until ${node.frozenUntilMs.toFixed(1)} ms`);
  }
  if (world.chance(profile.move)) {
    cluster.assigned[bucket] = 1 - cluster.assigned[bucket]!;
    world.log(() => `bucket ${bucket} is assigned to server${cluster.assigned[bucket]}`);
    for (const server of servers) cluster.deliver(server.node, () => server.learn());
  }
  if (world.chance(profile.failOver)) store.failOver(bucket);
  if (world.chance(profile.diskFull)) store.fullUntilMs = world.nowMs + world.delayMs(600);
  if (!profile.storeLoss) return;
  const backup = backups.get(bucket);
  if (backup === undefined) backups.set(bucket, store.backup(bucket));
  if (backup === undefined || !world.chance(0.1)) return;
  store.loseSuffix(bucket, backup);
  backups.delete(bucket);
}

async function judge(cluster: Cluster, agents: readonly SimAgent[], profile: Profile): Promise<string> {
  const balances = [
    ...agents.map(({ balance }) => balance),
    ...cluster.servers.flatMap(({ balances: all }) => all),
  ];
  if (balances.some((balance) => balance !== 0)) return `books do not balance: ${balances}`;
  const mayLose =
    profile.storeLoss || profile.deletedSpool > 0
      ? 'anything'
      : profile.forget > 0
        ? 'what is reported'
        : 'nothing';
  if (!profile.storeLoss) {
    const kept = await readAll(cluster);
    if (typeof kept === 'string') return kept;
    const fault = cluster.ledger.judge((tab, client) => kept.get(`${tab} ${client}`), mayLose);
    if (fault !== '') return fault;
  }
  // An owner that has not written since its store lost something does not know of it: only the store's word counts then.
  // Otherwise the same must come out of what the store has.
  for (const server of cluster.servers) server.crash();
  const replayed = await readAll(cluster);
  if (typeof replayed === 'string') return `after a restart: ${replayed}`;
  const again = cluster.ledger.judge((tab, client) => replayed.get(`${tab} ${client}`), mayLose);
  return again === '' ? '' : `after a restart: ${again}`;
}

/** A late command may still cost an owner its bucket: then the question is asked again, as a client would. */
async function readAll(cluster: Cluster): Promise<Map<string, unknown> | string> {
  let answer: Map<string, unknown> | string = 'never asked';
  for (let attempt = 0; attempt < 5; attempt++) {
    answer = await readOnce(cluster);
    if (typeof answer !== 'string') break;
    await cluster.world.run(cluster.world.nowMs + 1000, () => false);
  }
  return answer;
}

async function readOnce(cluster: Cluster): Promise<Map<string, unknown> | string> {
  const { world } = cluster;
  const states = new Map<string, unknown>();
  const owners = (): boolean =>
    cluster.assigned.every(
      (index, bucket) => cluster.servers[index]!.owner(bucket as BucketIndex)?.state === 'serving',
    );
  if (!(await world.run(world.nowMs + settleMs, owners))) return 'a bucket is not served';
  let failed = '';
  let left = tabs.length;
  for (const tab of tabs) {
    const bucket = bucketOf(tab, bucketCount);
    const owner = cluster.servers[cluster.assigned[bucket]!]!.owner(bucket)!;
    const look = (view: { tabState: unknown; clients: ReadonlyMap<ClientId, unknown> }): void => {
      if (view.tabState !== undefined) states.set(`${tab} `, view.tabState);
      for (const [client, state] of view.clients) states.set(`${tab} ${client}`, state);
    };
    // One that was replaced and got its bucket back, and heard of neither, does not know what happened in between.
    const seen = owner.readPages([]).then(() => viewTab(owner, tab, 'all', look));
    seen.then(
      () => left--,
      (error) => {
        failed = String(error);
        left--;
      },
    );
  }
  if (!(await world.run(world.nowMs + settleMs, () => left === 0))) return 'a query hangs';
  return failed === '' ? states : failed;
}
