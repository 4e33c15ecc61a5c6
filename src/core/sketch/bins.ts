/** So many bins of one sign may be in use before neighbours merge. At the finest scale that is 64 octaves without a gap. */
export const maxBinsPerSign = 8192;
/** While a dense range would cost more than this many bins for each one in use, bins are kept as a sorted list. */
const maxBinsPerUsed = 8;
/** A list becomes a dense range when that has at most this many bins for each one in use; less than the above, so that nothing flutters. */
const minBinsPerUsed = 4;
/** Ranges up to this size are dense in any case once a list has this many entries. */
const listEntries = 16;
/** Up to so many bins of one list are put into another one by one. */
const fewBins = 4;

const noCounts = new Float64Array(0);
const noList: number[] = [];

/** How far a walk over bins has come: how many of them lie behind it, and how many values. */
export interface BinWalk {
  at: number;
  seen: number;
}

/**
 * The bins of one sign of a histogram: a count (a double, above 0) by index. Few or widely scattered bins are a sorted
 * list of (index, count), close ones a dense range of counts; nothing outside can tell which.
 */
export class Bins {
  /** How many bins hold something. */
  used = 0;
  /**
   * Index and count of each bin in turns, ascending by index, with room for more behind them; undefined while the bins are a
   * dense range. Small plain arrays are cheaper to make than typed ones, but grow by sixteen when they are pushed to: most
   * lists are shorter than that.
   */
  #list: number[] | undefined = noList;
  /** Counts of the dense range. */
  #counts: Float64Array = noCounts;
  /** Index of the range's first bin. */
  #base = 0;
  /** Where the last look-up of a list ended: values of one tab often repeat. */
  #lastSlot = 0;

  /** Bins from `first` on, whose counts are `counts[from]` to before `counts[to]`. */
  static ofCounts(first: number, counts: Uint8Array, from: number, to: number): Bins {
    const bins = new Bins();
    let start = from;
    while (start < to && counts[start] === 0) start++;
    let end = to;
    while (end > start && counts[end - 1] === 0) end--;
    let used = 0;
    for (let at = start; at < end; at++) if (counts[at] !== 0) used++;
    if (used >= listEntries && end - start <= used * minBinsPerUsed) {
      bins.used = used;
      bins.#list = undefined;
      bins.#counts = new Float64Array(counts.subarray(start, end));
      bins.#base = first + start - from;
      return bins;
    }
    for (let at = start; at < end; at++) if (counts[at] !== 0) bins.add(first + at - from, counts[at]!);
    return bins;
  }

  /** Bins `keys`, ascending, with their counts, all above 0: the first `used` of each array, which stay the caller's. */
  static ofList(keys: Int32Array, counts: Float64Array, used: number): Bins {
    const bins = new Bins();
    bins.used = used;
    const first = keys[0]!;
    const span = keys[used - 1]! - first + 1;
    if (used >= listEntries && span <= used * minBinsPerUsed) {
      const range = new Float64Array(span);
      for (let slot = 0; slot < used; slot++) range[keys[slot]! - first] = counts[slot]!;
      bins.#list = undefined;
      bins.#counts = range;
      bins.#base = first;
      return bins;
    }
    const list = new Array<number>(used * 2);
    for (let slot = 0; slot < used; slot++) {
      list[slot * 2] = keys[slot]!;
      list[slot * 2 + 1] = counts[slot]!;
    }
    bins.#list = list;
    return bins;
  }

  /** Adds `count` (above 0) to bin `key`. */
  add(key: number, count: number): void {
    if (this.#list === undefined) {
      const at = key - this.#base;
      if (at >= 0 && at < this.#counts.length) {
        if (this.#counts[at] === 0) this.used++;
        this.#counts[at]! += count;
        return;
      }
      if (this.#widen(key)) {
        this.used++;
        this.#counts[key - this.#base] = count;
        return;
      }
    }
    this.#addToList(key, count);
  }

  /** Adds all of `from`, whose indices lose their lower `shift` bits (it is that many scales finer). */
  merge(from: Bins, shift = 0): void {
    const list = from.#list;
    const counts = from.#counts;
    if (shift === 0 && this.used === 0) {
      this.#copy(from);
      return;
    }
    if (list !== undefined) {
      this.#mergeList(list, from.used, shift);
      return;
    }
    const first = from.#base;
    const last = first + counts.length - 1;
    const end = this.#base + this.#counts.length - 1;
    if (shift === 0 && this.#list === undefined && first >= this.#base && last <= end) {
      this.#addRange(counts, first - this.#base);
      return;
    }
    for (let at = 0; at < counts.length; at++) {
      if (counts[at] !== 0) this.add((first + at) >> shift, counts[at]!);
    }
  }

  /** Adds the first `used` bins of a list, as `merge` does. */
  #mergeList(list: readonly number[], used: number, shift: number): void {
    const own = this.#list;
    if (own !== undefined && used > fewBins) {
      this.#list = this.#interleaved(own, list, used, shift);
      if (this.used >= listEntries) this.#tryDense(this.#list);
      return;
    }
    const counts = this.#counts;
    const base = this.#base;
    const fits =
      own === undefined && list[0]! >> shift >= base && list[used * 2 - 2]! >> shift < base + counts.length;
    if (!fits) {
      for (let at = 0; at < used * 2; at += 2) this.add(list[at]! >> shift, list[at + 1]!);
      return;
    }
    let fresh = 0;
    for (let at = 0; at < used * 2; at += 2) {
      const place = (list[at]! >> shift) - base;
      const before = counts[place]!;
      if (before === 0) fresh++;
      counts[place] = before + list[at + 1]!;
    }
    this.used += fresh;
  }

  /** Both lists as one: putting bins in one by one would move what is behind them each time. Sets `used`. */
  #interleaved(own: readonly number[], list: readonly number[], used: number, shift: number): number[] {
    const ownEnd = this.used * 2;
    const both = new Array<number>(ownEnd + used * 2);
    let end = 0;
    let ownAt = 0;
    for (let at = 0; at < used * 2; at += 2) {
      const key = list[at]! >> shift;
      for (; ownAt < ownEnd && own[ownAt]! <= key; ownAt += 2) {
        both[end++] = own[ownAt]!;
        both[end++] = own[ownAt + 1]!;
      }
      if (end > 0 && both[end - 2] === key) {
        both[end - 1]! += list[at + 1]!;
      } else {
        both[end++] = key;
        both[end++] = list[at + 1]!;
      }
    }
    for (; ownAt < ownEnd; ownAt++) both[end++] = own[ownAt]!;
    both.length = end;
    this.used = end / 2;
    return both;
  }

  /** Adds bins `keys`, ascending, with their counts, all above 0: the first `used` of each array. Their indices lose their lower `shift` bits. */
  addList(keys: Int32Array, counts: Float64Array, used: number, shift: number): void {
    const own = this.#counts;
    const base = this.#base;
    const fits =
      this.#list === undefined && keys[0]! >> shift >= base && keys[used - 1]! >> shift < base + own.length;
    if (!fits) {
      for (let slot = 0; slot < used; slot++) this.add(keys[slot]! >> shift, counts[slot]!);
      return;
    }
    let fresh = 0;
    for (let slot = 0; slot < used; slot++) {
      const at = (keys[slot]! >> shift) - base;
      const before = own[at]!;
      if (before === 0) fresh++;
      own[at] = before + counts[slot]!;
    }
    this.used += fresh;
  }

  #addRange(counts: Float64Array, offset: number): void {
    const own = this.#counts;
    let used = this.used;
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at]!;
      if (count === 0) continue;
      const before = own[offset + at]!;
      if (before === 0) used++;
      own[offset + at] = before + count;
    }
    this.used = used;
  }

  #copy(from: Bins): void {
    this.used = from.used;
    this.#list = from.#list?.slice(0, from.used * 2);
    this.#counts = from.#list === undefined ? from.#counts.slice() : noCounts;
    this.#base = from.#base;
    this.#lastSlot = 0;
  }

  /** Joins every two neighbours (2i and 2i + 1): one scale coarser. */
  coarsen(): void {
    const finer = new Bins();
    finer.#copy(this);
    this.used = 0;
    this.#list = noList;
    this.#counts = noCounts;
    this.merge(finer, 1);
  }

  /** See `WalkedBins`. */
  seek(walk: BinWalk, rank: number, ascending: boolean): number | undefined {
    const list = this.#list;
    const counts = this.#counts;
    const length = list === undefined ? counts.length : this.used;
    let { at, seen } = walk;
    // A loop for each, with nothing to choose inside.
    if (list !== undefined) {
      for (let slot = ascending ? at : length - 1 - at; at < length; at++, slot += ascending ? 1 : -1) {
        const upTo = seen + list[slot * 2 + 1]!;
        if (upTo > rank) break;
        seen = upTo;
      }
    } else if (ascending) {
      for (; at < length; at++) {
        const upTo = seen + counts[at]!;
        if (upTo > rank) break;
        seen = upTo;
      }
    } else {
      for (; at < length; at++) {
        const upTo = seen + counts[length - 1 - at]!;
        if (upTo > rank) break;
        seen = upTo;
      }
    }
    walk.at = at;
    walk.seen = seen;
    if (at === length) return undefined;
    const slot = ascending ? at : length - 1 - at;
    return list === undefined ? this.#base + slot : list[slot * 2]!;
  }

  /** Writes what is in use, ascending, to the beginning of two arrays that have room for it. @returns how many that are */
  copyTo(keys: Int32Array, counts: Float64Array): number {
    const list = this.#list;
    if (list !== undefined) {
      for (let slot = 0; slot < this.used; slot++) {
        keys[slot] = list[slot * 2]!;
        counts[slot] = list[slot * 2 + 1]!;
      }
      return this.used;
    }
    let used = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count === 0) continue;
      keys[used] = this.#base + at;
      counts[used++] = count;
    }
    return used;
  }

  #addToList(key: number, count: number): void {
    const list = this.#list!;
    const slot = this.#slotOf(list, key);
    this.#lastSlot = slot;
    if (slot < this.used && list[slot * 2] === key) {
      list[slot * 2 + 1]! += count;
      return;
    }
    const into = this.#withGap(list, slot);
    into[slot * 2] = key;
    into[slot * 2 + 1] = count;
    this.#list = into;
    this.used++;
    if (this.used >= listEntries) this.#tryDense(into);
  }

  /** The list, or a longer one in its place, whose bins from `slot` on stand one further behind. */
  #withGap(list: number[], slot: number): number[] {
    const end = this.used * 2;
    let into = list;
    if (end === list.length) {
      into = new Array<number>(end + Math.max(2, (this.used >> 1) * 2));
      for (let at = 0; at < slot * 2; at++) into[at] = list[at]!;
    }
    for (let at = end - 1; at >= slot * 2; at--) into[at + 2] = list[at]!;
    return into;
  }

  /** The slot of `key`, or where it would be inserted. */
  #slotOf(list: readonly number[], key: number): number {
    const last = this.#lastSlot;
    if (last < this.used && list[last * 2] === key) return last;
    let low = 0;
    let high = this.used;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle * 2]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tryDense(list: readonly number[]): void {
    const first = list[0]!;
    const span = list[this.used * 2 - 2]! - first + 1;
    if (span > this.used * minBinsPerUsed) return;
    const counts = new Float64Array(span);
    for (let at = 0; at < this.used * 2; at += 2) counts[list[at]! - first] = list[at + 1]!;
    this.#list = undefined;
    this.#counts = counts;
    this.#base = first;
  }

  /** Makes room for `key` in the dense range; or, where that would be mostly empty, turns it into a list and says false. */
  #widen(key: number): boolean {
    const first = Math.min(key, this.#base);
    const span = Math.max(key + 1, this.#base + this.#counts.length) - first;
    if (span > (this.used + 1) * maxBinsPerUsed) {
      this.#becomeList();
      return false;
    }
    // A quarter more on the side that grows, so that drifting data does not copy the range for every new bin.
    const slack = Math.min(span >> 2, (this.used + 1) * maxBinsPerUsed - span);
    const counts = new Float64Array(span + slack);
    const base = key < this.#base ? first - slack : first;
    counts.set(this.#counts, this.#base - base);
    this.#counts = counts;
    this.#base = base;
    return true;
  }

  #becomeList(): void {
    const list = new Array<number>(this.used * 2);
    let end = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count === 0) continue;
      list[end++] = this.#base + at;
      list[end++] = count;
    }
    this.#list = list;
    this.#counts = noCounts;
    this.#lastSlot = 0;
  }
}

/** Stands for the bins of a sign that no value had; never written. */
export const noBins = new Bins();
