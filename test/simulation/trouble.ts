import type { Cluster } from './cluster.js';
import { tabs } from './payload.js';
import { mayLoseStored } from './profile.js';
import type { ShardData } from './redis/redis-store.js';
import type { SimShard } from './redis/shard.js';
import type { SimAgent } from './sim-agent.js';
import type { SimServer } from './sim-server.js';

/** What goes wrong, or is asked for, from one step of a history to the next. */
export class Trouble {
  readonly #cluster: Cluster;
  readonly #agents: readonly SimAgent[];
  readonly #backups = new Map<SimShard<ShardData>, ShardData>();

  constructor(cluster: Cluster, agents: readonly SimAgent[]) {
    this.#cluster = cluster;
    this.#agents = agents;
  }

  step(): void {
    this.#agentTrouble();
    this.#serverTrouble();
    this.#storeTrouble();
    this.#administration();
  }

  #agent(): SimAgent {
    return this.#agents[this.#cluster.world.below(this.#agents.length)]!;
  }

  #server(): SimServer {
    return this.#cluster.someServer();
  }

  #agentTrouble(): void {
    const { world, profile } = this.#cluster;
    if (world.chance(profile.agentCrash)) this.#agent().crash();
    if (world.chance(profile.compaction)) this.#agent().compact();
    if (world.chance(profile.deletedSpool)) this.#agent().loseSpool();
    if (world.chance(profile.flushAll)) this.#agent().flushAll();
  }

  #serverTrouble(): void {
    const { world, profile, servers } = this.#cluster;
    if (world.chance(profile.restart)) for (const server of servers) server.drain();
    if (world.chance(profile.drain)) this.#server().drain();
    if (world.chance(profile.serverCrash)) this.#server().crash();
    if (world.chance(profile.freeze)) this.#server().freeze();
    if (world.chance(profile.move)) this.#server().weigh(world.below(4));
  }

  #storeTrouble(): void {
    const { world, profile, store } = this.#cluster;
    const { failOver, pause, restartInPlace, outOfMemory } = profile.store;
    const shard = store.shards[world.below(store.shards.length)]!;
    if (world.chance(pause)) shard.pause(world.delayMs(300));
    if (world.chance(failOver)) shard.failOver();
    if (world.chance(outOfMemory)) shard.outOfMemoryUntilMs = world.nowMs + world.delayMs(400);
    if (world.chance(restartInPlace)) this.#restartInPlace(shard);
    else if (profile.store.disk === 'some time ago' && restartInPlace > 0 && world.chance(0.2))
      this.#backups.set(shard, shard.backup());
  }

  #restartInPlace(shard: SimShard<ShardData>): void {
    if (mayLoseStored(this.#cluster.profile.store)) shard.restartInPlace(this.#backups.get(shard));
    else shard.restartInPlace(undefined);
  }

  #administration(): void {
    const { world, profile } = this.#cluster;
    if (world.chance(Math.max(profile.forget, profile.pruneClients, profile.pruneTabs)))
      this.#server().prune();
    if (world.chance(profile.recompute)) this.#server().recompute();
    if (world.chance(profile.deleteTabs)) this.#server().deleteTabs([tabs[world.below(tabs.length)]!]);
  }
}
