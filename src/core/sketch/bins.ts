/** While a dense range would cost more than this many bins for each one in use, bins are kept as a sorted list. */
const maxBinsPerUsed = 8;
/** A list becomes a dense range when that has at most this many bins for each one in use; less than the above, so that nothing flutters. */
const minBinsPerUsed = 4;
/** Ranges up to this size are dense in any case once a list has this many entries. */
const listEntries = 16;

const noCounts = new Float64Array(0);

/**
 * The bins of one sign of a histogram: a count (a double, above 0) by index. Few or widely scattered bins are a sorted
 * list of (index, count), close ones a dense range of counts; nothing outside can tell which.
 */
export class Bins {
  /** How many bins hold something. */
  used = 0;
  /** Indices of a list, ascending, `used` of them; undefined while the bins are a dense range. */
  #keys: Int32Array | undefined = new Int32Array(0);
  /** Counts of the list, or of the range's bins. */
  #counts: Float64Array = noCounts;
  /** Index of the range's first bin. */
  #base = 0;
  /** Where the last look-up of a list ended: values of one tab often repeat. */
  #lastSlot = 0;

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
      for (let slot = 0; slot < from.used; slot++) this.add(keys[slot]! >> shift, counts[slot]!);
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
    this.#keys = from.#keys?.slice(0, from.used);
    this.#counts = from.#keys === undefined ? from.#counts.slice() : from.#counts.slice(0, from.used);
    this.#base = from.#base;
    this.#lastSlot = 0;
  }

  /** Joins every two neighbours (2i and 2i + 1): one scale coarser. */
  coarsen(): void {
    const finer = new Bins();
    finer.#copy(this);
    this.used = 0;
    this.#keys = new Int32Array(0);
    this.#counts = noCounts;
    this.merge(finer, 1);
  }

  /** What is in use, ascending: a copy. */
  list(): { readonly keys: Int32Array; readonly counts: Float64Array } {
    if (this.#keys !== undefined) {
      return { keys: this.#keys.slice(0, this.used), counts: this.#counts.slice(0, this.used) };
    }
    const keys = new Int32Array(this.used);
    const counts = new Float64Array(this.used);
    let slot = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count === 0) continue;
      keys[slot] = this.#base + at;
      counts[slot++] = count;
    }
    return { keys, counts };
  }

  #addToList(key: number, count: number): void {
    let keys = this.#keys!;
    const slot = this.#slotOf(keys, key);
    this.#lastSlot = slot;
    if (slot < this.used && keys[slot] === key) {
      this.#counts[slot]! += count;
      return;
    }
    if (this.used === keys.length) {
      const capacity = Math.max(4, this.used * 2);
      const moreKeys = new Int32Array(capacity);
      const moreCounts = new Float64Array(capacity);
      moreKeys.set(keys);
      moreCounts.set(this.#counts);
      keys = this.#keys = moreKeys;
      this.#counts = moreCounts;
    }
    keys.copyWithin(slot + 1, slot, this.used);
    this.#counts.copyWithin(slot + 1, slot, this.used);
    keys[slot] = key;
    this.#counts[slot] = count;
    this.used++;
    if (this.used >= listEntries) this.#tryDense(keys);
  }

  /** The slot of `key`, or where it would be inserted. */
  #slotOf(keys: Int32Array, key: number): number {
    if (this.#lastSlot < this.used && keys[this.#lastSlot] === key) return this.#lastSlot;
    let low = 0;
    let high = this.used;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tryDense(keys: Int32Array): void {
    const first = keys[0]!;
    const span = keys[this.used - 1]! - first + 1;
    if (span > this.used * minBinsPerUsed) return;
    const counts = new Float64Array(span);
    for (let slot = 0; slot < this.used; slot++) counts[keys[slot]! - first] = this.#counts[slot]!;
    this.#keys = undefined;
    this.#counts = counts;
    this.#base = first;
  }

  /** Makes room for `key` in the dense range; or, where that would be mostly empty, turns it into a list and says false. */
  #widen(key: number): boolean {
    const first = Math.min(key, this.#base);
    const span = Math.max(key + 1, this.#base + this.#counts.length) - first;
    if (span > (this.used + 1) * maxBinsPerUsed) {
      const { keys, counts } = this.list();
      this.#keys = keys;
      this.#counts = counts;
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
