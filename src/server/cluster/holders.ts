import type { BucketIndex, MemberId } from '../../core/ids.js';
import type { Assignment } from '../../storage/coordination.js';

/** What is believed of one bucket. */
interface Belief {
  /** By the newest assignment. */
  owner: MemberId | undefined;
  /** Who had it before, and may serve it until the owner asks for it. */
  before: MemberId | undefined;
  /** The one of the two that is taken to serve it. */
  holder: MemberId | undefined;
}

/**
 * Who serves each bucket, as far as is known here. A predecessor goes on serving until the new owner asks it for the
 * bucket, so that it is believed to do so until it says otherwise: then the other one is.
 */
export class Holders {
  readonly #beliefs: Belief[];

  constructor(bucketCount: number) {
    this.#beliefs = Array.from({ length: bucketCount }, () => ({
      owner: undefined,
      before: undefined,
      holder: undefined,
    }));
  }

  /** @param alive members; nobody else is believed to hold anything */
  learn({ owners }: Pick<Assignment, 'owners'>, alive: ReadonlySet<MemberId>): void {
    this.#beliefs.forEach((belief, bucket) => {
      const owner = owners[bucket];
      if (owner !== belief.owner) {
        belief.before = belief.holder ?? belief.owner;
        belief.owner = owner;
      }
      if (belief.before !== undefined && !alive.has(belief.before)) belief.before = undefined;
      if (belief.before === belief.owner) belief.before = undefined;
      const isKnown = belief.holder === belief.owner || belief.holder === belief.before;
      if (belief.holder === undefined || !isKnown) belief.holder = belief.before ?? belief.owner;
    });
  }

  ownerOf(bucket: BucketIndex): MemberId | undefined {
    return this.#beliefs[bucket]?.owner;
  }

  /** Who may have to be asked for the bucket before it is taken. */
  predecessorOf(bucket: BucketIndex): MemberId | undefined {
    return this.#beliefs[bucket]?.before;
  }

  holderOf(bucket: BucketIndex): MemberId | undefined {
    return this.#beliefs[bucket]?.holder;
  }

  /** It serves the bucket now: nobody needs to be asked any more. */
  heldBy(bucket: BucketIndex, member: MemberId): void {
    const belief = this.#beliefs[bucket];
    if (belief === undefined) return;
    belief.holder = member;
    if (belief.owner === member) belief.before = undefined;
  }

  notHeldBy(bucket: BucketIndex, member: MemberId): void {
    const belief = this.#beliefs[bucket];
    if (belief?.holder !== member) return;
    belief.holder = member === belief.owner ? (belief.before ?? belief.owner) : belief.owner;
  }
}
