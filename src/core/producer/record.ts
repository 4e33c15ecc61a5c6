import type { Block } from '../block.js';
import type { BucketIndex, ProducerId, Seq } from '../ids.js';
import type { PartMap } from '../parts.js';

/**
 * What a producer writes down before it acts (rules R7, R8), so that a restart finds the same Blocks under the same
 * numbers. Calls are synchronous: when one throws, the producer has changed nothing, and nothing was sent.
 *
 * Parts that come in are recorded by whoever accepts them (a flush is one record, R8), before `Producer.add`.
 */
export interface ProducerRecord {
  /**
   * One atomic record: `block` was numbered, and the un-numbered Parts of its bucket are now what `left` holds; all others
   * are in the Block. Undefined means that none are left.
   */
  sealed(block: Block, left: PartMap | undefined): void;
  /** The Block will never be sent again: acknowledged, or counted as dropped. */
  settled(bucket: BucketIndex, producer: ProducerId, seq: Seq): void;
  /** The Block was never counted and never will be (R13): its Parts are un-numbered again. One atomic record. */
  requeued(block: Block): void;
  /** The un-numbered Parts of the bucket were counted as dropped. */
  discarded(bucket: BucketIndex): void;
}
