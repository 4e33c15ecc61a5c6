/** So many bins of one sign may be in use before neighbours merge. At the finest scale that is 64 octaves without a gap. */
export const maxBinsPerSign = 8192;
/** While a dense range would cost more than this many bins for each one in use, bins are kept as a sorted list. */
const maxBinsPerUsed = 8;
/** A list becomes a dense range when that has at most this many bins for each one in use; less than the above, so that nothing flutters. */
const minBinsPerUsed = 4;
/** Ranges up to this size are dense in any case once a list has this many entries. */
const listEntries = 16;

const noCounts = new Float64Array(0);

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
  /** Indices of the list, ascending; undefined while the bins are a dense range. Small plain arrays are cheaper to make than typed ones. */
  #keys: number[] | undefined = [];
  /** Counts of the list, beside its indices. */
  #listed: number[] = [];
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
      bins.#keys = undefined;
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
      bins.#keys = undefined;
      bins.#counts = range;
      bins.#base = first;
      return bins;
    }
    // Element by element: copying typed arrays into plain ones as a whole is several times slower.
    const [ownKeys, ownCounts] = [[first], [counts[0]!]];
    for (let slot = 1; slot < used; slot++) {
      ownKeys.push(keys[slot]!);
      ownCounts.push(counts[slot]!);
    }
    bins.#keys = ownKeys;
    bins.#listed = ownCounts;
    return bins;
  }

  /** Adds `count` (above 0) to bin `key`. */
  add(key: number, count: number): void {
    if (this.#keys === undefined) {
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
    const keys = from.#keys;
    const counts = from.#counts;
    if (shift === 0 && this.used === 0) {
      this.#copy(from);
      return;
    }
    if (keys !== undefined) {
      for (let slot = 0; slot < keys.length; slot++) this.add(keys[slot]! >> shift, from.#listed[slot]!);
      return;
    }
    const first = from.#base;
    const last = first + counts.length - 1;
    const end = this.#base + this.#counts.length - 1;
    if (shift === 0 && this.#keys === undefined && first >= this.#base && last <= end) {
      this.#addRange(counts, first - this.#base);
      return;
    }
    for (let at = 0; at < counts.length; at++) {
      if (counts[at] !== 0) this.add((first + at) >> shift, counts[at]!);
    }
  }

  /** Adds bins `keys`, ascending, with their counts, all above 0: the first `used` of each array. Their indices lose their lower `shift` bits. */
  addList(keys: Int32Array, counts: Float64Array, used: number, shift: number): void {
    const own = this.#counts;
    const base = this.#base;
    const fits =
      this.#keys === undefined && keys[0]! >> shift >= base && keys[used - 1]! >> shift < base + own.length;
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
    this.#keys = from.#keys?.slice();
    this.#listed = from.#listed.slice();
    this.#counts = from.#keys === undefined ? from.#counts.slice() : noCounts;
    this.#base = from.#base;
    this.#lastSlot = 0;
  }

  /** Joins every two neighbours (2i and 2i + 1): one scale coarser. */
  coarsen(): void {
    const finer = new Bins();
    finer.#copy(this);
    this.used = 0;
    this.#keys = [];
    this.#listed = [];
    this.#counts = noCounts;
    this.merge(finer, 1);
  }

  /**
   * Goes on with a walk, ascending or descending, to the bin that holds the value at index `rank`, and stays before it.
   * @returns the bin, or undefined when the walk has passed them all
   */
  seek(walk: BinWalk, rank: number, ascending: boolean): number | undefined {
    const counts = this.#keys === undefined ? this.#counts : this.#listed;
    const { length } = counts;
    let { at, seen } = walk;
    let slot = -1;
    for (; at < length; at++) {
      slot = ascending ? at : length - 1 - at;
      const upTo = seen + counts[slot]!;
      if (upTo > rank) break;
      seen = upTo;
    }
    walk.at = at;
    walk.seen = seen;
    if (at === length) return undefined;
    return this.#keys === undefined ? this.#base + slot : this.#keys[slot]!;
  }

  /** What is in use, ascending; to be read only, and before anything changes. */
  list(): { readonly keys: readonly number[]; readonly counts: readonly number[] } {
    if (this.#keys !== undefined) return { keys: this.#keys, counts: this.#listed };
    return this.#rangeAsList();
  }

  #rangeAsList(): { keys: number[]; counts: number[] } {
    const keys: number[] = [];
    const counts: number[] = [];
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count === 0) continue;
      keys.push(this.#base + at);
      counts.push(count);
    }
    return { keys, counts };
  }

  #addToList(key: number, count: number): void {
    const keys = this.#keys!;
    if (keys.length === 0) {
      // Most lists of a Part have one entry; an array that is pushed to makes room for sixteen more.
      this.#keys = [key];
      this.#listed = [count];
      this.#lastSlot = 0;
      this.used = 1;
      return;
    }
    const slot = this.#slotOf(keys, key);
    this.#lastSlot = slot;
    if (keys[slot] === key) {
      this.#listed[slot]! += count;
      return;
    }
    if (slot === keys.length) {
      keys.push(key);
      this.#listed.push(count);
    } else {
      keys.splice(slot, 0, key);
      this.#listed.splice(slot, 0, count);
    }
    this.used++;
    if (this.used >= listEntries) this.#tryDense(keys);
  }

  /** The slot of `key`, or where it would be inserted. */
  #slotOf(keys: readonly number[], key: number): number {
    if (keys[this.#lastSlot] === key) return this.#lastSlot;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tryDense(keys: readonly number[]): void {
    const first = keys[0]!;
    const span = keys[keys.length - 1]! - first + 1;
    if (span > this.used * minBinsPerUsed) return;
    const counts = new Float64Array(span);
    for (let slot = 0; slot < keys.length; slot++) counts[keys[slot]! - first] = this.#listed[slot]!;
    this.#keys = undefined;
    this.#listed = [];
    this.#counts = counts;
    this.#base = first;
  }

  /** Makes room for `key` in the dense range; or, where that would be mostly empty, turns it into a list and says false. */
  #widen(key: number): boolean {
    const first = Math.min(key, this.#base);
    const span = Math.max(key + 1, this.#base + this.#counts.length) - first;
    if (span > (this.used + 1) * maxBinsPerUsed) {
      const { keys, counts } = this.#rangeAsList();
      this.#keys = keys;
      this.#listed = counts;
      this.#counts = noCounts;
      this.#lastSlot = 0;
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
}

/** Stands for the bins of a sign that no value had; never written. */
export const noBins = new Bins();
