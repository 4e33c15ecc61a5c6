import { type BinWalk, maxBinsPerSign } from './bins.js';

/** One more than there may be, while a bin is being added. */
const room = maxBinsPerSign + 1;

/** Bins of one sign as they are read, one after the other: a place for them that is there already, while `Bins` are to stay. */
export class BinList {
  /** Ascending; the first `length` are in use, as of `counts`. */
  readonly keys = new Int32Array(room);
  readonly counts = new Float64Array(room);
  length = 0;

  /** See `WalkedBins`. */
  seek(walk: BinWalk, rank: number, ascending: boolean): number | undefined {
    const { keys, counts, length } = this;
    let { at, seen } = walk;
    for (let slot = ascending ? at : length - 1 - at; at < length; at++, slot += ascending ? 1 : -1) {
      const upTo = seen + counts[slot]!;
      if (upTo > rank) break;
      seen = upTo;
    }
    walk.at = at;
    walk.seen = seen;
    if (at === length) return undefined;
    return keys[ascending ? at : length - 1 - at]!;
  }
}
