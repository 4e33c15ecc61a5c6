/** The widest page: sixteen octaves of values. */
export const maxPageKeys = 2048;
/** A count that gets here leaves the page, see `add`. */
export const countBase = 256;
const leastPageKeys = 32;
const firstCounts = 2 ** 14;

/**
 * Counts by bucket for many rows in one array, each row on a page of its own: neighbouring buckets, so that a count costs no
 * look-up. A count is one byte, so that the pages of a thousand rows stay in the caches of a core; what exceeds that is
 * carried to where the caller keeps larger ones. Pages are laid down one behind the other; the page that a row leaves behind when it
 * moves to a larger one serves another.
 */
export class CountPages {
  readonly #maxCounts: number;
  #used = 0;
  /** Where empty pages begin that nobody has any more, by size. */
  readonly #left = new Map<number, number[]>();
  /** Changes when pages are made. */
  counts = new Uint8Array(firstCounts);

  constructor(maxCounts: number) {
    this.#maxCounts = maxCounts;
  }

  /**
   * Whether it is time to begin anew, with all rows empty: most of the room is laid out, and little of it for those who used it lately.
   * @param lately counts on the pages of these
   */
  isCrowdedBy(lately: number): boolean {
    return this.#used > this.#maxCounts / 2 && lately < this.#used / 4;
  }

  /** @returns an empty page for at least so many buckets, with some to spare; undefined where there is no room */
  make(keys: number): { readonly start: number; readonly size: number } | undefined {
    const size = Math.max(leastPageKeys, 2 ** Math.ceil(Math.log2(keys * 1.25)));
    const left = this.#left.get(size)?.pop();
    if (left !== undefined) return { start: left, size };
    const start = this.#used;
    const end = start + size;
    if (end > this.#maxCounts) return undefined;
    if (end > this.counts.length) {
      const counts = new Uint8Array(Math.min(this.#maxCounts, this.counts.length * 2));
      counts.set(this.counts);
      this.counts = counts;
    }
    this.#used = end;
    return { start, size };
  }

  /** Adds to the count at a place. @returns what is too much for it: 0, or a multiple of 256, which the page has not */
  add(at: number, weight: number): number {
    const count = this.counts[at]! + weight;
    this.counts[at] = count;
    return count < countBase ? 0 : count - (count % countBase);
  }

  /** Moves the counts of a whole page to a place on a larger one, and gives the page back. */
  move(start: number, size: number, to: number): void {
    this.counts.copyWithin(to, start, start + size);
    this.counts.fill(0, start, start + size);
    const left = this.#left.get(size);
    if (left === undefined) this.#left.set(size, [start]);
    else left.push(start);
  }

  /** Sets the counts of a page to 0. */
  empty(start: number, size: number): void {
    this.counts.fill(0, start, start + size);
  }

  /** Gives the room of all pages back; they must be empty. */
  clear(): void {
    this.#used = 0;
    this.#left.clear();
    if (this.counts.length > firstCounts) this.counts = new Uint8Array(firstCounts);
  }
}
