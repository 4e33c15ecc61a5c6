import { bucketOf } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { BucketIndex, TabName } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Store } from '../../storage/store.js';
import { type AsideItem, listAside } from './aside.js';
import type { BucketOwner } from './bucket-owner.js';
import { eachBucket } from './each-bucket.js';
import type { Holdings } from './holdings.js';
import { check, type Finding, upgrade } from './inspection.js';
import { deleteTabs, forgetProducers, type Pruned, prune, recompute } from './maintenance.js';

/** A bucket where the work was not done, or not to its end, and why. */
export interface Undone {
  readonly bucket: BucketIndex;
  readonly reason: string;
}

/** What work on several buckets came to. Only where `undone` is empty is `outcome` all there was to do. */
export interface Worked<T> {
  readonly outcome: T;
  readonly undone: readonly Undone[];
}

export interface ForgottenCounts extends Pruned {
  readonly producers: number;
}

export interface Checked {
  readonly findings: readonly Finding[];
  readonly setAside: readonly AsideItem[];
}

export interface AdministrationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly pruneClientSec: number;
  readonly pruneTabSec: number;
  /** Producers silent for longer are forgotten (R11). Default 7 days. */
  readonly forgetProducerMs?: number;
}

/**
 * Work on all States of some buckets: those named, or all that are served at the moment. A bucket that is not served, is
 * lost meanwhile or whose store fails does not keep the others from being done, and is named. All of this work may be
 * done again.
 */
export class Administration {
  readonly #options: AdministrationOptions;
  readonly #holdings: Holdings;

  constructor(holdings: Holdings, options: AdministrationOptions) {
    this.#holdings = holdings;
    this.#options = options;
  }

  /** Forgets idle clients, idle tabs and silent producers. */
  async prune(buckets?: Iterable<BucketIndex>): Promise<Worked<ForgottenCounts>> {
    const { pruneClientSec, pruneTabSec, forgetProducerMs = 7 * 24 * 3_600_000 } = this.#options;
    const nowMs = this.#options.clock.nowMs();
    const options = { nowMs, clientIdleSec: pruneClientSec, tabIdleSec: pruneTabSec };
    let [tabs, clients, producers] = [0, 0, 0];
    const undone = await this.#each(buckets, async (owner) => {
      const pruned = await prune(owner, options);
      tabs += pruned.tabs;
      clients += pruned.clients;
      // Added after the wait: other buckets add to it meanwhile.
      const forgotten = await forgetProducers(owner, nowMs - forgetProducerMs);
      producers += forgotten;
    });
    return { outcome: { tabs, clients, producers }, undone };
  }

  /**
   * Deletes whole tabs.
   *
   * @param buckets only the tabs of these; default: all of the tabs @returns how many there were
   */
  async deleteTabs(tabs: Iterable<TabName>, buckets?: Iterable<BucketIndex>): Promise<Worked<number>> {
    const byBucket = new Map<BucketIndex, TabName[]>();
    for (const tab of tabs) {
      const bucket = bucketOf(tab, this.#holdings.bucketCount);
      const its = byBucket.get(bucket);
      if (its === undefined) byBucket.set(bucket, [tab]);
      else its.push(tab);
    }
    let outcome = 0;
    const undone = await this.#each(buckets ?? byBucket.keys(), async (owner) => {
      const its = byBucket.get(owner.bucket);
      const deleted = its === undefined ? 0 : await deleteTabs(owner, its);
      outcome += deleted;
    });
    return { outcome, undone };
  }

  /**
   * Makes States over all clients anew.
   *
   * @param only these tabs of the buckets; default: all @returns how many there were
   */
  async recompute(buckets?: Iterable<BucketIndex>, only?: Iterable<TabName>): Promise<Worked<number>> {
    const wanted = only === undefined ? undefined : new Set(only);
    let outcome = 0;
    const undone = await this.#each(buckets, async (owner) => {
      const recomputed = await recompute(owner, wanted);
      outcome += recomputed;
    });
    return { outcome, undone };
  }

  /** Writes States anew that an older version of their Handler wrote. @returns how many */
  async upgrade(buckets?: Iterable<BucketIndex>): Promise<Worked<number>> {
    let outcome = 0;
    const undone = await this.#each(buckets, async (owner) => {
      const upgraded = await upgrade(owner);
      outcome += upgraded;
    });
    return { outcome, undone };
  }

  /** Looks for damage, and for what could not be applied: that lies in the store, with its reason. */
  async check(
    { repair }: { readonly repair: boolean },
    buckets?: Iterable<BucketIndex>,
  ): Promise<Worked<Checked>> {
    const findings: Finding[] = [];
    const setAside: AsideItem[] = [];
    const undone = await this.#each(buckets, async (owner) => {
      const found = await check(owner, repair);
      const aside = await listAside(this.#options.store, owner.bucket);
      findings.push(...found);
      setAside.push(...aside);
    });
    return { outcome: { findings, setAside }, undone };
  }

  async #each(
    buckets: Iterable<BucketIndex> = this.#holdings.servedBuckets(),
    action: (owner: BucketOwner) => Promise<void>,
  ): Promise<Undone[]> {
    const undone: Undone[] = [];
    const owners: BucketOwner[] = [];
    for (const bucket of buckets) {
      const owner = this.#holdings.serving(bucket);
      if (owner === undefined) undone.push({ bucket, reason: 'it is not served here' });
      else owners.push(owner);
    }
    await eachBucket(owners, {
      clock: this.#options.clock,
      action,
      failed: ({ bucket }, error) => {
        undone.push({ bucket, reason: error instanceof Error ? error.message : String(error) });
      },
    });
    return undone;
  }
}

/** For callers that want everything or an error. @throws TabaError `unavailable`, naming a bucket that was not done and why */
export function allDone<T>({ outcome, undone }: Worked<T>): T {
  const [first] = undone;
  if (first === undefined) return outcome;
  const others = undone.length === 1 ? '' : `, and ${undone.length - 1} others`;
  throw new TabaError('unavailable', `not done in bucket ${first.bucket} (${first.reason})${others}`);
}
