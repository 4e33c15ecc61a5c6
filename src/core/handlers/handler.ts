import type { ByteReader, ByteWriter } from '../bytes.js';
import type { CumulativePoint } from '../cumulative/reading.js';
import type { SettleView } from '../cumulative/streams.js';
import type { Gathered } from '../gather/gathered.js';
import type { TabType } from '../ids.js';
import type { CoarseHistogram } from '../sketch/coarse.js';
import type { Histogram } from '../sketch/histogram.js';
import type { Figures } from './figures.js';

/** How a State is shown: for people, for programs, or with everything it holds. */
export type RenderForm = 'text' | 'json' | 'detailed';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** What a rendering needs besides the State. */
export interface RenderView {
  /** The present in seconds UTC, already discounted by the cluster latency; the same for all owners of one query. */
  readonly nowSec: number;
}

/** What an event carries besides its value. */
export interface EventMeta {
  /** Seconds UTC. Never more than the allowed skew in the future: intake sees to that. */
  readonly timestampSec: number;
  /** Counts the events of one process: orders events of one timestamp. An integer from 0. */
  readonly sequence: number;
  /**
   * How many events this one stands for: 1 / sample rate where a protocol has sample rates. Above 0, not necessarily
   * whole; 1 by default. Types that keep values instead of counts take no notice.
   */
  readonly weight?: number;
}

/**
 * The stateless code of a Tab Type. A Handler reads no clock, no random numbers, and keeps nothing between calls.
 *
 * A State and a Part are the same thing; a Part just holds fewer events. The merge laws hold for every Handler:
 * `reduce` is associative and commutative, `newState()` is its identity, `reduce` does not change `from`, and
 * folding then reducing equals reducing then folding (totals within the rounding of doubles).
 *
 * @typeParam S the State  @typeParam V a checked value, made by `parse`
 */
export interface Handler<S = unknown, V = unknown> {
  readonly type: TabType;
  /** Version of this Handler's encoding, 1 to 255. Older versions decode for ever, through `upgrade`. */
  readonly version: number;
  /**
   * `kept`: the owner keeps a State over all clients beside the clients' own, so that all-time figures outlive clients.
   * `derived`: the aggregate is made from the clients' States when it is asked for (what a client holds now).
   */
  readonly tabState: 'kept' | 'derived';

  /**
   * Checks a value as it came in (a JSON value). NaN and infinities are refused here.
   * @throws TabaError `bad_value`, naming what would be right
   */
  parse(payload: unknown): V;

  newState(): S;
  /** Adds one event to `state`. */
  fold(state: S, value: V, meta: EventMeta): void;
  /** Adds a histogram that was made elsewhere, with its own boundaries. Only types of numbers can. */
  foldHistogram?(state: S, histogram: CoarseHistogram, meta: EventMeta): void;
  /**
   * Adds numbers that were gathered before, all of one timestamp: the same as folding each of them with its own weight.
   * Only for types whose `parse` takes every finite number for itself; `meta.weight` means nothing here. `numbers` is handed
   * over: whoever calls this must not use it any more.
   */
  foldGathered?(state: S, numbers: Histogram, meta: EventMeta): void;
  /**
   * Numbers of several seconds may be gathered together as long as these lie in one period of this length, counted from 0: for types
   * whose `encodeGathered` tells the seconds apart (`Gathered.bySecond`), or whose cells are as wide.
   */
  readonly gatherPeriodSec?: number;
  /** Writes what `encode` writes of a new State after `foldGathered`, without making one. `timestampSec`: of the newest of them. */
  encodeGathered?(gathered: Gathered, timestampSec: number, out: ByteWriter): void;
  /** Takes a figure that its sender adds up itself; `settle` makes an event of what was added since the one before. */
  foldCumulative?(state: S, point: CumulativePoint): void;
  /** Only at the owner, after `reduce`: counts what `foldCumulative` took, as far as it is new to this State. */
  settle?(state: S, view: SettleView): void;
  /** Adds what `from` holds to `into`: States of one (tab, client), or States over all clients. */
  reduce(into: S, from: S): void;
  /**
   * `reduce` of what `decode` would read, without making a State of it; only for types whose `tabState` is `kept`. The bytes are
   * those that `examine` found good, and are read to the end; the reader is for this call only.
   */
  reduceEncoded?(into: S, input: ByteReader): void;
  /**
   * Adds encoded States up, one after the other, and writes what `encode` would write of them reduced: States that are small stay bytes in
   * memory. They are of the present version, those that `examine` found good; the readers are for this call only. Must not throw.
   * @returns false, and what it has written means nothing, where only decoding can do it
   */
  sumEncoded?(inputs: readonly ByteReader[], out: ByteWriter): boolean;
  /** Adds the State of one client, or another aggregate, to the aggregate `into`. Same as `reduce` where `tabState` is `kept`. */
  aggregate(into: S, from: S, nowSec: number): void;
  /**
   * Moves what is stamped later than `limitSec` to `presentSec`: a wrong clock must not push the present out of a window.
   * @returns how many events were moved (0 or 1 for types that keep only the latest)
   */
  clampFuture(state: S, limitSec: number, presentSec: number): number;

  /** `text` returns the string that follows `name: `; the others return JSON. */
  render(state: S, form: RenderForm, view: RenderView): JsonValue;
  /**
   * What `render` would return of what `decode` would read, without making a State of it. The bytes are those that `examine` found good; the
   * reader is for this call only.
   * @returns undefined where it has to be decoded all the same
   */
  renderEncoded?(input: ByteReader, form: RenderForm, view: RenderView): JsonValue | undefined;
  /** The State as numbers, for `/metrics/tabs`. Types without numbers have none. */
  figures?(state: S, view: RenderView): Figures;
  /** The same of an encoded State, as `renderEncoded`; only for types that have `figures`. */
  figuresEncoded?(input: ByteReader, view: RenderView): Figures;
  /** Whether nothing has happened to `state` for `idleSec` (or all it held has expired), so that it may be forgotten. */
  shouldPrune(state: S, nowSec: number, idleSec: number): boolean;

  /** Writes `state` compactly; it is the caller who adds versions and a checksum. */
  encode(state: S, out: ByteWriter): void;
  /** Reads what `encode` of the present version wrote. @throws TabaError `corrupt` */
  decode(input: ByteReader): S;
  /**
   * Reads what `encode` of the present version wrote, without making a State of it.
   * @returns second of the newest event that `clampFuture` would look at, or later; -Infinity if there is none; undefined where
   * it has to be decoded all the same, as what `settle` has something to do with
   * @throws TabaError `corrupt`, where `decode` would
   */
  examine?(input: ByteReader): number | undefined;
  /** Reads what an older version's `encode` wrote, as a State of today. @throws TabaError `corrupt` for a version it never had */
  upgrade(input: ByteReader, fromVersion: number): S;
}
