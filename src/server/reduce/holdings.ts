import type { BucketIndex } from '../../core/ids.js';
import type { BucketOwner } from './bucket-owner.js';

/** The buckets that this process holds, in whatever state, by index. */
export class Holdings {
  /** Buckets of the whole store. */
  readonly bucketCount: number;
  readonly #owners = new Map<BucketIndex, BucketOwner>();

  constructor(bucketCount: number) {
    this.bucketCount = bucketCount;
  }

  all(): Iterable<BucketOwner> {
    return this.#owners.values();
  }

  buckets(): BucketIndex[] {
    return [...this.#owners.keys()];
  }

  get(bucket: BucketIndex): BucketOwner | undefined {
    return this.#owners.get(bucket);
  }

  /** The owner of a bucket that is served at the moment. */
  serving(bucket: BucketIndex): BucketOwner | undefined {
    const owner = this.#owners.get(bucket);
    return owner?.state === 'serving' ? owner : undefined;
  }

  /** Which buckets are served at the moment. */
  servedBuckets(): BucketIndex[] {
    return this.buckets().filter((bucket) => this.serving(bucket) !== undefined);
  }

  add(owner: BucketOwner): void {
    this.#owners.set(owner.bucket, owner);
  }

  /** Forgets the owner, unless another has taken its place. */
  remove(owner: BucketOwner): void {
    if (this.#owners.get(owner.bucket) === owner) this.#owners.delete(owner.bucket);
  }
}
