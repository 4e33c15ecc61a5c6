import { bucketKey } from '../sketch/scale.js';

/** Where the list of a row begins: the caller keeps it beside what else it knows of the row. 0: there is none. */
export interface ListHeads {
  get(row: number): number;
  set(row: number, head: number): void;
}

const leastSlots = 1024;
/** 32-bit words a slot: row + 1 (0: free) and bucket, then the weight as a double. */
const words = 4;
/** Share of the slots that may be in use: beyond it probes become long. */
const maxLoad = 0.5;

/**
 * Weights by (row, bucket): an open-addressed table, 16 bytes a slot, so that adding to a pair costs one look at memory;
 * and a list through the slots of each row, so that they are found again.
 */
export class BucketWeights {
  readonly #heads: ListHeads;
  readonly #maxUsed: number;
  #keys = new Int32Array(leastSlots * words);
  #weights = new Float64Array(this.#keys.buffer);
  /** By slot: the next of the same row, plus 1; 0 at the end. */
  #next = new Int32Array(leastSlots);
  #mask = leastSlots - 1;
  #used = 0;

  /** @param maxUsed pairs after which `isFull` */
  constructor(heads: ListHeads, maxUsed: number) {
    this.#heads = heads;
    this.#maxUsed = maxUsed;
  }

  get isFull(): boolean {
    return this.#used >= this.#maxUsed;
  }

  /** Adds `weight` to the bucket of `value`. */
  add(row: number, value: number, weight: number): void {
    const key = bucketKey(value);
    let slot = this.#find(row, key);
    if (this.#keys[slot * words] === row + 1) {
      this.#weights[slot * 2 + 1]! += weight;
      return;
    }
    if (this.#used >= (this.#mask + 1) * maxLoad) {
      this.#grow();
      slot = this.#find(row, key);
    }
    this.#put(slot, row, key, weight);
  }

  /** The slot of (row, key), or the free one where it belongs. */
  #find(row: number, key: number): number {
    const keys = this.#keys;
    const mask = this.#mask;
    let hash = Math.imul(row, 0x9e3779b1) ^ Math.imul(key, 0x85ebca77);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const owner = keys[slot * words]!;
      if (owner === 0 || (owner === row + 1 && keys[slot * words + 1] === key)) return slot;
    }
  }

  #put(slot: number, row: number, key: number, weight: number): void {
    this.#keys[slot * words] = row + 1;
    this.#keys[slot * words + 1] = key;
    this.#weights[slot * 2 + 1] = weight;
    this.#next[slot] = this.#heads.get(row);
    this.#heads.set(row, slot + 1);
    this.#used++;
  }

  #grow(): void {
    const keys = this.#keys;
    const weights = this.#weights;
    const slots = this.#mask + 1;
    for (let slot = 0; slot < slots; slot++) {
      if (keys[slot * words] !== 0) this.#heads.set(keys[slot * words]! - 1, 0);
    }
    this.#keys = new Int32Array(slots * 2 * words);
    this.#weights = new Float64Array(this.#keys.buffer);
    this.#next = new Int32Array(slots * 2);
    this.#mask = slots * 2 - 1;
    this.#used = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (keys[slot * words] === 0) continue;
      const row = keys[slot * words]! - 1;
      const key = keys[slot * words + 1]!;
      this.#put(this.#find(row, key), row, key, weights[slot * 2 + 1]!);
    }
  }

  /** The buckets of the row whose list begins at `head`, in no particular order. */
  visit(head: number, visit: (key: number, weight: number) => void): void {
    for (let at = head; at !== 0; at = this.#next[at - 1]!) {
      visit(this.#keys[(at - 1) * words + 1]!, this.#weights[(at - 1) * 2 + 1]!);
    }
  }

  /** Empties the table; heads mean nothing any more. */
  clear(): void {
    if (this.#used > 0) this.#keys.fill(0);
    this.#used = 0;
  }
}
