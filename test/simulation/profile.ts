import type { World } from './world.js';

/** What kind of trouble a history has; drawn at its beginning. Probabilities are per 100 ms unless said otherwise. */
export interface Profile {
  /** Per message between agents and servers. */
  readonly loss: number;
  readonly repeat: number;
  /** Per message between servers: their connection breaks. */
  readonly cut: number;
  readonly agentCrash: number;
  readonly compaction: number;
  readonly deletedSpool: number;
  readonly serverCrash: number;
  readonly freeze: number;
  /** One server gets SIGTERM. */
  readonly drain: number;
  /** All servers get SIGTERM at once. */
  readonly restart: number;
  readonly move: number;
  readonly forget: number;
  readonly recompute: number;
  readonly pruneClients: number;
  readonly pruneTabs: number;
  readonly deleteTabs: number;
  readonly flushAll: number;
  readonly queries: number;
  /** Half of the tabs are CounterGroups. */
  readonly groups: boolean;
  readonly maxStates: number;
  readonly store: StoreProfile;
}

/** The shards, and what goes wrong with them. */
export interface StoreProfile {
  readonly shards: number;
  readonly replicas: number;
  /** Replicas that must confirm a write; fewer than there are means that a fail-over may lose (R4). */
  readonly waitReplicas: number;
  /** What is on disk after a restart in place: everything, or what was there some time before. */
  readonly disk: 'always' | 'some time ago';
  /** Per group of writes. */
  readonly unknown: number;
  readonly late: number;
  readonly failOver: number;
  readonly pause: number;
  readonly restartInPlace: number;
  readonly outOfMemory: number;
}

/** Whether the store may lose what it called durable. */
export function mayLoseStored({ replicas, waitReplicas, disk, restartInPlace }: StoreProfile): boolean {
  return waitReplicas < replicas || (disk === 'some time ago' && restartInPlace > 0);
}

export function drawProfile(world: World): Profile {
  const sometimes = (probability: number, value: number): number =>
    world.chance(probability) ? value * world.random() : 0;
  const store = drawStore(world, sometimes);
  return {
    store,
    loss: sometimes(0.5, 0.3),
    repeat: sometimes(0.5, 0.3),
    cut: sometimes(0.5, 0.1),
    agentCrash: sometimes(0.5, 0.2),
    compaction: sometimes(0.5, 0.5),
    deletedSpool: sometimes(0.1, 0.2),
    serverCrash: sometimes(0.4, 0.1),
    freeze: sometimes(0.4, 0.2),
    drain: sometimes(0.2, 0.1),
    restart: sometimes(0.15, 0.1),
    move: sometimes(0.5, 0.2),
    forget: sometimes(0.2, 0.5),
    recompute: sometimes(0.2, 0.3),
    pruneClients: sometimes(0.15, 0.3),
    pruneTabs: sometimes(0.05, 0.3),
    deleteTabs: sometimes(0.15, 0.2),
    flushAll: sometimes(0.1, 0.2),
    queries: sometimes(0.4, 1),
    groups: world.chance(0.2),
    maxStates: world.chance(0.5) ? 1 : 1000,
  };
}

function drawStore(world: World, sometimes: (probability: number, value: number) => number): StoreProfile {
  const replicas = 1 + world.below(2);
  const lossy = world.chance(0.12);
  return {
    shards: 1 + world.below(2),
    replicas,
    waitReplicas: lossy ? world.below(replicas) : replicas,
    disk: lossy && world.chance(0.5) ? 'some time ago' : 'always',
    unknown: sometimes(0.5, 0.15),
    late: sometimes(0.5, 0.15),
    failOver: sometimes(0.5, 0.2),
    pause: sometimes(0.4, 0.2),
    restartInPlace: sometimes(0.2, 0.1),
    outOfMemory: sometimes(0.15, 0.1),
  };
}
