import { Histogram } from '../sketch/histogram.js';
import { BucketWeights } from './bucket-weights.js';

/** Doubles a row: one cache line, so that an event of a cold row costs one miss. */
const stride = 8;
const eventsAt = 0;
const countAt = 1;
const totalAt = 2;
/** The value of a row that has seen one value only; the minimum of the others. */
const minAt = 3;
const maxAt = 4;
/** Where the row's buckets begin in BucketWeights; 0 while it has seen one value only. */
const bucketsAt = 5;

/** What a row has gathered. */
export interface Gathered {
  /** How many events, each counting as one whatever it weighs. */
  readonly events: number;
  /** The one value that came, with the sum of its weights; undefined where several different ones did. */
  readonly single: { readonly value: number; readonly weight: number } | undefined;
  /** All of it; the same object for every row: gone with the next. */
  readonly numbers: Histogram;
}

/**
 * Numbers of one moment by row, in columns: what a receiver of single events puts before the Handlers. Folding an event
 * touches one line of memory, and where a row has different values one more for the bucket; a State, which is many
 * objects, is touched once for all events of a row.
 *
 * Rows are numbers from 0 that the caller gives out, densely. Memory follows from the number of rows and of different (row,
 * bucket) pairs, never from the number of events: see `isFull`.
 */
export class NumberColumns {
  #rows = new Float64Array(1024 * stride);
  #touched = new Int32Array(1024);
  #touchedCount = 0;
  #events = 0;
  readonly #buckets: BucketWeights;

  /** @param maxBuckets (row, bucket) pairs after which `isFull`, at some 40 bytes each */
  constructor(maxBuckets = 2 ** 18) {
    const heads = {
      get: (row: number) => this.#rows[row * stride + bucketsAt]!,
      set: (row: number, head: number) => {
        this.#rows[row * stride + bucketsAt] = head;
      },
    };
    this.#buckets = new BucketWeights(heads, maxBuckets);
  }

  /** Events gathered and not yet drained. */
  get events(): number {
    return this.#events;
  }

  /** Rows that have gathered something. */
  get touched(): number {
    return this.#touchedCount;
  }

  /** It is time to drain. Adding goes on being possible, and goes on taking memory. */
  get isFull(): boolean {
    return this.#buckets.isFull;
  }

  /** @param value finite, not -0 @param weight above 0 */
  add(row: number, value: number, weight: number): void {
    const at = row * stride;
    if (at >= this.#rows.length) this.#reach(row);
    const rows = this.#rows;
    this.#events++;
    const before = rows[at]!;
    rows[at] = before + 1;
    if (before === 0) {
      this.#touched[this.#touchedCount++] = row;
      rows[at + countAt] = weight;
      rows[at + totalAt] = value * weight;
      rows[at + minAt] = value;
      return;
    }
    const countBefore = rows[at + countAt]!;
    rows[at + countAt] = countBefore + weight;
    rows[at + totalAt]! += value * weight;
    if (rows[at + bucketsAt] === 0) {
      if (rows[at + minAt] === value) return;
      this.#spread(row, countBefore);
    }
    if (value < rows[at + minAt]!) rows[at + minAt] = value;
    if (value > rows[at + maxAt]!) rows[at + maxAt] = value;
    this.#buckets.add(row, value, weight);
  }

  /** A second value came: from now on the row's values go into buckets, beginning with the first, which weighs `weight`. */
  #spread(row: number, weight: number): void {
    const at = row * stride;
    const value = this.#rows[at + minAt]!;
    this.#rows[at + maxAt] = value;
    this.#buckets.add(row, value, weight);
  }

  #reach(row: number): void {
    const capacity = Math.max(row + 1, (this.#rows.length / stride) * 2);
    const rows = new Float64Array(capacity * stride);
    rows.set(this.#rows);
    this.#rows = rows;
    const touched = new Int32Array(capacity);
    touched.set(this.#touched);
    this.#touched = touched;
  }

  /**
   * Gives out every row that has gathered something, in the order in which they began, and empties it.
   * @param take must not add
   */
  drain(take: (row: number, gathered: Gathered) => void): void {
    const gathered = new DrainedRow(this.#buckets);
    for (let index = 0; index < this.#touchedCount; index++) {
      const row = this.#touched[index]!;
      const at = row * stride;
      gathered.of(this.#rows, at);
      this.#rows.fill(0, at, at + stride);
      take(row, gathered);
    }
    this.#touchedCount = 0;
    this.#events = 0;
    this.#buckets.clear();
  }
}

/** One row after the other, read out of the columns; its histogram is made only for those who ask. */
class DrainedRow implements Gathered {
  events = 0;
  single: { value: number; weight: number } | undefined;
  readonly #one = { value: 0, weight: 0 };
  readonly #weights: BucketWeights;
  #count = 0;
  #total = 0;
  #min = 0;
  #max = 0;
  #buckets = 0;

  constructor(weights: BucketWeights) {
    this.#weights = weights;
  }

  of(rows: Float64Array, at: number): void {
    this.events = rows[at + eventsAt]!;
    this.#count = rows[at + countAt]!;
    this.#total = rows[at + totalAt]!;
    this.#min = rows[at + minAt]!;
    this.#max = rows[at + maxAt]!;
    this.#buckets = rows[at + bucketsAt]!;
    this.#one.value = this.#min;
    this.#one.weight = this.#count;
    this.single = this.#buckets === 0 ? this.#one : undefined;
  }

  get numbers(): Histogram {
    const histogram = new Histogram();
    if (this.single !== undefined) {
      histogram.add(this.single.value, this.single.weight);
      return histogram;
    }
    histogram.count = this.#count;
    histogram.total = this.#total;
    histogram.min = this.#min;
    histogram.max = this.#max;
    this.#weights.visit(this.#buckets, (key, weight) => histogram.addToBucket(key, weight));
    return histogram;
  }
}
