import type {
  BucketIndex,
  ClientId,
  HeadToken,
  Position,
  ProducerId,
  Seq,
  TabName,
  TabType,
} from '../core/ids.js';
import type { Coordination } from './coordination.js';

/**
 * The port between the owner of a bucket and the engine that keeps its journal and its States.
 *
 * Every write carries the head it expects, (token, n), and is refused with `HeadMismatch` unless both match; then n
 * counts up by one (rule R1). A promise resolves only when its write is durable (R2); any other outcome than success
 * or HeadMismatch is unknown, and the caller must acquire the bucket again (R3). An engine gathers the writes that are
 * waiting into one group commit. Writes to one bucket may be issued without awaiting each other, with consecutive n;
 * they are carried out in the order of the calls, and when one fails, those behind it fail as well.
 */
export interface Store {
  /** Name of the engine, for logs and `/status`. */
  readonly engine: 'memory' | 'embedded' | 'redis';

  /** What opening the store found; the same object at every call. */
  readonly opened: OpenReport;

  /** Fences the previous owner (its head no longer matches), durably, and returns what the new one must know. */
  acquire(bucket: BucketIndex, owner: string): Promise<Acquired>;

  /** Appends the entry at `position` (the one after the last), and sets its producer's last number, in one durable step. */
  append(head: Head, entry: JournalEntry): Promise<void>;

  /** A Block that cannot be applied, kept apart with its reason; sets its producer's last number in the same durable step. */
  setAside(head: Head, item: SetAside): Promise<void>;

  /**
   * Pages in the order of `keys`; undefined where there is none. Refused unless the token matches; n is not counted up. A page that
   * is damaged comes with the bytes that are left of it, and keeps none of the others back: whoever decodes it finds out.
   */
  readPages(head: Head, keys: readonly PageKey[]): Promise<readonly (Page | undefined)[]>;

  /** Writes or deletes pages. A write never lowers the position of a page that exists (R5): such a page write is ignored. */
  writePages(head: Head, writes: readonly PageWrite[]): Promise<void>;

  /** Forgets journal entries up to and including `upTo`. */
  trim(head: Head, upTo: Position): Promise<void>;

  /** Forgets producers, and raises the bucket's forget horizon to `horizonMs` (R11). */
  forget(head: Head, producers: readonly ProducerId[], horizonMs: number): Promise<void>;

  /**
   * The caller knows nothing about the bucket any more: `stats` leaves it out until it is acquired again. An engine whose
   * `stats` are about the whole store has no such verb.
   */
  released?(bucket: BucketIndex): void;

  /** What was set aside, oldest first. */
  listSetAside(bucket: BucketIndex): Promise<readonly SetAside[]>;

  stats(): StoreStats;

  /** How several servers share this store; undefined where it belongs to one process. */
  readonly coordination?: Coordination;

  /**
   * Looks at everything that is stored, without owning it: what no rule of the engine would have put there. With `repair`,
   * removes or mends it. An engine that checks itself when it is opened has no such verb.
   */
  examine?(options: { readonly repair: boolean }): Promise<readonly StoreFinding[]>;

  /** Waits for what is under way, then releases everything. Idempotent. */
  close(): Promise<void>;
}

/** A fault in what is stored: a key that belongs to nothing, a type that is wrong, a position that makes no sense. */
export interface StoreFinding {
  /** The bucket, where there is one. */
  readonly bucket?: BucketIndex;
  readonly key: string;
  readonly problem: string;
  readonly repaired: boolean;
}

/** The head that a write expects: the bucket's token, and how many writes have been issued under it. */
export interface Head {
  readonly bucket: BucketIndex;
  readonly token: HeadToken;
  readonly n: number;
}

export interface Acquired {
  readonly token: HeadToken;
  /** The journal, in the order of positions. */
  readonly tail: readonly JournalEntry[];
  /** Position of the last entry ever appended; the next append has this + 1. */
  readonly lastPosition: Position;
  readonly producers: readonly ProducerRow[];
  /** Producers born before this (ms UTC) and unknown have been forgotten (R11). */
  readonly forgetHorizonMs: number;
  /** Every page of the bucket, without its content. */
  readonly pages: readonly PageInfo[];
  /** Parts that must be skipped when the tail is applied. */
  readonly setAside: readonly SetAsideKey[];
}

export interface ProducerRow {
  readonly producer: ProducerId;
  readonly birthMs: number;
  readonly lastSeq: Seq;
  /** When its last Block was appended, ms UTC on the owner's clock. */
  readonly lastAtMs: number;
}

/**
 * Last number of a producer that was retired (R10): its row stays, with this number, until it is forgotten. Deleting the
 * row would let a late copy of its first Block begin anew, and be counted twice.
 */
export const retiredSeq = Number.MAX_SAFE_INTEGER as Seq;

export interface JournalEntry {
  readonly position: Position;
  readonly producer: ProducerId;
  readonly birthMs: number;
  readonly seq: Seq;
  /** Retired in the same step: its row gets `retiredSeq`, and is made if there is none. */
  readonly retires?: ProducerId;
  /** When the owner appended it, ms UTC: the clock that applying and every replay use. */
  readonly atMs: number;
  /** When the producer sealed it, ms UTC on the producer's clock. */
  readonly sealedAtMs: number;
  /** Encoded Parts; opaque to the engine. */
  readonly payload: Uint8Array;
}

/** A page is the State of one (tab, client), or of one tab over all clients where `client` is the empty string. */
export interface PageKey {
  readonly tab: TabName;
  readonly client: ClientId | '';
}

export interface PageInfo extends PageKey {
  readonly type: TabType;
  readonly position: Position;
}

/** A State and the journal position it contains. */
export interface Page extends PageInfo {
  /** Encoded State, see wire/state.ts; opaque to the engine. */
  readonly bytes: Uint8Array;
}

export type PageWrite = Page | (PageKey & { readonly deleted: true; readonly position: Position });

/** Something that could not be applied: a whole Block (`position` 0, before the journal), or one Part of the entry at `position`. */
export interface SetAside {
  readonly producer: ProducerId;
  readonly birthMs: number;
  readonly seq: Seq;
  readonly position: Position;
  readonly tab: TabName | '';
  readonly client: ClientId | '';
  readonly events: number;
  readonly reason: string;
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export type SetAsideKey = Pick<SetAside, 'position' | 'tab' | 'client'>;

export interface OpenReport {
  readonly bucketCount: number;
  /** When the store was made, ms UTC; the same ever after. 0 where that is not known. */
  readonly createdAtMs: number;
  /** One line per damage found, naming what was saved and what was lost; empty when all was well. */
  readonly damage: readonly string[];
  readonly durability: string;
}

export interface StoreStats {
  readonly journalEntries: number;
  readonly journalBytes: number;
  readonly pages: number;
  readonly bytesOnDisk: number;
  readonly commits: number;
  /** What a write waits for when it cannot be carried out (a full disk, say); undefined when all is well. */
  readonly waitingFor?: string;
}

/** The head did not match: whoever gets this owns nothing any more. */
export class HeadMismatch extends Error {
  constructor(bucket: BucketIndex) {
    super(`bucket ${bucket} has another owner`);
    this.name = 'HeadMismatch';
  }
}
