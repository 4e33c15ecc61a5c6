import { bucketOf } from '../../core/buckets.js';
import type { BucketIndex, ClientId, TabName, TabType } from '../../core/ids.js';
import { BucketView } from './bucket-view.js';
import type { Capacity } from './capacity.js';
import type { Holdings } from './holdings.js';

/** Looks at what the buckets that are served here hold. */
export class Reading {
  readonly bucketCount: number;
  readonly #holdings: Holdings;
  readonly #capacity: Capacity;
  readonly #mayRead: () => boolean;

  /**
   * @param mayRead whether what is in memory can be trusted to be the present: a server that others take for dead may have
   *   been replaced in all of its buckets without knowing
   */
  constructor(holdings: Holdings, capacity: Capacity, mayRead: () => boolean = () => true) {
    this.bucketCount = holdings.bucketCount;
    this.#holdings = holdings;
    this.#capacity = capacity;
    this.#mayRead = mayRead;
  }

  /** Undefined where the bucket is not served here at the moment. */
  bucket(bucket: BucketIndex): BucketView | undefined {
    const owner = this.#mayRead() ? this.#holdings.serving(bucket) : undefined;
    return owner === undefined ? undefined : new BucketView(owner);
  }

  /** All buckets that are served here at the moment. */
  *buckets(): Iterable<BucketView> {
    for (const bucket of this.#holdings.servedBuckets()) {
      const view = this.bucket(bucket);
      if (view !== undefined) yield view;
    }
  }

  /** Undefined where the tab is not known here, or its bucket is not held here. */
  typeOf(tab: TabName): TabType | undefined {
    return this.#holdings.get(bucketOf(tab, this.bucketCount))?.states.tab(tab)?.type;
  }

  /** Every client of all buckets held here, and perhaps some of which nothing is applied yet. */
  clientIds(): Iterable<ClientId> {
    return this.#capacity.clientIds();
  }

  /** Whether such a client may be known here, see `clientIds`. */
  mayKnow(client: string): client is ClientId {
    return this.#capacity.knowsClient(client as ClientId);
  }
}
