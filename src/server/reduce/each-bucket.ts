import type { Clock } from '../../runtime/clock.js';
import type { BucketOwner } from './bucket-owner.js';

/** Buckets that are worked on at once by the background and by administration. */
const parallelBuckets = 8;

export interface EachBucket {
  readonly clock: Clock;
  /** Rejects where the bucket could not be done. */
  action(owner: BucketOwner): Promise<void>;
  /** Told which those are: none of them ends the work on the others. */
  failed(owner: BucketOwner, error: unknown): void;
}

/**
 * Does something with every bucket, some at a time, and lets others run in between: an engine that answers at once would
 * keep everybody else waiting until all is done.
 */
export async function eachBucket(
  owners: Iterable<BucketOwner>,
  { clock, action, failed }: EachBucket,
): Promise<void> {
  const waiting = [...owners];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < waiting.length) {
      const owner = waiting[next++]!;
      try {
        await action(owner);
      } catch (error) {
        failed(owner, error);
      }
      await new Promise<void>((resolve) => clock.soon(resolve));
    }
  };
  await Promise.all(Array.from({ length: parallelBuckets }, work));
}
