import type { BucketIndex } from '../../core/ids.js';
import { inTime } from '../../runtime/in-time.js';
import { type Credentials, commandTimeoutMs, connectOnce } from './connection.js';
import { hashSlot } from './hash-slot.js';
import { RedisKeys } from './keys.js';
import type { HostAndPort } from './options.js';
import type { Topology } from './topology.js';

export interface SlotOptions {
  /** A node to begin with. */
  readonly at: HostAndPort;
  readonly credentials: Credentials;
  readonly prefix: string;
}

/** Consecutive slots with one master. */
interface SlotRange {
  /** `0-5460`: what a shard is called; a fail-over leaves it as it is. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly master: HostAndPort;
}

/** The masters of a Redis Cluster: each range of slots is a shard, and the hash tags of the keys say which bucket is where. */
export async function slotTopology(options: SlotOptions): Promise<Topology> {
  const topology = new SlotTopology(options);
  await topology.refresh();
  return topology;
}

class SlotTopology implements Topology {
  readonly #credentials: Credentials;
  readonly #keys: RedisKeys;
  #nodes: readonly HostAndPort[];
  #ranges: readonly SlotRange[] = [];

  constructor({ at, credentials, prefix }: SlotOptions) {
    this.#credentials = credentials;
    this.#keys = new RedisKeys(prefix);
    this.#nodes = [at];
  }

  get shards(): readonly string[] {
    return this.#ranges.map(({ name }) => name);
  }

  get controlShard(): string {
    return this.#rangeOf(this.#keys.control.meta).name;
  }

  keepsMeta(shard: string): boolean {
    return shard === this.controlShard;
  }

  bucketsOf(): string {
    return 'by slot';
  }

  shardOf(bucket: BucketIndex): string {
    return this.#rangeOf(this.#keys.bucket(bucket).head).name;
  }

  #rangeOf(key: string): SlotRange {
    const slot = hashSlot(key);
    const range = this.#ranges.find(({ first, last }) => slot >= first && slot <= last);
    if (range === undefined) throw new Error(`no node of the Redis Cluster has slot ${slot}`);
    return range;
  }

  async locate(shard: string): Promise<HostAndPort> {
    await this.refresh();
    const range = this.#ranges.find(({ name }) => name === shard);
    if (range === undefined) throw new Error(`no node of the Redis Cluster has the slots ${shard} any more`);
    return range.master;
  }

  onMove(): void {
    // A node that lost its slots answers MOVED.
  }

  close(): void {}

  /** Asks one node after the other for the map. @throws when none answers */
  async refresh(): Promise<void> {
    const reasons: string[] = [];
    for (const node of this.#nodes) {
      try {
        const redis = await connectOnce(node, this.#credentials);
        try {
          this.#take((await inTime(redis.call('CLUSTER', 'SLOTS'), commandTimeoutMs)) as SlotRow[], node);
          return;
        } finally {
          redis.disconnect();
        }
      } catch (error) {
        reasons.push((error as Error).message);
      }
    }
    throw new Error(`no node of the Redis Cluster answers (${reasons.join('; ')})`);
  }

  #take(rows: readonly SlotRow[], asked: HostAndPort): void {
    const nodes = new Map<string, HostAndPort>();
    this.#ranges = rows
      .map(([first, last, ...members]) => {
        // A node that does not know its own address leaves it out.
        const places = members.map(([host, port]) => ({ host: host === '' ? asked.host : host, port }));
        for (const place of places) nodes.set(`${place.host}:${place.port}`, place);
        return { name: `${first}-${last}`, first, last, master: places[0]! };
      })
      .sort((a, b) => a.first - b.first);
    if (nodes.size > 0) this.#nodes = [...nodes.values()];
  }
}

/** As CLUSTER SLOTS answers: first slot, last slot, the master, its replicas; each of them host, port, id. */
type SlotRow = readonly [number, number, ...(readonly [string, number, string])[]];
