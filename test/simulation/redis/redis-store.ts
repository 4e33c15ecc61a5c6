import type { BucketIndex, HeadToken } from '../../../src/core/ids.js';
import type { Clock } from '../../../src/runtime/clock.js';
import { asPortFault } from '../../../src/storage/redis/faults.js';
import type { SharedStore } from '../../../src/storage/redis/redis-store.js';
import { Shard } from '../../../src/storage/redis/shard.js';
import type { Acquired, JournalEntry } from '../../../src/storage/store.js';
import type { Rule } from '../rules.js';
import { silent } from '../silent.js';
import type { SimNode, World } from '../world.js';
import { type BucketCopy, BucketScripts, cloneCopy, emptyCopy, type Script } from './bucket-scripts.js';
import { type ControlCopy, cloneControl, emptyControl, simCoordination } from './control.js';
import { type Effective, type SimCall, SimLink } from './link.js';
import { SimShard } from './shard.js';
import { simTopology } from './topology.js';

/** What one Redis of a shard holds. */
export interface ShardData {
  readonly buckets: Map<BucketIndex, BucketCopy>;
  readonly control: ControlCopy;
}

export interface SimStoreOptions {
  readonly bucketCount: number;
  readonly shards: number;
  readonly replicas: number;
  /** Replicas that must confirm. */
  readonly waitReplicas: number;
  readonly unknown: number;
  readonly late: number;
  readonly leaseMs: number;
  readonly without: ReadonlySet<Rule>;
  /** A bucket has a new head, durably. */
  fenced(bucket: BucketIndex): void;
}

/** Entries of the tail that one piece has. */
const tailPiece = 2;

/**
 * The shards, and a store on them for every server. Groups of writes, WAIT and what follows from a lost connection are those
 * of the real store; the Redis behind the connections, and its scripts, are simulated.
 */
export class SimStore {
  readonly shards: readonly SimShard<ShardData>[];
  readonly #world: World;
  readonly #options: SimStoreOptions;
  readonly #scripts: BucketScripts;

  constructor(world: World, options: SimStoreOptions) {
    this.#world = world;
    this.#options = options;
    this.#scripts = new BucketScripts(options.without);
    const { shards, replicas } = options;
    this.shards = Array.from({ length: shards }, (_, index) => {
      const data = (): ShardData => this.#emptyData(index);
      return new SimShard(world, { name: `shard${index}`, replicas, data, clone: cloneData });
    });
  }

  #emptyData(shard: number): ShardData {
    const buckets = new Map<BucketIndex, BucketCopy>();
    for (let bucket = 0 as BucketIndex; bucket < this.#options.bucketCount; bucket++) {
      if (this.#shardOf(bucket) === shard) buckets.set(bucket, emptyCopy());
    }
    return { buckets, control: emptyControl() };
  }

  #shardOf(bucket: BucketIndex): number {
    return Math.floor((bucket * this.#options.shards) / this.#options.bucketCount);
  }

  /** Nothing is frozen, and there is memory. */
  heal(): void {
    for (const shard of this.shards) shard.heal();
  }

  /** The store of one life of a server. @throws when a shard is not to be had */
  async open(node: SimNode, clock: Clock): Promise<SharedStore> {
    const topology = simTopology({
      world: this.#world,
      shards: this.shards as unknown as readonly SimShard<never>[],
      node,
      shardOf: (bucket) => this.#shardOf(bucket),
    });
    const shards = this.shards.map((shard) => this.#shard(shard, node, clock, topology));
    topology.onMove((name, to) => shards.find((shard) => shard.name === name)?.moved(to));
    await Promise.all(shards.map((shard) => shard.open()));
    return this.#store(node, shards);
  }

  #shard(
    shard: SimShard<ShardData>,
    node: SimNode,
    clock: Clock,
    topology: ReturnType<typeof simTopology>,
  ): Shard {
    const world = this.#world;
    const { waitReplicas, unknown, late, without } = this.#options;
    const faults = { unknown, late, reconnects: without.has('R3-wait') };
    return new Shard({
      ...{ name: shard.name, topology, clock, log: silent, credentials: {} },
      waitReplicas: Math.max(0, waitReplicas - (without.has('R4') ? 1 : 0)),
      greet: async () => {},
      random: () => world.random(),
      open: (at, _credentials, dropped) => {
        return new Promise((resolve, reject) => {
          const connected = (): void => {
            const redis = shard.masterAt(at.host);
            if (redis === undefined) reject(new Error(`${at.host} is no master`));
            else resolve(new SimLink({ world, shard, redis, node, faults, dropped }));
          };
          clock.after(world.delayMs(10), connected);
        });
      },
    });
  }

  #store(node: SimNode, shards: readonly Shard[]): SharedStore {
    const { without, bucketCount, leaseMs, fenced } = this.#options;
    const write = async (script: Script<unknown>): Promise<void> => {
      try {
        await shards[this.#shardOf(script.bucket)]!.write(callOf(script.bucket, script));
      } catch (error) {
        throw asPortFault(script.bucket, error);
      }
    };
    const read = async <T>(script: Script<T>): Promise<T> => {
      try {
        return (await shards[this.#shardOf(script.bucket)]!.run(callOf(script.bucket, script))) as T;
      } catch (error) {
        throw asPortFault(script.bucket, error);
      }
    };
    const scripts = this.#scripts;
    const acquire = async (bucket: BucketIndex): Promise<Acquired> => {
      const token = this.#world.id() as HeadToken;
      this.#world.log(() => `${node.name}: acquires bucket ${bucket} with ${token.slice(0, 4)}`);
      const script = scripts.acquire(bucket, token);
      const call = callOf(bucket, script);
      const shard = shards[this.#shardOf(bucket)]!;
      const facts = (await (without.has('R2-acquire') ? shard.run(call) : shard.write(call, true))) as Omit<
        Acquired,
        'tail'
      >;
      const tail: JournalEntry[] = [];
      const head = { bucket, token: facts.token, n: 0 };
      for (let more = true; more; ) {
        const piece = await read(scripts.tail(head, tail[tail.length - 1]?.position ?? 0, tailPiece));
        tail.push(...piece);
        more = piece.length === tailPiece;
      }
      fenced(bucket);
      return { ...facts, tail };
    };
    const control = shards[0]!;
    return {
      engine: 'redis',
      opened: { bucketCount, createdAtMs: 0, damage: [], durability: 'simulated' },
      coordination: simCoordination({
        world: this.#world,
        leaseMs,
        run: (effective) => {
          const onControl = ({ control: copy }: ShardData): ControlCopy => copy;
          return control.run(callOn(effective, onControl)) as Promise<never>;
        },
      }),
      acquire,
      append: (head, entry) => write(scripts.append(head, entry)),
      setAside: (head, item) => write(scripts.setAside(head, item)),
      readPages: (head, keys) => read(scripts.pages(head, keys)),
      writePages: (head, writes) => {
        this.#world.log(() => {
          const text = writes.map((page) => {
            return `${page.tab} ${page.client || '*'} at ${page.position}${'deleted' in page ? ' deleted' : ''}`;
          });
          return `${node.name}: writes pages ${text.join(', ')}`;
        });
        return write(scripts.writePages(head, writes));
      },
      trim: (head, upTo) => {
        this.#world.log(() => `${node.name}: trims bucket ${head.bucket} up to ${upTo}`);
        return write(scripts.trim(head, upTo));
      },
      forget: (head, producers, horizonMs) => write(scripts.forget(head, producers, horizonMs)),
      listSetAside: async () => [],
      stats: () => ({ journalEntries: 0, journalBytes: 0, pages: 0, bytesOnDisk: 0, commits: 0 }),
      close: async () => {
        await Promise.all(shards.map((shard) => shard.close()));
      },
    };
  }
}

const nothing: readonly never[] = [];

function callOn<C>(effective: Effective<C, unknown>, partOf: (data: ShardData) => C): SimCall<ShardData> {
  const { denyOom, effect } = effective;
  return {
    script: 'append',
    keys: nothing,
    args: nothing,
    effective: {
      denyOom,
      check: (data) => effective.check(partOf(data)),
      effect: effect === undefined ? undefined : (data) => effect(partOf(data)),
      result: (data) => effective.result(partOf(data)),
    },
  };
}

function callOf(bucket: BucketIndex, script: Script<unknown>): SimCall<ShardData> {
  return callOn(script, ({ buckets }) => buckets.get(bucket)!);
}

function cloneData({ buckets, control }: ShardData): ShardData {
  const copies = new Map<BucketIndex, BucketCopy>();
  for (const [bucket, copy] of buckets) copies.set(bucket, cloneCopy(copy));
  return { buckets: copies, control: cloneControl(control) };
}
