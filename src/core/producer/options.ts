import type { Block } from '../block.js';
import type { HandlerRegistry } from '../handlers/registry.js';
import type { ProducerId } from '../ids.js';
import type { Limits } from '../limits.js';
import type { PartMap } from '../parts.js';
import type { DropReason } from './books.js';
import type { ProducerRecord } from './record.js';

/** Larger ones save nothing, and have to be kept in one piece. */
export const defaultBlockBytes = 8 * 2 ** 20;

export interface ProducerOptions {
  /** New at each process start (R7). */
  readonly id: ProducerId;
  /** When the process started, ms UTC on the store's clock as far as it is known. */
  readonly birthMs: number;
  /** How far the store's clock is ahead of the caller's: ids made later are born by the store's clock as well (R11). */
  readonly storeAheadMs?: number;
  readonly registry: HandlerRegistry;
  readonly bucketCount: number;
  readonly limits: Pick<Limits, 'maxOpenBlocksPerBucket'>;
  encode(parts: PartMap): Uint8Array;
  /** Needed only where buckets can move to another map (R13): what was not counted there is split anew. */
  decode?(payload: Uint8Array): PartMap;
  newId(): ProducerId;
  readonly record?: ProducerRecord;
  /** Parts that encode to more are spread over several Blocks; a Block must fit into a frame. Default: `defaultBlockBytes`. */
  readonly maxBlockBytes?: number;
  /**
   * A bucket idle for longer begins a new id, so that owners never forget one in use (R11). Must be much shorter than
   * the owners' 7 days. Default 1 day.
   */
  readonly renewAfterMs?: number;
}

/** What the caller should do after an answer. */
export type Outcome =
  /** A Block is done with; its bucket may have room to seal the next. */
  | { readonly kind: 'settled' }
  /** Send `open(bucket)` again, all of it, in order. */
  | { readonly kind: 'resend' }
  /** Send `open(bucket)` again after the pause. */
  | { readonly kind: 'wait'; readonly retryAfterMs: number }
  /** Find out who owns the bucket, then send `open(bucket)` again. */
  | { readonly kind: 'reroute' }
  /** Numbered Blocks were given up and counted; what was never numbered goes on under a new id. */
  | { readonly kind: 'abandoned'; readonly reason: DropReason; readonly events: number }
  /** About something that is settled already: nothing to do. */
  | { readonly kind: 'stale' };

/** What a spool held, see `Producer.restore`. */
export interface Restored {
  /** Numbered and not settled, in the order in which they were numbered. */
  readonly blocks: readonly Block[];
  readonly parts?: PartMap;
}
