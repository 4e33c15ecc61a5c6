/** What frames are made of. */
export type Packed = null | boolean | number | string | Uint8Array | readonly Packed[];

const textEncoder = new TextEncoder();
/** Texts up to this length are put down here faster than a TextEncoder starts up. */
const shortText = 256;
/** A buffer that was needed once for much does not stay. */
const keptBytes = 4 * 2 ** 20;

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * Writes msgpack, each value in the shortest of the forms that it uses: integers from 0 up to 2^32 - 1, all other numbers as
 * doubles. msgpackr writes the same, but makes frames of many Blocks in a buffer that it grows and copies several times over.
 */
export class Packer {
  #bytes = new Uint8Array(8192);
  #length = 0;

  /** @returns memory of its own */
  pack(value: Packed): Uint8Array {
    this.#length = 0;
    this.#value(value);
    const packed = this.#bytes.slice(0, this.#length);
    if (this.#bytes.length > keptBytes) this.#bytes = new Uint8Array(8192);
    return packed;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #value(value: Packed): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (value === null) this.#byte(0xc0);
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2);
    else if (value instanceof Uint8Array) this.#binary(value);
    else this.#array(value);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** A type byte, then an unsigned integer of 1, 2 or 4 bytes. */
  #typed(type: number, value: number, width: number): void {
    this.#reserve(5);
    this.#bytes[this.#length++] = type;
    for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) this.#bytes[this.#length++] = value >>> shift;
  }

  #number(value: number): void {
    if (value >>> 0 !== value) {
      scratch.setFloat64(0, value);
      this.#reserve(9);
      this.#bytes[this.#length++] = 0xcb;
      for (let at = 0; at < 8; at++) this.#bytes[this.#length++] = scratchBytes[at]!;
    } else if (value < 0x80) {
      this.#byte(value);
    } else if (value < 0x100) {
      this.#typed(0xcc, value, 1);
    } else if (value < 0x10000) {
      this.#typed(0xcd, value, 2);
    } else {
      this.#typed(0xce, value, 4);
    }
  }

  #text(text: string): void {
    const { length } = text;
    if (length > shortText) {
      this.#encodedText(text);
      return;
    }
    const start = this.#length;
    this.#textLength(length);
    this.#reserve(length);
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 128) {
        this.#length = start;
        this.#encodedText(text);
        return;
      }
      this.#bytes[this.#length++] = code;
    }
  }

  #encodedText(text: string): void {
    const encoded = textEncoder.encode(text);
    this.#textLength(encoded.length);
    this.#raw(encoded);
  }

  #textLength(length: number): void {
    if (length < 0x20) this.#byte(0xa0 | length);
    else if (length < 0x100) this.#typed(0xd9, length, 1);
    else if (length < 0x10000) this.#typed(0xda, length, 2);
    else this.#typed(0xdb, length, 4);
  }

  #binary(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length < 0x100) this.#typed(0xc4, length, 1);
    else if (length < 0x10000) this.#typed(0xc5, length, 2);
    else this.#typed(0xc6, length, 4);
    this.#raw(bytes);
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #array(values: readonly Packed[]): void {
    const { length } = values;
    if (length < 0x10) this.#byte(0x90 | length);
    else if (length < 0x10000) this.#typed(0xdc, length, 2);
    else this.#typed(0xdd, length, 4);
    for (const value of values) this.#value(value);
  }
}
