import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BucketOwner } from './bucket-owner.js';

/** Buckets that are worked on at once by the background and by administration. */
const parallelBuckets = 8;

/**
 * Does something with every bucket, some at a time, and lets others run in between: an engine that answers at once would
 * keep everybody else waiting until all is done.
 *
 * @param action rejects where the bucket could not be done
 * @param failed told which those are: none of them ends the work on the others
 */
export async function eachBucket(
  owners: Iterable<BucketOwner>,
  action: (owner: BucketOwner) => Promise<void>,
  failed: (owner: BucketOwner, error: unknown) => void,
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
      await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: parallelBuckets }, work));
}
