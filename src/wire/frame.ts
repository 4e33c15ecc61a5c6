import type { AddressedAnswer, Block, BlockRejection } from '../core/block.js';
import type { Rejection } from '../core/errors.js';

/**
 * The frames of protocol v2 as values; `frame-codec.ts` turns them into msgpack and back.
 * A connection begins with one `hello` from each side; the side that connected speaks first.
 */
export type Frame =
  | Hello
  | PushBlocks
  | PushFlush
  | Ack
  | Nack
  | FlushAck
  | FlushNack
  | Query
  | Result
  | Fault
  | DefineTabs
  | PushRaw
  | RawAck;

export interface Hello {
  readonly kind: 'hello';
  /** Versions spoken, such as [2]. */
  readonly versions: readonly number[];
  readonly role: 'sdk' | 'agent' | 'server';
  /** Who speaks: an SDK's start id, an agent's instance id, a server's id: 32 lower-case hex digits. */
  readonly id: string;
  /** Host name or client id, for people. */
  readonly name: string;
  readonly bucketCount?: number;
  readonly hash?: 'xxh32';
  /** Generation of the bucket map. */
  readonly generation?: number;
  readonly maxFrameBytes: number;
  /** How many pushes may wait for their answer on this connection. */
  readonly maxInFlight: number;
  /** The speaker's clock, ms UTC. */
  readonly nowMs: number;
}

/** Agent or server to server: Blocks, any number of buckets. Each is answered on its own, in ack and nack frames. */
export interface PushBlocks {
  readonly kind: 'push-blocks';
  readonly blocks: readonly Block[];
}

/** SDK to agent or server: the Parts since the last flush, numbered from 1 per session (R9). */
export interface PushFlush {
  readonly kind: 'push-flush';
  readonly session: string;
  readonly number: number;
  readonly events: number;
  readonly payload: Uint8Array;
}

/** Answers of kind `acknowledged`, for the Blocks named. */
export interface Ack {
  readonly kind: 'ack';
  readonly answers: readonly AddressedAnswer[];
}

/** Every other answer, for the Blocks named. */
export interface Nack {
  readonly kind: 'nack';
  readonly answers: readonly AddressedAnswer[];
}

export interface FlushAck {
  readonly kind: 'flush-ack';
  readonly session: string;
  readonly number: number;
  readonly rejected: readonly BlockRejection[];
  /** Servers are behind: for so long, whoever need not flush had better go on folding. */
  readonly pauseMs?: number;
}

export interface FlushNack {
  readonly kind: 'flush-nack';
  readonly session: string;
  readonly number: number;
  /** `gap`: `expected` says which number is due; `busy`: send again after `retryAfterMs`; `refused`: never send it again. */
  readonly reason: 'gap' | 'busy' | 'refused';
  readonly expected?: number;
  readonly retryAfterMs?: number;
  readonly message?: string;
}

/** Asks another server; `id` ties the result to it. */
export interface Query {
  readonly kind: 'query';
  readonly id: number;
  readonly name: string;
  readonly body: Uint8Array;
}

/** An answer, or a piece of one that does not fit into a frame: the pieces follow each other, `last` ends them. */
export interface Result {
  readonly kind: 'result';
  readonly id: number;
  readonly body: Uint8Array;
  readonly last: boolean;
}

/** Something is wrong with the connection or with query `id`; `fatal` is followed by a close. */
export interface Fault {
  readonly kind: 'error';
  readonly id?: number;
  readonly code: string;
  readonly message: string;
  readonly fatal: boolean;
}

/** What numbers stand for tabs on this connection, in every `push-raw` that follows. */
export interface DefineTabs {
  readonly kind: 'define-tabs';
  readonly tabs: readonly TabDefinition[];
}

export interface TabDefinition {
  readonly id: number;
  readonly name: string;
  readonly type: string;
}

/**
 * Events that nobody has folded, in columns, see raw-columns.ts. Numbered as flushes are, in the same sessions, and refused as they
 * are, with `flush-nack`.
 */
export interface PushRaw {
  readonly kind: 'push-raw';
  readonly session: string;
  readonly number: number;
  /** Whose the events are; absent: the receiver's own. */
  readonly client?: string;
  readonly tabs: Uint8Array;
  readonly counts: Uint8Array;
  readonly seconds: Uint8Array;
  readonly values: Uint8Array;
}

/** A `push-raw` was taken. Items are values, numbered from 0 over the frame. */
export interface RawAck {
  readonly kind: 'raw-ack';
  readonly session: string;
  readonly number: number;
  /** Taken before: what was rejected then is not known any more, and the other figures are 0. */
  readonly repeat: boolean;
  readonly accepted: number;
  /** Accepted, but stamped too far ahead: they count at the present. */
  readonly clamped: number;
  readonly rejectedTotal: number;
  /** The first of them. */
  readonly rejected: readonly Rejection[];
}
