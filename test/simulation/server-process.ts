import type { Answer, Block } from '../../src/core/block.js';
import type { BucketIndex, MemberId, ProducerId, TabName } from '../../src/core/ids.js';
import type { Clock } from '../../src/runtime/clock.js';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import type { Log } from '../../src/runtime/log.js';
import { Turn } from '../../src/runtime/turn.js';
import { SharedCluster } from '../../src/server/cluster/shared-cluster.js';
import type { Chore, ChoreDone } from '../../src/server/query/chore.js';
import { Everywhere } from '../../src/server/query/everywhere.js';
import { Gather } from '../../src/server/query/gather.js';
import { Holder } from '../../src/server/query/holder.js';
import { queryQuestions } from '../../src/server/query/questions.js';
import { Scatter } from '../../src/server/query/scatter.js';
import type { Flushes } from '../../src/server/receive/flushes.js';
import { KeyedDelivery } from '../../src/server/receive/keyed-delivery.js';
import { Links } from '../../src/server/receive/links.js';
import { OwnProducer } from '../../src/server/receive/own-producer.js';
import { Router } from '../../src/server/receive/router.js';
import type { BucketOwner } from '../../src/server/reduce/bucket-owner.js';
import { Owners } from '../../src/server/reduce/owners.js';
import type { Member } from '../../src/storage/coordination.js';
import type { SharedStore } from '../../src/storage/redis/redis-store.js';
import type { Hello } from '../../src/wire/frame.js';
import type { Cluster } from './cluster.js';
import { makeOwner } from './mutants.js';
import { bucketCount, encode, registry } from './payload.js';
import { epochMs, type SimNode } from './world.js';

export const heartbeatMs = 200;
export const leaseMs = 700;
/** Producers silent for longer are forgotten. */
export const forgetAfterMs = 4000;
/** Clients and tabs idle for longer are pruned. */
const idleSec = 1;
const drainDeadlineMs = 1500;
const patienceMs = 1500;
const maxResultBytes = 1 << 20;
const maxFrameBytes = 1 << 20;

export interface ServerProcessOptions {
  readonly cluster: Cluster;
  readonly node: SimNode;
  readonly address: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: SharedStore;
  /** Its share of the buckets, as of now. */
  weight(): number;
}

/** One life of a server of all roles: what src/server/server.ts composes, without HTTP. */
export class ServerProcess {
  readonly id: MemberId;
  readonly owners: Owners;
  readonly producer: OwnProducer;
  readonly keyed: KeyedDelivery;
  readonly router: Router;
  readonly links: Links;
  /** Posted bodies with a key that are not settled. */
  bodiesUnderWay = 0;
  readonly #options: ServerProcessOptions;
  readonly #cluster: SharedCluster;
  readonly #gather: Gather;
  readonly #everywhere: Everywhere;
  /** What it holds, or held last. */
  readonly #held = new Map<BucketIndex, BucketOwner>();
  #stopping = false;

  constructor(options: ServerProcessOptions) {
    const { cluster, node, clock, log, store } = options;
    const { world } = cluster;
    this.#options = options;
    this.id = world.id() as MemberId;
    this.owners = this.#newOwners();
    this.#cluster = new SharedCluster({
      ...{ coordination: store.coordination, owners: this.owners, heartbeatMs, leaseMs, maxFrameBytes },
      ...{ clock, log },
      describe: () => this.#describe(),
      hello: () => this.#hello(),
      connect: (url, events) => cluster.network.connect(node, url, events),
    });
    const deliver = (block: Block): Promise<Answer> => this.#cluster.deliver(block);
    this.router = new Router({ deliver, maxPendingBytes: 1 << 20, clock });
    this.producer = new OwnProducer({
      ...{ registry, bucketCount, encode, deliver, clock, newId: () => world.id() as ProducerId },
      limits: { maxOpenBlocksPerBucket: 3 },
      renewAfterMs: 1500,
    });
    this.keyed = new KeyedDelivery({ registry, bucketCount, clock, deliver });
    const { peers } = this.#cluster;
    const { reading, administration } = this.owners;
    const discardPending = (): number => 0;
    const holder = new Holder({ reading, registry, clock, maxExpressionBytes: 1024 });
    const scatter = new Scatter({ peers, clock, patienceMs });
    this.#gather = new Gather({ bucketCount, holder, peers, scatter, registry, clock });
    this.#everywhere = new Everywhere({
      ...{ bucketCount, administration, peers, scatter, clock, discardPending },
    });
    this.links = new Links({
      ...{ router: this.router, own: (block) => this.owners.take(block), clock, log },
      turn: new Turn(clock),
      questions: {
        ...queryQuestions({ holder, administration, registry, discardPending }),
        ...this.#cluster.questions,
      },
      // Nobody pushes flushes to servers here.
      flushes: undefined as unknown as Flushes,
      hello: () => this.#hello(),
    });
  }

  #newOwners(): Owners {
    const { cluster, clock, log, store } = this.#options;
    const { world, profile, without } = cluster;
    return new Owners({
      ...{ store, registry, clock, log, ownerId: this.id },
      limits: { maxTabs: 100, maxClients: 100, allowedSkewSec: 10 },
      // With the few buckets there are here, they have to wait for each other all the same.
      replaysAtOnce: 1,
      checkpointIntervalMs: 60 + world.below(200),
      pruneClientSec: profile.pruneClients > 0 ? idleSec : Number.POSITIVE_INFINITY,
      pruneTabSec: profile.pruneTabs > 0 ? idleSec : Number.POSITIVE_INFINITY,
      forgetProducerMs: profile.forget > 0 ? forgetAfterMs : Number.POSITIVE_INFINITY,
      memory: { maxStates: profile.maxStates },
      backoffMs: (failures) => 20 * 2 ** Math.min(failures, 5) * (0.5 + world.random()),
      assignedPlace: (bucket, mayBeTaken) => this.#cluster.assignedPlace(bucket, mayBeTaken),
      mayRead: () => this.#cluster.mayRead,
      isCurrent: () => this.#cluster.isCurrent,
      hold: (bucket, context) => {
        const owner = makeOwner(without, bucket, context);
        this.#held.set(bucket, owner);
        return owner;
      },
    });
  }

  #describe(): Member {
    const { address, weight } = this.#options;
    return {
      id: this.id,
      address,
      roles,
      version: '1',
      report: nothing,
      weight: weight(),
      leaving: this.#stopping,
    };
  }

  #hello(): Hello {
    const { address, clock } = this.#options;
    return {
      ...{ kind: 'hello', versions: [2], role: 'server', id: this.id, name: address, bucketCount },
      ...{ hash: 'xxh32', generation: 1, maxFrameBytes, maxInFlight: 1000, nowMs: clock.nowMs() },
    };
  }

  /** @throws when the store does not answer */
  start(): Promise<void> {
    return this.#cluster.start();
  }

  /** No raw events are taken any more. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** The bucket, while it is served here. */
  serving(bucket: BucketIndex): BucketOwner | undefined {
    return this.owners.owns(bucket) ? this.#held.get(bucket) : undefined;
  }

  /** What this server answers to `/tabs` for one tab: its State over all clients. @throws TabaError */
  async query(tab: TabName): Promise<unknown> {
    const { cluster } = this.#options;
    const { sum } = await this.#gather.gather({
      ...{ subject: 'sum', tabs: [tab], clients: 'all', form: 'json', partial: false },
      nowSec: (epochMs + cluster.world.nowMs) / 1000,
      maxBytes: maxResultBytes,
      asker: { isAborted: false },
    });
    return sum;
  }

  /** Administration, in all buckets of the cluster. */
  work(chore: Pick<Chore, 'work'> & Partial<Pick<Chore, 'tabs'>>): Promise<ChoreDone> {
    return this.#everywhere.work(chore);
  }

  /** SIGTERM: the steps of src/server/server.ts. */
  async stop(): Promise<void> {
    const { clock, log, store } = this.#options;
    const lifecycle = new Lifecycle({ clock, log });
    this.#stopping = true;
    lifecycle.onStop('store', () => store.close(), drainDeadlineMs);
    lifecycle.onStop('membership', () => this.#cluster.leave(), drainDeadlineMs);
    lifecycle.onStop('owners', () => this.owners.close(), drainDeadlineMs);
    lifecycle.onStop('hand-over', () => this.#cluster.handOver(drainDeadlineMs / 2), drainDeadlineMs);
    lifecycle.onStop('own events', () => this.producer.empty(), drainDeadlineMs);
    await lifecycle.stop();
  }
}

const roles = ['be'] as const;
const nothing = new Uint8Array();
