import { TabaError } from './errors.js';
import type { BucketIndex, TabName } from './ids.js';
import { xxHash32 } from './xxhash32.js';

/** Name of the hash in `bucketOf`; a store remembers it and refuses to open under another. */
export const bucketHash = 'xxhash32';

const textEncoder = new TextEncoder();
/** Names up to this length are put down here faster than a TextEncoder starts up. */
const shortName = new Uint8Array(128);

/** The virtual bucket of a tab: xxHash32 (seed 0) of its UTF-8 name, mod N. */
export function bucketOf(tab: TabName, bucketCount: number): BucketIndex {
  return (hashOf(tab) % bucketCount) as BucketIndex;
}

function hashOf(tab: TabName): number {
  const { length } = tab;
  if (length > shortName.length) return xxHash32(textEncoder.encode(tab));
  for (let at = 0; at < length; at++) {
    const code = tab.charCodeAt(at);
    if (code >= 128) return xxHash32(textEncoder.encode(tab));
    shortName[at] = code;
  }
  return xxHash32(shortName, 0, length);
}

/** Buckets `first` to `last` (both included) belong to `name`. */
export interface BucketRange {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** Which shard holds a bucket. Every bucket 0..N-1 belongs to exactly one range, or there is no such map. */
export class RangeMap {
  /** In the order of buckets. */
  readonly ranges: readonly BucketRange[];
  readonly bucketCount: number;

  /** @throws TabaError `bad_setting`, naming the first fault: a range that is none, an overlap or a gap */
  constructor(ranges: Iterable<BucketRange>, bucketCount: number) {
    this.ranges = [...ranges].sort((a, b) => a.first - b.first || a.last - b.last);
    this.bucketCount = bucketCount;
    for (const range of this.ranges) checkRange(range, bucketCount);
    let next = 0;
    let previous: BucketRange | undefined;
    for (const range of this.ranges) {
      if (range.first > next) throw fault(`${span(next, range.first - 1)} belong to no shard`);
      if (previous !== undefined && range.first < next) {
        const shared = span(range.first, Math.min(range.last, next - 1));
        throw fault(`${shared} belong to both ${previous.name} and ${range.name}`);
      }
      next = range.last + 1;
      previous = range;
    }
    if (next < bucketCount) throw fault(`${span(next, bucketCount - 1)} belong to no shard`);
  }

  /** Name of the range that holds `bucket`. */
  nameOf(bucket: BucketIndex): string {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]!.last < bucket) low = middle + 1;
      else high = middle;
    }
    const range = this.ranges[low];
    if (range === undefined || bucket < range.first || bucket > range.last) {
      throw new RangeError(`bucket ${bucket} is not one of 0 to ${this.bucketCount - 1}`);
    }
    return range.name;
  }
}

function checkRange({ name, first, last }: BucketRange, bucketCount: number): void {
  const whole = Number.isInteger(first) && Number.isInteger(last);
  if (!whole || first < 0 || last < first || last >= bucketCount) {
    throw fault(`${name} has ${first} to ${last}, but buckets go from 0 to ${bucketCount - 1}`);
  }
}

function span(first: number, last: number): string {
  return `buckets ${first} to ${last}`;
}

function fault(message: string): TabaError {
  return new TabaError('bad_setting', `shards: ${message}`);
}
