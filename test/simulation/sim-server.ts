import { createHash } from 'node:crypto';
import type { Answer, Block } from '../../src/core/block.js';
import type { BucketIndex, ProducerId } from '../../src/core/ids.js';
import type { PartMap } from '../../src/core/parts.js';
import type { SettledParts } from '../../src/core/producer/waiter.js';
import { OwnerBooks } from '../../src/server/reduce/books.js';
import type { BucketOwner } from '../../src/server/reduce/bucket-owner.js';
import { Capacity } from '../../src/server/reduce/capacity.js';
import type { BucketContext } from '../../src/server/reduce/context.js';
import { forgetProducers, recompute } from '../../src/server/reduce/maintenance.js';
import { BlockSender } from './block-sender.js';
import { type Cluster, silent } from './cluster.js';
import { makeOwner } from './mutants.js';
import { bucketCount, registry } from './payload.js';
import { epochMs, SimNode } from './world.js';

export const forgetAfterMs = 4000;

/** A server of all roles: owns buckets, and takes raw posts as a producer of its own. */
export class SimServer {
  readonly node: SimNode;
  readonly index: number;
  readonly #cluster: Cluster;
  #owners = new Map<BucketIndex, BucketOwner>();
  #context: BucketContext;
  #senders = new Set<BlockSender>();
  #alive = true;

  constructor(index: number, cluster: Cluster) {
    this.index = index;
    this.node = new SimNode(`server${index}`);
    this.#cluster = cluster;
    this.#context = this.#newContext();
    this.#begin();
  }

  #newContext(): BucketContext {
    const { world, store, profile } = this.#cluster;
    return {
      ...{ store: store.connect(this.node), registry, clock: world.clock(this.node), log: silent },
      ...{ books: new OwnerBooks(), ownerId: this.node.name, allowedSkewSec: 10, retryAfterMs: 50 },
      capacity: new Capacity({ maxTabs: 100, maxClients: 100 }, { maxStates: profile.maxStates }),
      backoffMs: (failures) => 20 * 2 ** Math.min(failures, 5) * (0.5 + world.random()),
      loaded: () => {},
      changed: (bucket) => {
        const { capacity } = this.#context;
        if (capacity.states > capacity.maxStates)
          this.#owners.get(bucket)?.evict(capacity.states - capacity.maxStates);
      },
    };
  }

  #begin(): void {
    this.#alive = true;
    this.#adopt();
    this.#checkpoints();
    this.#sends();
  }

  get books(): OwnerBooks {
    return this.#context.books;
  }

  get idle(): boolean {
    return [...this.#senders].every(({ producer }) => producer.bufferedEvents + producer.openBlocks === 0);
  }

  get balances(): number[] {
    return [this.books.balance, ...[...this.#senders].map(({ producer }) => producer.books().balance)];
  }

  owner(bucket: BucketIndex): BucketOwner | undefined {
    return this.#owners.get(bucket);
  }

  /** Learns the assignment: begins to own, and hands over. */
  learn(): void {
    if (this.#alive) this.#adopt();
  }

  #adopt(): void {
    for (let bucket = 0 as BucketIndex; bucket < bucketCount; bucket++) {
      const mine = this.#cluster.assigned[bucket] === this.index;
      const owner = this.#owners.get(bucket);
      if (mine && owner === undefined) {
        const fresh = makeOwner(this.#cluster.without, bucket, this.#context);
        this.#owners.set(bucket, fresh);
        void fresh.start();
      } else if (!mine && owner !== undefined) {
        this.#owners.delete(bucket);
        void owner.release();
      }
    }
  }

  take(block: Block): Promise<Answer> {
    return this.#owners.get(block.bucket)?.take(block) ?? Promise.resolve({ kind: 'not_owner' });
  }

  crash(): void {
    if (!this.#alive) return;
    const { world } = this.#cluster;
    world.log(() => `${this.node.name}: dies`);
    this.node.life++;
    this.#alive = false;
    this.#owners = new Map();
    this.#senders = new Set();
    this.#context = this.#newContext();
    world.after(30 + world.delayMs(300), () => this.#begin());
  }

  /** SIGTERM: hands over what it owns, and ends when that is done, or when its time is up. */
  drain(): void {
    if (!this.#alive) return;
    const { world } = this.#cluster;
    world.log(() => `${this.node.name}: drains`);
    const { life } = this.node;
    const end = (): void => {
      if (this.node.life === life) this.crash();
    };
    void Promise.all([...this.#owners.values()].map((owner) => owner.release())).then(end);
    world.after(world.delayMs(400), end);
  }

  #checkpoints(): void {
    const { world, profile } = this.#cluster;
    for (const owner of this.#owners.values()) {
      if (owner.isDirty && world.chance(0.7)) owner.checkpoint().catch(() => {});
      if (world.faults && world.chance(profile.recompute)) recompute(owner).catch(() => {});
      if (world.faults && world.chance(profile.forget)) {
        const beforeMs = epochMs + world.nowMs - forgetAfterMs;
        forgetProducers(owner, beforeMs).catch(() => {});
      }
    }
    world.after(80 + world.delayMs(80), () => this.#checkpoints(), this.node);
  }

  #sends(): void {
    for (const sender of this.#senders) sender.resend();
    this.#cluster.world.after(300, () => this.#sends(), this.node);
  }

  /** A raw body (R12): `settled` when every bucket acknowledged. With a key, the numbers come from the key. */
  post(
    parts: PartMap,
    keyed: { key: string; birthMs: number } | undefined,
    settled: (outcome: SettledParts) => void,
  ): void {
    if (!this.#alive) return;
    const options =
      keyed === undefined
        ? {}
        : {
            id: createHash('md5').update(keyed.key).digest('hex') as ProducerId,
            birthMs: keyed.birthMs,
            renewAfterMs: Number.POSITIVE_INFINITY,
          };
    const sender = new BlockSender(this.#cluster, this.node, (action) => action(), options);
    this.#senders.add(sender);
    sender.producer.add(parts, settled);
    sender.flush();
    if (this.#cluster.without.has('R12')) settled({ rejected: [], dropped: undefined });
  }
}
