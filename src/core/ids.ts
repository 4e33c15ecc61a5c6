/**
 * Branded identifiers: a `TabName` cannot be passed where a `ClientId` is due.
 * A value gets its brand where it is checked (see `names.ts`), or by a cast at a decoder that has checked it.
 */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Name of a tab: 1 to 1,024 bytes of the name set (see `names.ts`). */
export type TabName = Brand<string, 'TabName'>;
/** Id of a client: same alphabet and length as a tab name. */
export type ClientId = Brand<string, 'ClientId'>;
/** Tab type: a key of the handler registry, such as `CounterGroup`. */
export type TabType = Brand<string, 'TabType'>;
/** Index of a virtual bucket, 0..N-1. */
export type BucketIndex = Brand<number, 'BucketIndex'>;
/** Random id of a producer: 32 lower-case hex digits, new at each process start. */
export type ProducerId = Brand<string, 'ProducerId'>;
/** Sequence number of a Block per (producer, bucket): 1, 2, 3, … */
export type Seq = Brand<number, 'Seq'>;
/** Position of an entry in a bucket's journal: 1, 2, 3, …; 0 means "before the first". */
export type Position = Brand<number, 'Position'>;
/** Random fencing token of an ownership: 32 lower-case hex digits. */
export type HeadToken = Brand<string, 'HeadToken'>;
/** Random id of a server process, new at each start: 32 lower-case hex digits. */
export type MemberId = Brand<string, 'MemberId'>;
