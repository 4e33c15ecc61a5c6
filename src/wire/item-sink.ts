import type { CumulativePoint } from '../core/cumulative/reading.js';
import type { ErrorCode } from '../core/errors.js';
import type { CoarseHistogram } from '../core/sketch/coarse.js';

/** One event as it came in: nothing of it has been checked but that it has these fields. */
export interface RawEvent {
  /** Undefined where the sender did not name one: the node's own default counts. */
  readonly client: string | undefined;
  readonly tab: string;
  readonly type: string;
  /** Should be a number of seconds UTC; undefined where the sender left it out: the present counts. */
  readonly timestampSec: unknown;
  /** A JSON value. */
  readonly payload: unknown;
  /** How many events it stands for, where the protocol has sample rates. */
  readonly weight?: number;
  /** In place of the payload: many values at once. */
  readonly histogram?: CoarseHistogram;
  /** In place of the payload: what the sender has added up until now. */
  readonly cumulative?: Omit<CumulativePoint, 'timeSec'>;
}

/** Numbers of one tab, one after the other: the first `count` of both arrays, which are the caller's. */
export interface NumberRun extends Pick<RawEvent, 'client' | 'tab' | 'type'> {
  readonly timestampsSec: Float64Array;
  readonly payloads: Float64Array;
  readonly count: number;
}

/**
 * Takes the items of a body one after the other. Every call of `event` and `fault` is the next item: items are numbered
 * from 0 over the whole body, in the order of the calls.
 */
export interface ItemSink {
  event(event: RawEvent): void;
  /** As many items as there are numbers: the same as `event` for each. */
  numbers?(run: NumberRun): void;
  /** An item that is no event at all. */
  fault(code: ErrorCode, message: string): void;
}

/**
 * The items of a body: hands each to `sink`.
 * @throws TabaError `bad_framing`, `unsupported_version`, possibly after some items: nothing of the body may be counted then
 */
export type Items = (sink: ItemSink) => void;
