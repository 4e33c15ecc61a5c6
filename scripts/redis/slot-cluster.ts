import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../process/free-port.js';
import { type RedisProcess, startRedis } from './redis-process.js';

/** Redis in cluster mode: the masters share the slots, and there are no sentinels. */
export interface SlotCluster {
  /** Of the beginning: a fail-over makes others of their replicas. */
  readonly masters: readonly RedisProcess[];
  /** Of each master, in their order. */
  readonly replicas: readonly (readonly RedisProcess[])[];
  /** Takes a slot, with the keys in it, from one master to another, as a resharding does. */
  move(slot: number, from: RedisProcess, to: RedisProcess): Promise<void>;
  stop(): Promise<void>;
}

const slotCount = 16_384;
const readyDeadlineMs = 20_000;
const answerDeadlineMs = 5000;

/**
 * Starts so many masters, with so many replicas each, and gives each master its part of the slots. Whole when it resolves.
 *
 * @throws when it does not become so
 */
export async function startSlotCluster(masterCount = 3, replicasEach = 0): Promise<SlotCluster> {
  const started: Awaited<ReturnType<typeof startRedis>>[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop()));
  };
  const nodeCount = masterCount * (1 + replicasEach);
  try {
    const busPorts: number[] = [];
    for (let index = 0; index < nodeCount; index++) {
      const busPort = await freePort();
      busPorts.push(busPort);
      const config = ['cluster-enabled yes', `cluster-port ${busPort}`, 'cluster-node-timeout 2000'];
      started.push(await startRedis({ config }));
    }
    const nodes = started.map(({ redis }) => redis);
    const masters = nodes.slice(0, masterCount);
    const replicas = masters.map((_, index) =>
      nodes.filter((_, at) => at >= masterCount && at % masterCount === index),
    );
    for (const [index, node] of nodes.entries()) {
      if (index > 0) await nodes[0]!.ask('cluster', 'meet', node.host, node.port, busPorts[index]!);
    }
    for (const [index, master] of masters.entries()) {
      const first = Math.floor((slotCount * index) / masterCount);
      const last = Math.floor((slotCount * (index + 1)) / masterCount) - 1;
      await master.ask('cluster', 'addslotsrange', first, last);
    }
    for (const node of nodes) await whole(node, nodeCount);
    for (const [index, master] of masters.entries()) {
      for (const replica of replicas[index]!) await follow(replica, master);
    }
    return { masters, replicas, move: (slot, from, to) => move(slot, from, to, masters), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes a node without slots the replica of a master, and waits until it has what that has. */
async function follow(replica: RedisProcess, master: RedisProcess): Promise<void> {
  await replica.ask('cluster', 'replicate', String(await master.ask('cluster', 'myid')));
  const deadline = performance.now() + readyDeadlineMs;
  while (!String(await replica.ask('info', 'replication')).includes('master_link_status:up')) {
    if (performance.now() > deadline) throw new Error(`${replica.name} does not follow ${master.name}`);
    await pause(50);
  }
}

/** Waits until a node knows all the others, and a master for every slot. */
async function whole(redis: RedisProcess, nodes: number): Promise<void> {
  const deadline = performance.now() + readyDeadlineMs;
  for (;;) {
    const info = String(await redis.ask('cluster', 'info'));
    if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`)) return;
    if (performance.now() > deadline) throw new Error(`${redis.name} knows no whole cluster:\n${info}`);
    await pause(50);
  }
}

async function move(
  slot: number,
  from: RedisProcess,
  to: RedisProcess,
  all: readonly RedisProcess[],
): Promise<void> {
  const [fromId, toId] = await Promise.all([from.ask('cluster', 'myid'), to.ask('cluster', 'myid')]);
  await to.ask('cluster', 'setslot', slot, 'importing', String(fromId));
  await from.ask('cluster', 'setslot', slot, 'migrating', String(toId));
  const keys = (await from.ask('cluster', 'getkeysinslot', slot, 10_000)) as string[];
  if (keys.length > 0) await from.ask('migrate', to.host, to.port, '', 0, answerDeadlineMs, 'keys', ...keys);
  // First those two: nobody else knows better than they.
  for (const one of [to, from, ...all]) await one.ask('cluster', 'setslot', slot, 'node', String(toId));
}
