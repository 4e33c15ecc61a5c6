import type { BucketIndex, ProducerId, Seq } from './ids.js';

/**
 * The Parts of one virtual bucket, sealed. Its number and its bytes never change once it has been sent (rule R7 in
 * docs/architecture.md); nobody but the producer and the owner looks into `payload`.
 */
export interface Block {
  readonly bucket: BucketIndex;
  readonly producer: ProducerId;
  /** When the producer started, ms UTC on the store's clock as far as it knows; decides whether an unknown producer may begin (R11). */
  readonly birthMs: number;
  readonly seq: Seq;
  /** A producer id that this Block retires in the same append: what came after a loss goes on under a new id (R10). */
  readonly retires?: ProducerId;
  /** When the Block was sealed, ms UTC on the producer's clock. */
  readonly sealedAtMs: number;
  /** How many events the payload stands for. */
  readonly events: number;
  /** Encoded Parts, see wire/parts.ts. */
  readonly payload: Uint8Array;
}

/** Events of a Block that the owner did not count, by reason: a type conflict, a limit, a Part that a Handler refused. */
export interface BlockRejection {
  readonly tab: string;
  readonly client: string;
  readonly events: number;
  readonly code:
    | 'type_conflict'
    | 'unknown_type'
    | 'too_many_tabs'
    | 'too_many_clients'
    | 'too_many_states'
    | 'denied'
    | 'corrupt';
  readonly message: string;
}

/** What an owner, or a router on its behalf, says to one Block. Only `acknowledged` lets the producer drop it. */
export type Answer =
  | { readonly kind: 'acknowledged'; readonly repeat: boolean; readonly rejected: readonly BlockRejection[] }
  /** The owner waits for another number of this producer. */
  | { readonly kind: 'expects'; readonly seq: Seq }
  /** The bucket is not served here (now): ask again, or elsewhere. */
  | { readonly kind: 'not_owner' }
  /** No room, or the bucket is being acquired: send again after the pause. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number }
  /** The producer has been forgotten: its numbered Blocks are of unknown fate (R11). */
  | { readonly kind: 'unknown_producer' }
  /** The bucket moved to another map; the producer was acknowledged up to `seq` (R13). */
  | { readonly kind: 'closed'; readonly seq: Seq };

/** An answer on its way back: which Block it is about. */
export interface AddressedAnswer {
  readonly bucket: BucketIndex;
  readonly producer: ProducerId;
  readonly seq: Seq;
  readonly answer: Answer;
}
