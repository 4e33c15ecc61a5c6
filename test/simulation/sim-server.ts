import type { Answer, Block } from '../../src/core/block.js';
import type { BucketIndex, ProducerId, TabName } from '../../src/core/ids.js';
import type { PartMap } from '../../src/core/parts.js';
import type { FrameLinkEvents } from '../../src/transport/frame-link.js';
import type { Cluster } from './cluster.js';
import { bucketOfTab, tabs } from './payload.js';
import { leaseMs, ServerProcess } from './server-process.js';
import { tracedLog } from './silent.js';
import { SimNode } from './world.js';

/** How a raw body ended. */
export type Posted = 'counted' | 'given up' | 'dropped';

const keyedWithinMs = 1500;

/** A server, through all of its lives. */
export class SimServer {
  readonly node: SimNode;
  readonly address: string;
  readonly #cluster: Cluster;
  #process: ServerProcess | undefined;
  #weight = 1;

  constructor(index: number, cluster: Cluster) {
    this.address = `server${index}`;
    this.node = new SimNode(this.address);
    this.#cluster = cluster;
  }

  /** A new process; one that does not come up is started again. */
  async start(): Promise<void> {
    const { world, store } = this.#cluster;
    const { node, address } = this;
    const { life } = node;
    const clock = world.clock(node);
    try {
      const opened = await store.open(node, clock);
      if (node.life !== life) return;
      const weight = (): number => this.#weight;
      const log = tracedLog(world, address);
      this.#process = new ServerProcess({
        cluster: this.#cluster,
        node,
        address,
        clock,
        log,
        store: opened,
        weight,
      });
      await this.#process.start();
    } catch (error) {
      if (node.life !== life) return;
      world.log(() => `${address}: does not start: ${error}`);
      this.#end();
    }
  }

  #end(): void {
    const { world, network } = this.#cluster;
    this.node.life++;
    this.#process = undefined;
    network.died(this.node);
    world.after(30 + world.delayMs(300), () => void this.start());
  }

  get events(): FrameLinkEvents | undefined {
    return this.#process?.links;
  }

  get idle(): boolean {
    const process = this.#process;
    return process?.producer.bufferedEvents === 0 && process.bodiesUnderWay === 0;
  }

  /** What the books of this life are out by: zeros. */
  get balances(): number[] {
    const process = this.#process;
    return process === undefined ? [] : [process.owners.books.balance, process.producer.account.balance];
  }

  /** The process as it lives now. */
  get process(): ServerProcess | undefined {
    return this.#process;
  }

  take(block: Block): Promise<Answer> {
    return this.#process?.router.take(block) ?? new Promise(() => {});
  }

  crash(): void {
    if (this.#process === undefined) return;
    this.#cluster.world.log(() => `${this.address}: dies`);
    this.#end();
  }

  /** SIGTERM: hands over what it owns, and ends when that is done, or when its time is up. */
  drain(): void {
    const process = this.#process;
    if (process === undefined || process.isStopping) return;
    this.#cluster.world.log(() => `${this.address}: drains`);
    void process.stop().then(() => {
      if (this.#process === process) this.crash();
    });
  }

  /** Stands still: for a moment, or for so long that the others take it for dead. */
  freeze(): void {
    const { world, network } = this.#cluster;
    const forMs = world.chance(0.3) ? leaseMs * (1 + 2 * world.random()) : world.delayMs(500);
    // It never thaws before its time: what came meanwhile waits until then.
    this.node.frozenUntilMs = Math.max(this.node.frozenUntilMs, world.nowMs + forMs);
    network.frozen(this.node, forMs, 2 * leaseMs);
    world.log(() => `${this.address}: frozen until ${this.node.frozenUntilMs.toFixed(1)} ms`);
  }

  /** It is to have more buckets, fewer, or none. */
  weigh(weight: number): void {
    this.#weight = weight;
    this.#cluster.world.log(() => `${this.address}: weighs ${weight}`);
  }

  /** Somebody runs `gc`: forgets idle clients, idle tabs and silent producers. */
  prune(): void {
    const pruned = this.#cluster.profile.pruneTabs > 0 ? tabs : [];
    void this.#deletes(pruned, (process) => process.work({ work: 'prune' }));
  }

  deleteTabs(deleted: readonly TabName[]): void {
    void this.#deletes(deleted, (process) => process.work({ work: 'delete', tabs: deleted }));
  }

  recompute(): void {
    void this.#process?.work({ work: 'recompute' });
  }

  async #deletes(
    deleted: readonly TabName[],
    begin: (process: ServerProcess) => ReturnType<ServerProcess['work']>,
  ): Promise<void> {
    const { ledger, world } = this.#cluster;
    const process = this.#process;
    if (process === undefined) return;
    world.log(() => `${this.address}: may delete ${deleted.join(', ')}`);
    ledger.deletionBegins(deleted);
    const { undone } = await begin(process);
    const failed = new Set(undone.map(({ bucket }) => bucket));
    for (const tab of deleted) ledger.deletionEnds(tab, !failed.has(bucketOfTab(tab)));
  }

  /** A raw body (R12): `settled` when every bucket acknowledged. With a key, the numbers come from the key. */
  post(parts: PartMap, key: ProducerId | undefined, settled: (outcome: Posted) => void): void {
    const process = this.#process;
    if (process === undefined || process.isStopping) return;
    let tell = settled;
    if (this.#cluster.without.has('R12')) {
      settled('counted');
      tell = () => {};
    }
    if (key === undefined) {
      void process.producer.deliver(parts).then(({ dropped }) => {
        this.#cluster.world.log(() => `${this.address}: a body without a key is ${dropped ?? 'counted'}`);
        tell(dropped === undefined ? 'counted' : 'dropped');
      });
      return;
    }
    process.bodiesUnderWay++;
    process.keyed
      .deliver(key, parts, keyedWithinMs)
      .then(
        () => tell('counted'),
        () => tell('given up'),
      )
      .finally(() => process.bodiesUnderWay--);
  }

  /** Whoever serves the bucket here, by the assignment that the store has. */
  serves(bucket: BucketIndex): boolean {
    const { control } = this.#cluster.store.shards[0]!.master.data;
    const assigned = control.assignment?.owners[bucket];
    return assigned === this.#process?.id && this.#process?.serving(bucket) !== undefined;
  }
}
