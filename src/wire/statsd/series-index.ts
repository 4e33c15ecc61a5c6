const leastSlots = 2048;
const leastKeyWords = 16 * 1024;
/** 32-bit words per series: where its key begins, how long the name is (times 8, plus the kind), how long the tags are. */
const entryWords = 3;

export interface SeriesLimits {
  readonly maxSeries: number;
  /** Bytes of all keys together. */
  readonly maxKeyBytes: number;
}

/**
 * Numbers for the series of a stream, by the bytes that name one: name, kind and tags as they came in. A series that is
 * known is found without making a string. Numbers count from 0; they mean something until `clear`.
 */
export class SeriesIndex {
  readonly #limits: SeriesLimits;
  /** By slot: hash and number + 1 (0: free). */
  #slots = new Int32Array(leastSlots * 2);
  #mask = leastSlots - 1;
  #entries = new Int32Array(leastSlots * entryWords);
  /** Names and tags, each in whole words, the last one filled up with zeros. */
  #keys = new Int32Array(leastKeyWords);
  #keyBytes = new Uint8Array(this.#keys.buffer);
  #keyWords = 0;
  #size = 0;

  constructor(limits: SeriesLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** No room for more: `clear` it as soon as nothing needs the numbers any more. */
  get isFull(): boolean {
    return this.#size >= this.#limits.maxSeries || this.#keyWords * 4 >= this.#limits.maxKeyBytes;
  }

  /**
   * @param hash of name and tags
   * @param view of `bytes`; must reach four bytes beyond the name
   * @returns -1 for one that is not known
   */
  find(
    hash: number,
    kind: number,
    bytes: Uint8Array,
    view: DataView,
    nameStart: number,
    nameEnd: number,
    tagStart: number,
    tagEnd: number,
  ): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const entries = this.#entries;
    const keys = this.#keys;
    const nameAndKind = (nameEnd - nameStart) * 8 + kind;
    const tagBytes = tagEnd - tagStart;
    const lastWhole = nameEnd - 4;
    search: for (let slot = (hash + kind) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot * 2 + 1]!;
      if (found === 0) return -1;
      if (slots[slot * 2] !== hash) continue;
      const entry = (found - 1) * entryWords;
      if (entries[entry + 1] !== nameAndKind || entries[entry + 2] !== tagBytes) continue;
      let key = entries[entry]!;
      let at = nameStart;
      for (; at <= lastWhole; at += 4) if (view.getInt32(at, true) !== keys[key++]) continue search;
      const rest = nameEnd - at;
      if (rest > 0 && (view.getInt32(at, true) & (0x7fffffff >>> (31 - rest * 8))) !== keys[key++]) continue;
      if (tagBytes > 0) {
        const tags = this.#keyBytes;
        let byte = key * 4;
        for (at = tagStart; at < tagEnd; at++) if (tags[byte++] !== bytes[at]) continue search;
      }
      return found - 1;
    }
  }

  /** Gives a number to a series that `find` does not know. */
  add(
    hash: number,
    kind: number,
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    tagStart: number,
    tagEnd: number,
  ): number {
    if (this.#size * 2 >= this.#mask) this.#grow();
    const entry = this.#size * entryWords;
    this.#entries[entry] = this.#keyWords;
    this.#entries[entry + 1] = (nameEnd - nameStart) * 8 + kind;
    this.#entries[entry + 2] = tagEnd - tagStart;
    this.#append(bytes.subarray(nameStart, nameEnd));
    this.#append(bytes.subarray(tagStart, tagEnd));
    place(this.#slots, this.#mask, hash, kind, ++this.#size);
    return this.#size - 1;
  }

  #append(bytes: Uint8Array): void {
    const start = this.#keyWords;
    this.#keyWords += (bytes.length + 3) >> 2;
    if (this.#keyWords > this.#keys.length) {
      const keys = new Int32Array(Math.max(this.#keyWords, this.#keys.length * 2));
      keys.set(this.#keys);
      this.#keys = keys;
      this.#keyBytes = new Uint8Array(keys.buffer);
    }
    this.#keyBytes.set(bytes, start * 4);
  }

  #grow(): void {
    const before = this.#slots;
    const slots = new Int32Array(before.length * 2);
    const mask = before.length - 1;
    for (let slot = 0; slot < before.length; slot += 2) {
      const found = before[slot + 1]!;
      if (found !== 0)
        place(slots, mask, before[slot]!, this.#entries[(found - 1) * entryWords + 1]! & 7, found);
    }
    this.#slots = slots;
    this.#mask = mask;
    const entries = new Int32Array(before.length * entryWords);
    entries.set(this.#entries);
    this.#entries = entries;
  }

  /** Forgets all series, and gives their memory back. */
  clear(): void {
    this.#slots = new Int32Array(leastSlots * 2);
    this.#mask = leastSlots - 1;
    this.#entries = new Int32Array(leastSlots * entryWords);
    this.#keys = new Int32Array(leastKeyWords);
    this.#keyBytes = new Uint8Array(this.#keys.buffer);
    this.#keyWords = 0;
    this.#size = 0;
  }
}

function place(slots: Int32Array, mask: number, hash: number, kind: number, found: number): void {
  let slot = (hash + kind) & mask;
  while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
  slots[slot * 2] = hash;
  slots[slot * 2 + 1] = found;
}
