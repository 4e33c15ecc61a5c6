import { TabaError } from '../../core/errors.js';
import type { BucketIndex } from '../../core/ids.js';
import { inTime } from '../../runtime/in-time.js';
import { type Credentials, commandTimeoutMs, connectOnce } from './connection.js';
import { hashSlot, slotCount } from './hash-slot.js';
import { RedisKeys } from './keys.js';
import type { HostAndPort } from './options.js';
import type { Topology } from './topology.js';

export interface SlotOptions {
  /** A node to begin with. */
  readonly at: HostAndPort;
  readonly credentials: Credentials;
  readonly prefix: string;
}

/** The masters of a Redis Cluster, of which each is a shard. @throws when there is no whole map to be had */
export async function slotTopology(options: SlotOptions): Promise<Topology> {
  const topology = new SlotTopology(options);
  await topology.refresh();
  return topology;
}

/**
 * The map of a Redis Cluster: the hash tag in a bucket's keys says which slot it has, the map which master has that slot. A
 * shard is a master and named by its address; a fail-over, or moving slots, makes other shards. Buckets are found by the map
 * alone, so that the store is the same whichever nodes hold it.
 */
class SlotTopology implements Topology {
  readonly hasSlots = true;
  readonly #credentials: Credentials;
  readonly #keys: RedisKeys;
  readonly #slotOfBucket: number[] = [];
  readonly #changed: (() => void)[] = [];
  #nodes: readonly HostAndPort[];
  #masters: ReadonlyMap<string, HostAndPort> = new Map();
  /** Name of the master of each slot. */
  #owners: readonly string[] = [];
  #refreshing: Promise<void> | undefined;

  constructor({ at, credentials, prefix }: SlotOptions) {
    this.#credentials = credentials;
    this.#keys = new RedisKeys(prefix);
    this.#nodes = [at];
  }

  get shards(): readonly string[] {
    return [...this.#masters.keys()];
  }

  get controlShard(): string {
    return this.#owners[hashSlot(this.#keys.control.meta)]!;
  }

  keepsMeta(shard: string): boolean {
    return shard === this.controlShard;
  }

  bucketsOf(): string {
    return 'by slot';
  }

  shardOf(bucket: BucketIndex): string {
    let slot = this.#slotOfBucket[bucket];
    if (slot === undefined) {
      slot = hashSlot(this.#keys.bucket(bucket).head);
      this.#slotOfBucket[bucket] = slot;
    }
    return this.#owners[slot]!;
  }

  async locate(shard: string): Promise<HostAndPort> {
    await this.refresh();
    const at = this.#masters.get(shard);
    if (at === undefined) throw new Error(`${shard} is no master of the Redis Cluster any more`);
    return at;
  }

  onMove(): void {
    // A master that lost its slots is no shard any more: see onReshape.
  }

  onReshape(changed: () => void): void {
    this.#changed.push(changed);
  }

  close(): void {}

  /** Asks one node after the other for the map; whoever asks meanwhile gets the same. @throws when none has a whole one */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #ask(): Promise<void> {
    const reasons: string[] = [];
    for (const node of this.#nodes) {
      try {
        this.#take(await slotRows(node, this.#credentials), node);
        return;
      } catch (error) {
        reasons.push((error as Error).message);
      }
    }
    throw new TabaError('store_failed', `no node of the Redis Cluster knows its map (${reasons.join('; ')})`);
  }

  #take(rows: readonly SlotRow[], asked: HostAndPort): void {
    const masters = new Map<string, HostAndPort>();
    const replicas = new Map<string, HostAndPort>();
    const owners = new Array<string | undefined>(slotCount).fill(undefined);
    for (const [first, last, ...members] of rows) {
      for (const [index, [host, port]] of members.entries()) {
        // A node that does not know its own address leaves it out.
        const at = { host: host || asked.host, port };
        const name = `${at.host}:${port}`;
        (index === 0 ? masters : replicas).set(name, at);
        if (index === 0) owners.fill(name, first, last + 1);
      }
    }
    const missing = owners.indexOf(undefined);
    if (missing >= 0) throw new Error(`${asked.host}:${asked.port} knows no node for slot ${missing}`);
    const before = this.#masters;
    this.#owners = owners as string[];
    this.#masters = masters;
    // Masters first: they know of a change before their replicas do.
    this.#nodes = [...masters.values(), ...replicas.values()];
    const isSame = masters.size === before.size && [...masters.keys()].every((name) => before.has(name));
    if (!isSame) for (const changed of this.#changed) changed();
  }
}

/** As CLUSTER SLOTS answers: first slot, last slot, the master, its replicas; each of them host, port, id. */
type SlotRow = readonly [number, number, ...(readonly [string | null, number, string])[]];

async function slotRows(node: HostAndPort, credentials: Credentials): Promise<readonly SlotRow[]> {
  const redis = await connectOnce(node, credentials);
  try {
    return (await inTime(redis.call('CLUSTER', 'SLOTS'), commandTimeoutMs)) as SlotRow[];
  } finally {
    redis.disconnect();
  }
}
