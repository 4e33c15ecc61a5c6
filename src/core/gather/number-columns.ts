import { Histogram } from '../sketch/histogram.js';
import { bucketKey } from '../sketch/scale.js';
import { BucketLog } from './bucket-log.js';

/** Doubles a row: one cache line, so that an event of a cold row costs one miss. */
const stride = 8;
const eventsAt = 0;
const countAt = 1;
const totalAt = 2;
/** The value of a row that has seen one value only; the minimum of the others. */
const minAt = 3;
const maxAt = 4;
/** 1 when the row has seen several different values. */
const variedAt = 5;

/** What a row has gathered. */
export interface Gathered {
  /** How many events, each counting as one whatever it weighs. */
  readonly events: number;
  /** The one value that came, with the sum of its weights; undefined where several different ones did. */
  readonly single: { readonly value: number; readonly weight: number } | undefined;
  /** All of it. */
  readonly numbers: Histogram;
}

/**
 * Numbers of one moment by row, in columns: what a receiver of single events puts before the Handlers. An event touches
 * one line of memory, and where a row has different values the end of a log; histograms and States, which are many
 * objects each, are touched once for all the events of a row.
 *
 * Rows are numbers from 0 that the caller gives out, densely. Memory follows from the number of rows and of different
 * values, never from the number of events.
 */
export class NumberColumns {
  #rows = new Float64Array(1024 * stride);
  #touched = new Int32Array(1024);
  #touchedCount = 0;
  #events = 0;
  readonly #log: BucketLog;
  /** Buckets of rows with several values, as far as they have left the log. */
  readonly #histograms = new Map<number, Histogram>();

  /** @param logCapacity higher values bring more events of a row together, at 12 bytes each */
  constructor(logCapacity = 2 ** 18) {
    this.#log = new BucketLog(logCapacity);
  }

  /** Events gathered and not yet drained. */
  get events(): number {
    return this.#events;
  }

  /** Rows that have gathered something. */
  get touched(): number {
    return this.#touchedCount;
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
    if (rows[at + variedAt] === 0) {
      if (rows[at + minAt] === value) return;
      // The second value: from now on there are buckets, first that of the value that was alone.
      rows[at + variedAt] = 1;
      rows[at + maxAt] = rows[at + minAt]!;
      this.#addToBucket(row, rows[at + minAt]!, countBefore);
    }
    if (value < rows[at + minAt]!) rows[at + minAt] = value;
    if (value > rows[at + maxAt]!) rows[at + maxAt] = value;
    this.#addToBucket(row, value, weight);
  }

  #addToBucket(row: number, value: number, weight: number): void {
    const key = bucketKey(value);
    if (weight !== 1) {
      this.#histogram(row).addToBucket(key, weight);
      return;
    }
    if (this.#log.isFull) this.#settle();
    this.#log.add(row, key);
  }

  #histogram(row: number): Histogram {
    let histogram = this.#histograms.get(row);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.#histograms.set(row, histogram);
    }
    return histogram;
  }

  /** Moves what is in the log to where it belongs. */
  #settle(): void {
    this.#log.drain((row, keys, start, end) => {
      const histogram = this.#histogram(row);
      for (let at = start; at < end; at++) histogram.addToBucket(keys[at]!, 1);
    });
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
    this.#settle();
    const rows = this.#rows;
    for (let index = 0; index < this.#touchedCount; index++) {
      const row = this.#touched[index]!;
      const gathered = this.#gathered(row);
      rows.fill(0, row * stride, (row + 1) * stride);
      take(row, gathered);
    }
    this.#histograms.clear();
    this.#touchedCount = 0;
    this.#events = 0;
  }

  #gathered(row: number): Gathered {
    const at = row * stride;
    const rows = this.#rows;
    const events = rows[at + eventsAt]!;
    const weight = rows[at + countAt]!;
    const value = rows[at + minAt]!;
    const varied = this.#histograms.get(row);
    if (varied === undefined) return new SingleValue(events, value, weight);
    varied.count = weight;
    varied.total = rows[at + totalAt]!;
    varied.min = value;
    varied.max = rows[at + maxAt]!;
    return { events, single: undefined, numbers: varied };
  }
}

/** A row of one value, whose histogram is made only for those who ask. */
class SingleValue implements Gathered {
  readonly events: number;
  readonly single: { readonly value: number; readonly weight: number };

  constructor(events: number, value: number, weight: number) {
    this.events = events;
    this.single = { value, weight };
  }

  get numbers(): Histogram {
    const histogram = new Histogram();
    histogram.add(this.single.value, this.single.weight);
    return histogram;
  }
}
