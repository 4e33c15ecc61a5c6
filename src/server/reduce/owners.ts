import type { Answer, Block } from '../../core/block.js';
import { bucketOf } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, ClientId, TabName, TabType } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { Store } from '../../storage/store.js';
import { type AsideItem, listAside } from './aside.js';
import { OwnerBooks } from './books.js';
import { BucketOwner } from './bucket-owner.js';
import { Capacity } from './capacity.js';
import type { AppliedMoment, BucketContext } from './context.js';
import { BucketLost, type OwnerState } from './held-bucket.js';
import { check, type Finding, upgrade } from './inspection.js';
import { deleteTabs, forgetProducers, type Pruned, prune, recompute } from './maintenance.js';
import { readTab, type TabSnapshot, type TabView, viewTab } from './reading.js';

export interface OwnersOptions {
  readonly store: Store;
  readonly registry: HandlerRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Pick<Limits, 'maxTabs' | 'maxClients' | 'allowedSkewSec'>;
  /** Who acquires, for people. */
  readonly ownerId: string;
  readonly checkpointIntervalMs: number;
  readonly pruneClientSec: number;
  readonly pruneTabSec: number;
  /** Producers silent for longer are forgotten (R11). Default 7 days. */
  readonly forgetProducerMs?: number;
  /** States kept in memory; more go when they are written down. Default: no bound. */
  readonly maxStatesInMemory?: number;
  /** Pause before the next acquisition, after that many failures in a row. Default: 50 ms doubling up to 2 s, with jitter. */
  backoffMs?(failures: number): number;
  /** An entry was applied; for measuring latency. */
  onApplied?(moment: AppliedMoment): void;
}

export interface OwnedTab {
  readonly tab: TabName;
  readonly type: TabType;
  readonly bucket: BucketIndex;
  readonly clients: Iterable<ClientId>;
}

export interface OwnersStats {
  readonly buckets: Readonly<Record<OwnerState, number>>;
  readonly tabs: number;
  readonly clients: number;
  readonly statesInMemory: number;
  readonly pendingBlocks: number;
  /** How long the oldest Block has been waiting to be durable and applied; 0 for none. */
  readonly oldestPendingMs: number;
  readonly dirtyBuckets: number;
}

/** Buckets that are worked on at once by the background. */
const parallelBuckets = 8;

/** All buckets that this process owns, and what goes on with them in the background. An idle bucket costs a few small objects. */
export class Owners {
  readonly books = new OwnerBooks();
  readonly #options: OwnersOptions;
  readonly #context: BucketContext;
  readonly #capacity: Capacity;
  readonly #owners = new Map<BucketIndex, BucketOwner>();
  readonly #dirty = new Set<BucketOwner>();
  #callOff: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(options: OwnersOptions) {
    const { store, registry, clock, log, ownerId, limits, onApplied } = options;
    const { maxStatesInMemory = Number.POSITIVE_INFINITY, backoffMs = defaultBackoffMs } = options;
    this.#options = options;
    this.#capacity = new Capacity(limits, maxStatesInMemory);
    this.#context = {
      ...{ store, registry, clock, log, ownerId, backoffMs, books: this.books, capacity: this.#capacity },
      allowedSkewSec: limits.allowedSkewSec,
      retryAfterMs: 100,
      changed: (bucket) => this.#changed(bucket),
      ...(onApplied === undefined ? {} : { onApplied }),
    };
  }

  /** Acquires buckets, all of the store's unless named, and begins the background. Resolves when they serve. */
  async start(buckets?: Iterable<BucketIndex>): Promise<void> {
    if (this.#callOff === undefined) this.#schedule();
    await this.acquire(
      buckets ?? Array.from({ length: this.bucketCount }, (_, index) => index as BucketIndex),
    );
  }

  get bucketCount(): number {
    return this.#options.store.opened.bucketCount;
  }

  /** Begins to own more buckets; resolves when they serve. */
  async acquire(buckets: Iterable<BucketIndex>): Promise<void> {
    await Promise.all(
      [...buckets].map((bucket) => {
        const owner = this.#owners.get(bucket) ?? new BucketOwner(bucket, this.#context);
        this.#owners.set(bucket, owner);
        return owner.start();
      }),
    );
  }

  /** Hands buckets over: what is under way is finished and written down first. */
  async release(buckets: Iterable<BucketIndex>): Promise<void> {
    await Promise.all(
      [...buckets].map(async (bucket) => {
        const owner = this.#owners.get(bucket);
        await owner?.release();
        if (owner !== undefined) this.#dirty.delete(owner);
        if (this.#owners.get(bucket) === owner) this.#owners.delete(bucket);
      }),
    );
  }

  /** Never rejects. */
  take(block: Block): Promise<Answer> {
    return this.#owners.get(block.bucket)?.take(block) ?? Promise.resolve({ kind: 'not_owner' });
  }

  owns(bucket: BucketIndex): boolean {
    return this.#owners.get(bucket)?.state === 'serving';
  }

  stateOf(bucket: BucketIndex): OwnerState {
    return this.#owners.get(bucket)?.state ?? 'idle';
  }

  /** Tabs of the buckets served at the moment, as far as anything of them is applied. */
  *tabs(): Iterable<OwnedTab> {
    for (const owner of this.#serving()) {
      const { states } = owner;
      for (const tabSlots of states.tabs()) {
        if (![...tabSlots.slots.values()].some(({ position }) => position > 0)) continue;
        const { tab, type } = tabSlots;
        yield { tab, type, bucket: owner.bucket, clients: states.clientsOf(tabSlots) };
      }
    }
  }

  clients(): ClientId[] {
    return [...this.#capacity.clientIds()].sort();
  }

  typeOf(tab: TabName): TabType | undefined {
    return this.#owners.get(bucketOf(tab, this.bucketCount))?.states.tab(tab)?.type;
  }

  /** @throws TabaError `unavailable` when the bucket is not served at the moment */
  readTab(tab: TabName, clients: 'all' | readonly ClientId[] = 'all'): Promise<TabSnapshot | undefined> {
    return available(readTab(this.#ownerOf(tab), tab, clients));
  }

  /** Like `readTab`, without copies: `view` gets the owner's own States, for as long as it runs. */
  viewTab<T>(
    tab: TabName,
    clients: 'all' | readonly ClientId[],
    view: (tab: TabView) => T,
  ): Promise<T | undefined> {
    return available(viewTab(this.#ownerOf(tab), tab, clients, view));
  }

  #ownerOf(tab: TabName): BucketOwner {
    const bucket = bucketOf(tab, this.bucketCount);
    const owner = this.#owners.get(bucket);
    if (owner?.state === 'serving') return owner;
    throw new TabaError('unavailable', `bucket ${bucket} of tab ${tab} is not served at the moment`);
  }

  /** Writes down what changed, in all buckets. Buckets that are lost meanwhile are left to the next round. */
  checkpoint(): Promise<void> {
    return this.#each(this.#dirty, async (owner) => {
      this.#dirty.delete(owner);
      await owner.checkpoint();
      if (owner.isDirty) this.#dirty.add(owner);
    });
  }

  /** Forgets idle clients, idle tabs and silent producers. */
  async prune(nowMs = this.#options.clock.nowMs()): Promise<Pruned & { readonly producers: number }> {
    const { pruneClientSec, pruneTabSec, forgetProducerMs = 7 * 24 * 3_600_000 } = this.#options;
    const options = { nowMs, clientIdleSec: pruneClientSec, tabIdleSec: pruneTabSec };
    let [tabs, clients, producers] = [0, 0, 0];
    await this.#each(this.#serving(), async (owner) => {
      const pruned = await prune(owner, options);
      const forgotten = await forgetProducers(owner, nowMs - forgetProducerMs);
      tabs += pruned.tabs;
      clients += pruned.clients;
      producers += forgotten;
    });
    return { tabs, clients, producers };
  }

  /** @returns how many of the tabs there were @throws TabaError `unavailable` when a bucket is not served: nothing of it was deleted */
  async deleteTabs(tabs: readonly TabName[]): Promise<number> {
    const byOwner = new Map<BucketOwner, TabName[]>();
    for (const tab of tabs) {
      const owner = this.#ownerOf(tab);
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), tab]);
    }
    let deleted = 0;
    for (const [owner, its] of byOwner) deleted += await available(deleteTabs(owner, its));
    return deleted;
  }

  /** @param only these tabs; default: all of the buckets served @returns how many there were */
  async recompute(only?: readonly TabName[]): Promise<number> {
    const wanted = only === undefined ? undefined : new Set(only);
    let tabs = 0;
    await this.#each(this.#serving(), async (owner) => {
      // Added after the wait: other buckets add to it meanwhile.
      const recomputed = await recompute(owner, wanted);
      tabs += recomputed;
    });
    return tabs;
  }

  async upgrade(): Promise<number> {
    let pages = 0;
    await this.#each(this.#serving(), async (owner) => {
      const upgraded = await upgrade(owner);
      pages += upgraded;
    });
    return pages;
  }

  async check(options: { readonly repair: boolean }): Promise<Finding[]> {
    const findings: Finding[] = [];
    await this.#each(this.#serving(), async (owner) => {
      findings.push(...(await check(owner, options.repair)));
    });
    return findings;
  }

  /** What could not be applied, in the buckets served here: it lies in the store, with its reason. */
  async setAside(): Promise<readonly AsideItem[]> {
    const items = await Promise.all(
      this.#serving().map(({ bucket }) => listAside(this.#options.store, bucket)),
    );
    return items.flat();
  }

  stats(): OwnersStats {
    const buckets = { idle: 0, acquiring: 0, serving: 0, leaving: 0 };
    let pendingBlocks = 0;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const owner of this.#owners.values()) {
      buckets[owner.state]++;
      pendingBlocks += owner.pendingBlocks;
      oldestMs = Math.min(oldestMs, owner.oldestPendingMs ?? Number.POSITIVE_INFINITY);
    }
    const { tabs, clients, states } = this.#capacity;
    const oldestPendingMs = Math.max(0, this.#options.clock.nowMs() - oldestMs);
    const dirtyBuckets = this.#dirty.size;
    return { buckets, tabs, clients, statesInMemory: states, pendingBlocks, oldestPendingMs, dirtyBuckets };
  }

  /** Hands everything over. Blocks are answered `not_owner` from here on. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff?.();
    await this.release([...this.#owners.keys()]);
    await this.#round;
  }

  #serving(): BucketOwner[] {
    return [...this.#owners.values()].filter(({ state }) => state === 'serving');
  }

  #changed(bucket: BucketIndex): void {
    const owner = this.#owners.get(bucket);
    if (owner === undefined) return;
    this.#dirty.add(owner);
    const excess = this.#capacity.states - this.#capacity.maxStates;
    if (excess > 0) this.#evict(owner, excess);
  }

  /** Makes room: first in other buckets, which are colder. What is not written down yet has to be, before. */
  #evict(busy: BucketOwner, excess: number): void {
    let left = excess;
    for (const owner of this.#owners.values()) {
      if (owner !== busy && left > 0) left -= owner.evict(left);
    }
    if (left > 0) left -= busy.evict(left);
    if (left > 0 && this.#round === undefined) void this.#checkpointRound();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#callOff = this.#options.clock.after(this.#options.checkpointIntervalMs, () => {
      void this.#checkpointRound().then(() => this.#schedule());
    });
  }

  #checkpointRound(): Promise<void> {
    this.#round ??= this.checkpoint().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** A bucket that is lost meanwhile is acquired again, and its turn comes again. */
  async #each(owners: Iterable<BucketOwner>, action: (owner: BucketOwner) => Promise<void>): Promise<void> {
    const waiting = [...owners];
    const work = async (): Promise<void> => {
      for (let owner = waiting.shift(); owner !== undefined; owner = waiting.shift()) {
        try {
          await action(owner);
        } catch (error) {
          this.#options.log.debug('bucket_work_failed', { bucket: owner.bucket, reason: String(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: parallelBuckets }, work));
  }
}

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TabaError || !(error instanceof BucketLost)) throw error;
    throw new TabaError('unavailable', error.message);
  }
}

function defaultBackoffMs(failures: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random());
}
