import { randomBytes } from 'node:crypto';
import { TabaError } from '../../core/errors.js';
import type { BucketIndex, HeadToken, Position, ProducerId } from '../../core/ids.js';
import type { Coordination } from '../coordination.js';
import {
  type Acquired,
  type Head,
  type JournalEntry,
  type OpenReport,
  type Page,
  type PageKey,
  type PageWrite,
  retiredSeq,
  type SetAside,
  type Store,
  type StoreFinding,
  type StoreStats,
} from '../store.js';
import type { Credentials } from './connection.js';
import { examineShard } from './examine.js';
import { asPortFault } from './faults.js';
import { decodeAside, decodeEntry, encodeAside, encodeEntry } from './journal-codec.js';
import { JournalGauge } from './journal-gauge.js';
import { RedisKeys } from './keys.js';
import { type OpenTopology, openTopology } from './open-topology.js';
import type { RedisStoreOptions } from './options.js';
import { pageFacts, pageField, parseAsideKeys, parseIndex, parseProducers } from './page-codec.js';
import { Preflight } from './preflight.js';
import { RedisCoordination } from './redis-coordination.js';
import type { ScriptCall } from './scripts.js';
import { Shard } from './shard.js';
import type { Topology } from './topology.js';

/** A store that several servers share. */
export type SharedStore = Store & { readonly coordination: Coordination };

/** One read of the journal's tail asks for so much. */
const tailBytesPerRead = 4 * 2 ** 20;

/**
 * Opens the store in Redis: finds every shard, loads the scripts, and checks what each Redis was made for and how it is set.
 *
 * @throws TabaError `store_failed` when a shard is not to be had, `store_mismatch`, `bad_setting`
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<SharedStore> {
  const store = new RedisStore(options, await openTopology(options));
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.close();
    throw error instanceof TabaError ? error : new TabaError('store_failed', (error as Error).message);
  }
}

/**
 * Buckets in Redis masters. Every verb is one script, which checks the head and writes in one step (R1); writes of a shard
 * are gathered into groups, and each group is confirmed by the replicas before anybody hears of it (R2).
 */
class RedisStore implements SharedStore {
  readonly engine = 'redis';
  readonly coordination: Coordination;
  readonly #options: RedisStoreOptions;
  readonly #topology: Topology;
  readonly #credentials: Credentials;
  readonly #keys: RedisKeys;
  readonly #preflight: Preflight;
  readonly #shards = new Map<string, Shard>();
  readonly #journal = new JournalGauge();
  readonly opened: OpenReport;
  #damaged: string[] = [];
  #commitsBefore = 0;
  #closed = false;

  constructor(options: RedisStoreOptions, { topology, credentials }: OpenTopology) {
    this.#options = options;
    this.#topology = topology;
    this.#credentials = credentials;
    this.#keys = new RedisKeys(options.prefix);
    this.#preflight = new Preflight(options, topology, this.#keys);
    this.opened = this.#report();
    this.coordination = new RedisCoordination({
      keys: this.#keys.control,
      leaseMs: options.leaseMs,
      run: (call) => this.#shard(topology.controlShard).run(call),
    });
    topology.onMove((shard, to) => this.#shards.get(shard)?.moved(to));
    topology.onReshape?.(() => this.#reshape());
  }

  /** @throws when a shard is not to be had */
  async open(): Promise<void> {
    const opened = this.#topology.shards.map(async (name) => {
      try {
        await this.#shard(name).open();
      } catch (error) {
        if (error instanceof TabaError) throw error;
        throw new TabaError('store_failed', `${name}: ${(error as Error).message}`);
      }
    });
    await Promise.all(opened);
  }

  #shard(name: string): Shard {
    let shard = this.#shards.get(name);
    if (shard === undefined) {
      const { waitReplicas, clock, log } = this.#options;
      shard = new Shard({
        ...{ name, topology: this.#topology, waitReplicas, clock, log },
        credentials: this.#credentials,
        greet: (link) => this.#preflight.greet(name, link),
      });
      this.#shards.set(name, shard);
    }
    return shard;
  }

  /** Other masters hold the buckets: what is under way with those that went has an unknown outcome. */
  #reshape(): void {
    const present = new Set(this.#topology.shards);
    for (const [name, shard] of this.#shards) {
      if (present.has(name)) continue;
      this.#shards.delete(name);
      this.#preflight.forget(name);
      this.#commitsBefore += shard.commits;
      shard.end('it is no master of the Redis Cluster any more');
    }
    this.#options.log.warn('redis_cluster_changed', { masters: [...present] });
    if (!this.#closed) for (const name of present) this.#shard(name).connectSoon();
  }

  #shardOf(bucket: BucketIndex): Shard {
    if (!(bucket >= 0 && bucket < this.#options.bucketCount))
      throw new TabaError('internal', `no bucket ${bucket}`);
    return this.#shard(this.#topology.shardOf(bucket));
  }

  /** What holds now: another master may have other settings. */
  #report(): OpenReport {
    const damaged = (): readonly string[] => this.#damaged;
    const preflight = this.#preflight;
    return {
      bucketCount: this.#options.bucketCount,
      get createdAtMs() {
        return preflight.createdAtMs;
      },
      get damage() {
        return damaged();
      },
      get durability() {
        return preflight.durability;
      },
    };
  }

  async #write(head: Head, call: ScriptCall): Promise<unknown> {
    try {
      return await this.#shardOf(head.bucket).write(call);
    } catch (error) {
      throw asPortFault(head.bucket, error);
    }
  }

  async acquire(bucket: BucketIndex, owner: string): Promise<Acquired> {
    const keys = this.#keys.bucket(bucket);
    const token = randomBytes(16).toString('hex') as HeadToken;
    const shard = this.#shardOf(bucket);
    const answer = (await shard.write(
      {
        script: 'acquire',
        keys: [keys.head, keys.producers, keys.index, keys.asideKeys],
        args: [token, owner],
      },
      true,
    )) as [string | null, string | null, string | null, string, string, string];
    const [last, trimmed, horizon, producers, index, aside] = answer;
    const lastPosition = Number(last ?? 0) as Position;
    const trimmedUpTo = Number(trimmed ?? 0) as Position;
    const pages = parseIndex(index);
    const tail = await this.#tail(bucket, token, trimmedUpTo, lastPosition);
    this.#journal.acquired(bucket, { tail, pages: pages.length });
    return {
      token,
      tail,
      lastPosition,
      producers: parseProducers(producers),
      forgetHorizonMs: Number(horizon ?? 0),
      pages,
      setAside: parseAsideKeys(aside, trimmedUpTo),
    };
  }

  async #tail(
    bucket: BucketIndex,
    token: HeadToken,
    trimmedUpTo: Position,
    lastPosition: Position,
  ): Promise<JournalEntry[]> {
    const { head, journal } = this.#keys.bucket(bucket);
    const tail: JournalEntry[] = [];
    let next = trimmedUpTo + 1;
    while (next <= lastPosition) {
      const args = [token, String(next), String(lastPosition), String(tailBytesPerRead)];
      const entries = (await this.#read(bucket, {
        script: 'read-tail',
        keys: [head, journal],
        args,
      })) as (Uint8Array | null)[];
      for (const [index, bytes] of entries.entries()) {
        const entry = this.#decoded(bucket, next + index, bytes);
        if (entry !== undefined) tail.push(entry);
      }
      next += entries.length;
    }
    return tail;
  }

  /** Damage is named, and stops nothing: what it stood for is lost. */
  #decoded(bucket: BucketIndex, position: number, bytes: Uint8Array | null): JournalEntry | undefined {
    try {
      if (bytes === null) throw new TabaError('corrupt', 'it is missing');
      const entry = decodeEntry(bytes);
      if (entry.position !== position) throw new TabaError('corrupt', `it says ${entry.position}`);
      return entry;
    } catch (error) {
      const damage = `journal entry ${position} of bucket ${bucket} is lost: ${(error as Error).message}`;
      this.#damaged = [...this.#damaged.slice(-99), damage];
      this.#options.log.error('store_damaged', { damage });
      return undefined;
    }
  }

  async #read(bucket: BucketIndex, call: ScriptCall): Promise<unknown> {
    try {
      return await this.#shardOf(bucket).run(call);
    } catch (error) {
      throw asPortFault(bucket, error);
    }
  }

  async append(head: Head, entry: JournalEntry): Promise<void> {
    const keys = this.#keys.bucket(head.bucket);
    const bytes = encodeEntry(entry);
    const { producer, birthMs, seq, atMs, retires = '' } = entry;
    await this.#write(head, {
      script: 'append',
      keys: [keys.head, keys.journal, keys.producers],
      args: [
        ...expected(head),
        String(entry.position),
        bytes,
        producer,
        String(birthMs),
        String(seq),
        String(atMs),
        retires,
        String(retiredSeq),
      ],
    });
    this.#journal.appended(head.bucket, entry.position, entry.payload.length);
  }

  async setAside(head: Head, item: SetAside): Promise<void> {
    const keys = this.#keys.bucket(head.bucket);
    const { position, tab, client, producer, birthMs, seq, atMs } = item;
    const isBlock = position === 0;
    await this.#write(head, {
      script: 'set-aside',
      keys: [keys.head, keys.aside, keys.asideKeys, keys.producers],
      args: [
        ...expected(head),
        encodeAside(item),
        `${position}\n${tab}\n${client}`,
        isBlock ? producer : '',
        String(birthMs),
        String(seq),
        String(atMs),
      ],
    });
  }

  async readPages(head: Head, keys: readonly PageKey[]): Promise<readonly (Page | undefined)[]> {
    const its = this.#keys.bucket(head.bucket);
    const found = (await this.#read(head.bucket, {
      script: 'read-pages',
      keys: [its.head, its.index, its.pages],
      args: [head.token, ...keys.map(pageField)],
    })) as (Buffer | null)[];
    return keys.map((key, index) => {
      const known = found[2 * index];
      const bytes = found[2 * index + 1];
      if (known == null) return undefined;
      const { tab, client } = key;
      // A copy: the reply is a slice of the connection's buffer, which it would keep alive. Without content it is damaged.
      return { tab, client, ...pageFacts(known.toString('latin1')), bytes: new Uint8Array(bytes ?? []) };
    });
  }

  async writePages(head: Head, writes: readonly PageWrite[]): Promise<void> {
    const keys = this.#keys.bucket(head.bucket);
    const args: (string | Uint8Array)[] = [...expected(head)];
    for (const write of writes) {
      args.push(pageField(write), String(write.position));
      if ('deleted' in write) args.push('', '');
      else args.push(write.type, write.bytes);
    }
    const more = await this.#write(head, {
      script: 'write-pages',
      keys: [keys.head, keys.index, keys.pages],
      args,
    });
    this.#journal.pagesMade(head.bucket, Number(more));
  }

  async trim(head: Head, upTo: Position): Promise<void> {
    const keys = this.#keys.bucket(head.bucket);
    await this.#write(head, {
      script: 'trim',
      keys: [keys.head, keys.journal],
      args: [...expected(head), String(upTo)],
    });
    this.#journal.trimmed(head.bucket, upTo);
  }

  async forget(head: Head, producers: readonly ProducerId[], horizonMs: number): Promise<void> {
    const keys = this.#keys.bucket(head.bucket);
    await this.#write(head, {
      script: 'forget',
      keys: [keys.head, keys.producers],
      args: [...expected(head), String(horizonMs), ...producers],
    });
  }

  released(bucket: BucketIndex): void {
    this.#journal.released(bucket);
  }

  async listSetAside(bucket: BucketIndex): Promise<readonly SetAside[]> {
    const { aside } = this.#keys.bucket(bucket);
    const items = (await this.#shardOf(bucket).commandBuffer('LRANGE', aside, 0, -1)) as Buffer[];
    return items.map((bytes) => decodeAside(new Uint8Array(bytes)));
  }

  async examine(options: { readonly repair: boolean }): Promise<readonly StoreFinding[]> {
    const { bucketCount } = this.#options;
    const findings = this.#topology.shards.map((name) =>
      examineShard({
        shard: this.#shard(name),
        holds: (bucket) => bucket < bucketCount && this.#topology.shardOf(bucket as BucketIndex) === name,
        holdsControl: name === this.#topology.controlShard,
        keys: this.#keys,
        ...options,
      }),
    );
    return (await Promise.all(findings)).flat();
  }

  stats(): StoreStats {
    let commits = this.#commitsBefore;
    let waitingFor: string | undefined;
    for (const shard of this.#shards.values()) {
      commits += shard.commits;
      waitingFor ??= shard.waitingFor;
    }
    const bytesOnDisk = this.#preflight.memoryBytes;
    return { ...this.#journal.totals, bytesOnDisk, commits, ...(waitingFor !== undefined && { waitingFor }) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#shards.values()].map((shard) => shard.close()));
    this.#topology.close();
  }
}

/** The head that a script checks, and what it leaves. */
function expected({ token, n }: Head): [string, string, string] {
  return [token, String(n), String(n + 1)];
}
