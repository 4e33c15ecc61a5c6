/** What a row has one behind the other. More of them are found sooner on a page, see count-pages.ts. */
export const keysPerList = 32;
/** Of a weight, which is below. */
const weightBits = 8;
const firstLists = 32;

/**
 * The buckets of rows that have seen few values, in one array: each row has a short list, two lines of memory, to which an event
 * adds its bucket's key and its weight. What is a thousand times as wide, a page, is only worth its while for a row with many.
 */
export class KeyLists {
  #used = 0;
  /** Where lists begin that nobody has any more. */
  #left: number[] = [];
  /** Changes when lists are made. */
  entries = new Int32Array(firstLists * keysPerList);

  /** @returns where an empty list begins */
  make(): number {
    const left = this.#left.pop();
    if (left !== undefined) return left;
    const start = this.#used;
    this.#used += keysPerList;
    if (this.#used > this.entries.length) {
      const entries = new Int32Array(this.entries.length * 2);
      entries.set(this.entries);
      this.entries = entries;
    }
    return start;
  }

  /** Another row may have it. */
  giveBack(start: number): void {
    this.#left.push(start);
  }

  /** Gives the room of all lists back. */
  clear(): void {
    this.#used = 0;
    this.#left = [];
    if (this.entries.length > firstLists * keysPerList) {
      this.entries = new Int32Array(firstLists * keysPerList);
    }
  }
}

/** @param key see `bucketKey` @param weight whole, 1 to 255 */
export function listEntry(key: number, weight: number): number {
  return (key << weightBits) | weight;
}

export function keyOfEntry(entry: number): number {
  return entry >> weightBits;
}

export function weightOfEntry(entry: number): number {
  return entry & (2 ** weightBits - 1);
}

/** Puts a list into the order of its keys. */
export function sortEntries(entries: Int32Array, start: number, length: number): void {
  for (let next = start + 1; next < start + length; next++) {
    const entry = entries[next]!;
    let at = next;
    for (; at > start && entries[at - 1]! > entry; at--) entries[at] = entries[at - 1]!;
    entries[at] = entry;
  }
}
