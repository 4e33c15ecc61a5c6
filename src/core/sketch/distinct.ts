import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { HyperLogLog } from './hyperloglog.js';
import type { Hash64 } from './murmur3.js';

/** Up to so many different values are counted exactly (but for two of one hash: one chance in 10^14). */
export const maxExactDistinct = 256;

/**
 * How many different values there were: the set of their 64-bit hashes up to 256 of them, a HyperLogLog beyond. Which of
 * the two it is, and what it holds, follows from the set of values alone, so the order of merges does not matter.
 */
export class Distinct {
  /** Ascending, while the sketch is undefined. */
  #hashes: Hash64[] = [];
  #sketch: HyperLogLog | undefined;
  /** How many events came in: a cell that holds some is not empty. */
  events = 0;

  add(hash: Hash64, events = 1): void {
    this.events += events;
    this.#insert(hash);
  }

  merge(from: Distinct): void {
    this.events += from.events;
    if (from.#sketch !== undefined) this.#toSketch().merge(from.#sketch);
    for (const hash of from.#hashes) this.#insert(hash);
  }

  /** A whole number: exact up to 256, else within a few times 1.6 %. */
  count(): number {
    return this.#sketch === undefined ? this.#hashes.length : Math.round(this.#sketch.estimate());
  }

  get exact(): boolean {
    return this.#sketch === undefined;
  }

  #insert(hash: Hash64): void {
    if (this.#sketch !== undefined) {
      this.#sketch.add(hash);
      return;
    }
    const at = this.#placeOf(hash);
    const found = this.#hashes[at];
    if (found !== undefined && compare(found, hash) === 0) return;
    this.#hashes.splice(at, 0, hash);
    if (this.#hashes.length > maxExactDistinct) this.#toSketch();
  }

  #placeOf(hash: Hash64): number {
    let low = 0;
    let high = this.#hashes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#hashes[middle]!, hash) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #toSketch(): HyperLogLog {
    if (this.#sketch === undefined) {
      this.#sketch = new HyperLogLog();
      for (const hash of this.#hashes) this.#sketch.add(hash);
      this.#hashes = [];
    }
    return this.#sketch;
  }

  /** The count of events; then the number of hashes and each as two u32 in ascending order, or 257 and the sketch. */
  encode(out: ByteWriter): void {
    out.count(this.events);
    if (this.#sketch !== undefined) {
      out.varint(maxExactDistinct + 1);
      this.#sketch.encode(out);
      return;
    }
    out.varint(this.#hashes.length);
    for (const { high, low } of this.#hashes) {
      out.u32(high);
      out.u32(low);
    }
  }

  /** @throws TabaError `corrupt` */
  static decode(input: ByteReader): Distinct {
    const distinct = new Distinct();
    distinct.events = input.count();
    const hashes = input.varint();
    if (hashes > maxExactDistinct + 1) throw new TabaError('corrupt', `a set of ${hashes} hashes`);
    if (hashes === maxExactDistinct + 1) {
      distinct.#sketch = HyperLogLog.decode(input);
      return distinct;
    }
    for (let left = hashes; left > 0; left--) {
      const hash = { high: input.u32(), low: input.u32() };
      const last = distinct.#hashes.at(-1);
      if (last !== undefined && compare(last, hash) >= 0)
        throw new TabaError('corrupt', 'hashes out of order');
      distinct.#hashes.push(hash);
    }
    return distinct;
  }
}

function compare(a: Hash64, b: Hash64): number {
  return a.high - b.high || a.low - b.low;
}
