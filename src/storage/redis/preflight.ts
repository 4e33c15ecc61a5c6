import { bucketHash } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { RedisKeys } from './keys.js';
import type { RedisStoreOptions } from './options.js';
import type { Link } from './shard-link.js';
import type { Topology } from './topology.js';

/** What one shard's Redis is, as of its last greeting. */
interface ShardFacts {
  readonly appendOnly: boolean;
  readonly appendFsync: string;
  readonly replicas: number;
  readonly memoryBytes: number;
}

const storeFormat = '1';

/**
 * What must hold before a Redis is used: it was made for these buckets, and it does not throw anything away. Looked at
 * whenever a connection is made, since a fail-over brings another server with settings of its own.
 */
export class Preflight {
  readonly #options: RedisStoreOptions;
  readonly #topology: Topology;
  readonly #keys: RedisKeys;
  readonly #facts = new Map<string, ShardFacts>();
  #createdAtMs = Number.POSITIVE_INFINITY;

  constructor(options: RedisStoreOptions, topology: Topology, keys: RedisKeys) {
    this.#options = options;
    this.#topology = topology;
    this.#keys = keys;
  }

  /** @throws TabaError `store_mismatch`, `bad_setting` */
  async greet(shard: string, link: Link): Promise<void> {
    if (this.#topology.keepsMeta(shard)) await this.#checkMeta(shard, link);
    const info = parseInfo(String(await link.command('INFO')));
    await this.#checkPolicy(shard, link, info);
    const facts: ShardFacts = {
      appendOnly: info.get('aof_enabled') === '1',
      appendFsync: await setting(link, 'appendfsync', 'unknown'),
      replicas: Number(info.get('connected_slaves') ?? 0),
      memoryBytes: Number(info.get('used_memory') ?? 0),
    };
    this.#facts.set(shard, facts);
    const { log, waitReplicas } = this.#options;
    if (!facts.appendOnly) {
      log.warn('redis_not_append_only', {
        shard,
        master: link.address,
        hint: 'a restart of this Redis loses what it acknowledged: set appendonly yes',
      });
    }
    if (waitReplicas < facts.replicas) {
      log.warn('redis_wait_too_small', {
        shard,
        replicas: facts.replicas,
        redisWait: waitReplicas,
        hint: 'a fail-over may lose acknowledged events: set --redis-wait to the number of replicas',
      });
    }
  }

  /** What the store was made for is written at its first use, and compared ever after. */
  async #checkMeta(shard: string, link: Link): Promise<void> {
    const ours: Record<string, string> = {
      format: storeFormat,
      hash: bucketHash,
      buckets: String(this.#options.bucketCount),
      range: this.#topology.bucketsOf(shard),
    };
    for (const [field, value] of Object.entries(ours)) {
      const get = () => link.command('HGET', this.#keys.control.meta, field);
      let found = await get();
      // Only where it is missing: a Redis that is out of memory refuses this, and must be connected to all the same.
      if (found === null) {
        await link.command('HSETNX', this.#keys.control.meta, field, value);
        found = await get();
      }
      if (found === value) continue;
      throw new TabaError(
        'store_mismatch',
        `${shard} at ${link.address} (prefix ${this.#keys.prefix}) was made for ${field} ${found}, the settings say ${value}`,
      );
    }
    await this.#learnCreation(link);
  }

  /** When the store was first used, by the clock of its Redis. */
  async #learnCreation(link: Link): Promise<void> {
    const { meta } = this.#keys.control;
    let found = await link.command('HGET', meta, 'created');
    if (found === null) {
      const [seconds] = (await link.command('TIME')) as unknown[];
      await link.command('HSETNX', meta, 'created', String(Number(seconds) * 1000));
      found = await link.command('HGET', meta, 'created');
    }
    this.#createdAtMs = Math.min(this.#createdAtMs, Number(found));
  }

  /** When the first shard was first used, ms UTC. */
  get createdAtMs(): number {
    return Number.isFinite(this.#createdAtMs) ? this.#createdAtMs : 0;
  }

  async #checkPolicy(shard: string, link: Link, info: ReadonlyMap<string, string>): Promise<void> {
    const policy = info.get('maxmemory_policy') ?? (await setting(link, 'maxmemory-policy', 'noeviction'));
    if (policy === 'noeviction') return;
    throw new TabaError(
      'bad_setting',
      `${shard} at ${link.address} has maxmemory-policy ${policy}, which throws States away; it must be noeviction`,
    );
  }

  /** A shard that is none any more. */
  forget(shard: string): void {
    this.#facts.delete(shard);
  }

  /** Memory of all masters, as of their last greeting. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const facts of this.#facts.values()) bytes += facts.memoryBytes;
    return bytes;
  }

  /** R4 in words: what an acknowledgement is worth. */
  get durability(): string {
    const { waitReplicas } = this.#options;
    const facts = [...this.#facts];
    const replicas = Math.max(0, ...facts.map(([, { replicas: count }]) => count));
    const confirmed =
      waitReplicas === 0
        ? 'each write is in the memory of its master before it is answered'
        : `each write is confirmed by ${waitReplicas} replica${waitReplicas === 1 ? '' : 's'} before it is answered`;
    const warnings: string[] = [];
    if (waitReplicas < replicas) warnings.push('a fail-over may lose acknowledged events');
    const volatile = facts.filter(([, { appendOnly }]) => !appendOnly).map(([shard]) => shard);
    if (volatile.length > 0) {
      warnings.push(
        `a restart in place loses acknowledged events (appendonly is off: ${volatile.join(', ')})`,
      );
    } else if (facts.some(([, { appendFsync }]) => appendFsync !== 'always')) {
      warnings.push('a power cut, or a restart in place after one, may lose the last second');
    }
    return [confirmed, ...warnings].join('; ');
  }
}

/** A setting of Redis; where CONFIG is not permitted, what is said instead. */
async function setting(link: Link, name: string, otherwise: string): Promise<string> {
  try {
    const answer = (await link.command('CONFIG', 'GET', name)) as string[];
    return answer[1] ?? otherwise;
  } catch {
    return otherwise;
  }
}

function parseInfo(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}
