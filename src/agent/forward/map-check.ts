import type { Block } from '../../core/block.js';
import { blockOverheadBytes } from '../../wire/block-size.js';
import type { Hello } from '../../wire/frame.js';

/** What this agent's numbered Blocks and settings ask of a server. */
export interface BucketMap {
  /** undefined until a setting or a server says it. */
  readonly bucketCount: number | undefined;
  /** undefined until a server says it. */
  readonly generation: number | undefined;
  /** Numbered Blocks that a spool held, and the bucket count they were numbered under. */
  readonly restored: readonly Block[];
  readonly restoredBucketCount: number;
}

/** @returns why Blocks of this agent do not fit that server (R13), or undefined when they do */
export function mapMismatch(ours: BucketMap, hello: Hello): string | undefined {
  const { bucketCount, generation, hash } = hello;
  if (hash !== undefined && hash !== 'xxh32') return `hashes tabs by ${hash}, not by xxh32`;
  if (bucketCount === undefined || bucketCount < 1) return 'does not say how many buckets there are';
  if (ours.bucketCount !== undefined && bucketCount !== ours.bucketCount) {
    return `has ${bucketCount} buckets; this agent has ${ours.bucketCount}`;
  }
  if (ours.generation !== undefined && generation !== undefined && generation !== ours.generation) {
    return `has generation ${generation} of the bucket map; the others have ${ours.generation}`;
  }
  if (ours.restored.length > 0 && ours.restoredBucketCount !== bucketCount) {
    return `has ${bucketCount} buckets; the spool holds ${ours.restored.length} numbered Blocks of ${ours.restoredBucketCount}`;
  }
  const largest = ours.restored.reduce((most, block) => Math.max(most, block.payload.length), 0);
  const needed = largest + blockOverheadBytes;
  if (hello.maxFrameBytes < needed)
    return `takes frames of ${hello.maxFrameBytes} bytes; ${needed} are needed`;
  return undefined;
}
