import { TabaError } from './errors.js';

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/** Strings up to this length are copied faster than a TextEncoder starts up. */
const shortText = 64;

/** Varints of up to so many bytes are read at once. */
const shortVarint = 4;
/** Below it, all that a number is made of is an integer of 32 bits: with doubles the same takes several times as long. */
const smallNumber = 2 ** 28;

/** A DataView takes longer to make than to use: one for all, through which doubles go. */
const scratchBytes = new Uint8Array(8);
const scratch = new DataView(scratchBytes.buffer);

/**
 * Appends numbers and strings to a growing buffer. Integers are little-endian; a varint has 7 bits a byte, least
 * significant first, the top bit set on all but the last byte (as in Protocol Buffers), up to 2^53 - 1.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = value >>> shift;
  }

  f64(value: number): void {
    this.#reserve(8);
    scratch.setFloat64(0, value, true);
    for (let at = 0; at < 8; at++) this.#bytes[this.#length++] = scratchBytes[at]!;
  }

  /** @param value an integer, 0 to 2^53 - 1 */
  varint(value: number): void {
    if (value < 128 && value >= 0 && (value | 0) === value) {
      this.u8(value);
      return;
    }
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a varint: ${value}`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Zigzag: 0, -1, 1, -2, … become 0, 1, 2, 3, … @param value an integer, ±(2^52 - 1) */
  signedVarint(value: number): void {
    this.varint(zigzag(value));
  }

  /**
   * A count or a weight: an integer below 2^52 as varint of its double (up to 63 is one byte), anything else as the
   * byte 1 and an f64.
   */
  count(value: number): void {
    if (value < 64 && value >= 0 && (value | 0) === value) {
      this.u8(value * 2);
    } else if (Number.isInteger(value) && value >= 0 && value < 2 ** 52) {
      this.varint(value * 2);
    } else {
      this.u8(1);
      this.f64(value);
    }
  }

  /**
   * Any double in as few bytes as are easily found: integers and whole hundredths (what money and most sums of it are)
   * below 2^50 as a zigzag varint times four, plus 0 or 2; anything else, -0 included, as the byte 1 and an f64.
   */
  number(value: number): void {
    if (!Object.is(value, -0)) {
      if (Number.isInteger(value) && Math.abs(value) < 2 ** 50) {
        this.varint(zigzag(value) * 4);
        return;
      }
      const hundredths = Math.round(value * 100);
      if (Math.abs(hundredths) < 2 ** 50 && hundredths / 100 === value) {
        this.varint(zigzag(hundredths) * 4 + 2);
        return;
      }
    }
    this.u8(1);
    this.f64(value);
  }

  /** A varint length, then the bytes from `start` up to, not including, `end`. */
  bytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.varint(end - start);
    this.raw(bytes, start, end);
  }

  /** The same without a length. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const length = end - start;
    this.#reserve(length);
    if (length > shortText) {
      this.#bytes.set(bytes.subarray(start, end), this.#length);
    } else {
      for (let at = 0; at < length; at++) this.#bytes[this.#length + at] = bytes[start + at]!;
    }
    this.#length += length;
  }

  /** The same for what another writer has written. */
  bytesOf(other: ByteWriter): void {
    this.bytes(other.#bytes, 0, other.#length);
  }

  /** A varint length in bytes, then UTF-8. */
  string(text: string): void {
    if (text.length > shortText) {
      this.bytes(textEncoder.encode(text));
      return;
    }
    // Most are short and ASCII: put down byte by byte, and only done over when one turns out not to be.
    const start = this.#length;
    this.varint(text.length);
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 128) {
        this.#length = start;
        this.bytes(textEncoder.encode(text));
        return;
      }
      this.#bytes[this.#length++] = code;
    }
  }

  /** A view of what was written so far; valid until the next write. */
  peek(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Forgets what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Forgets what was written, keeps the buffer. */
  clear(): void {
    this.#length = 0;
  }
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

/** Reads what a ByteWriter wrote. Every read beyond the end, and every malformed varint or string, throws `corrupt`. */
export class ByteReader {
  #bytes: Uint8Array;
  #end: number;
  #offset: number;

  /** Reads the bytes from `offset` up to, not including, `end`. */
  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
  }

  /** Begins anew with other bytes, as if it were just made. */
  restart(bytes: Uint8Array, offset: number, end: number): this {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
    return this;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  #take(count: number): number {
    const start = this.#offset;
    if (start + count > this.#end) throw this.#corrupt(`${count} more bytes are due`);
    this.#offset = start + count;
    return start;
  }

  #corrupt(what: string): TabaError {
    return new TabaError('corrupt', `at byte ${this.#offset} of ${this.#end}: ${what}`);
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  f64(): number {
    const from = this.#take(8);
    for (let at = 0; at < 8; at++) scratchBytes[at] = this.#bytes[from + at]!;
    return scratch.getFloat64(0, true);
  }

  varint(): number {
    const bytes = this.#bytes;
    const at = this.#offset;
    if (this.#end - at < shortVarint) return this.#longVarint();
    // Most are short, and stay integers that the processor knows.
    const first = bytes[at]!;
    if (first < 128) {
      this.#offset = at + 1;
      return first;
    }
    const second = bytes[at + 1]!;
    if (second < 128) {
      this.#offset = at + 2;
      return (first & 127) | (second << 7);
    }
    const third = bytes[at + 2]!;
    if (third < 128) {
      this.#offset = at + 3;
      return (first & 127) | ((second & 127) << 7) | (third << 14);
    }
    const fourth = bytes[at + 3]!;
    if (fourth < 128) {
      this.#offset = at + 4;
      return (first & 127) | ((second & 127) << 7) | ((third & 127) << 14) | (fourth << 21);
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) throw this.#corrupt('a varint beyond 2^53 - 1');
        return value;
      }
      scale *= 128;
    }
    throw this.#corrupt('a varint of more than 8 bytes');
  }

  signedVarint(): number {
    return unzigzag(this.varint());
  }

  count(): number {
    const head = this.varint();
    if (head < smallNumber && (head & 1) === 0) return head >> 1;
    if (head % 2 === 0) return head / 2;
    if (head !== 1) throw this.#corrupt(`a count that begins with ${head}`);
    return this.f64();
  }

  /** Reads `counts[from]` to before `counts[to]`, each a `count`. */
  counts(counts: Float64Array, from: number, to: number): void {
    const bytes = this.#bytes;
    for (let at = from; at < to; at++) {
      // Most are small, and one byte.
      const byte = this.#offset < this.#end ? bytes[this.#offset]! : 255;
      if ((byte & 129) === 0) {
        counts[at] = byte >> 1;
        this.#offset++;
      } else {
        counts[at] = this.count();
      }
    }
  }

  number(): number {
    const head = this.varint();
    if (head < smallNumber && (head & 1) === 0) {
      const zigzagged = head >> 2;
      const value = (zigzagged >> 1) ^ -(zigzagged & 1);
      return (head & 2) === 0 ? value : value / 100;
    }
    if (head % 2 === 0) {
      const value = unzigzag(Math.floor(head / 4));
      return head % 4 === 0 ? value : value / 100;
    }
    if (head !== 1) throw this.#corrupt(`a number that begins with ${head}`);
    return this.f64();
  }

  /** Passes over a `number`. */
  skipNumber(): void {
    const head = this.varint();
    if ((head & 1) === 0) return;
    if (head !== 1) throw this.#corrupt(`a number that begins with ${head}`);
    this.#take(8);
  }

  /** Goes on at `offset` of the buffer, which it has passed already, or comes from there. */
  seek(offset: number): void {
    this.#offset = offset;
  }

  /** Writes the bytes of the buffer from `start` up to, not including, `end`. */
  copy(start: number, end: number, out: ByteWriter): void {
    out.raw(this.#bytes, start, end);
  }

  /** Writes everything that is left. */
  copyRest(out: ByteWriter): void {
    const start = this.#take(this.remaining);
    out.raw(this.#bytes, start, this.#end);
  }

  /** Passes over `count` bytes. @returns where they begin in the buffer */
  skip(count: number): number {
    return this.#take(count);
  }

  /** A view into the buffer, `count` bytes long. */
  raw(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** A view into the buffer, its length read first. */
  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return textDecoder.decode(bytes);
    } catch {
      throw this.#corrupt('a string that is not UTF-8');
    }
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining !== 0) throw this.#corrupt(`${this.remaining} bytes left over`);
  }
}
