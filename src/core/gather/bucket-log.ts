/**
 * (row, bucket) pairs in the order in which they came, to be taken out row by row. Writing goes to one place in memory;
 * what belongs to a row is brought together by a counting sort, which is several times cheaper than looking each row up
 * for each event.
 */
export class BucketLog {
  /** Row and key in turns. */
  readonly #log: Int32Array;
  readonly #sorted: Int32Array;
  #length = 0;
  /** By row: how many of its pairs are in the log; then where the next one goes. */
  #places = new Int32Array(1024);
  #rows: number[] = [];

  /** @param capacity pairs, at 12 bytes each */
  constructor(capacity: number) {
    this.#log = new Int32Array(capacity * 2);
    this.#sorted = new Int32Array(capacity);
  }

  get isFull(): boolean {
    return this.#length === this.#log.length;
  }

  /** Only while it is not full. */
  add(row: number, key: number): void {
    this.#log[this.#length++] = row;
    this.#log[this.#length++] = key;
  }

  /** Gives out everything: each row once, with its keys from `start` up to `end`, which are gone afterwards. */
  drain(take: (row: number, keys: Int32Array, start: number, end: number) => void): void {
    const log = this.#log;
    const length = this.#length;
    for (let at = 0; at < length; at += 2) this.#count(log[at]!);
    const places = this.#places;
    const rows = this.#rows;
    let start = 0;
    for (const row of rows) {
      const count = places[row]!;
      places[row] = start;
      start += count;
    }
    const sorted = this.#sorted;
    for (let at = 0; at < length; at += 2) sorted[places[log[at]!]!++] = log[at + 1]!;
    this.#length = 0;
    this.#rows = [];
    let from = 0;
    for (const row of rows) {
      const end = places[row]!;
      places[row] = 0;
      take(row, sorted, from, end);
      from = end;
    }
  }

  #count(row: number): void {
    if (row >= this.#places.length) {
      const places = new Int32Array(Math.max(row + 1, this.#places.length * 2));
      places.set(this.#places);
      this.#places = places;
    }
    if (this.#places[row]!++ === 0) this.#rows.push(row);
  }
}
