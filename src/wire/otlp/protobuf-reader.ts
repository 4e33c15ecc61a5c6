import { TabaError } from '../../core/errors.js';

/**
 * Reads Protocol Buffers field by field (the wire format of version 3 of the language). Everything that does not fit in
 * throws `bad_framing`; what a reader does not know it skips.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;
  #wireType = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  /** The next field's number; 0 at the end. */
  field(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.#varint();
    this.#wireType = tag % 8;
    const field = Math.floor(tag / 8);
    if (field === 0 || field >= 2 ** 29) throw this.#fault(`field number ${field}`);
    return field;
  }

  /** Passes over the value of the field. */
  skip(): void {
    switch (this.#wireType) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#take(8);
        return;
      case 2:
        this.#take(this.#varint());
        return;
      case 5:
        this.#take(4);
        return;
      default:
        // Groups (3 and 4) are gone since version 3.
        throw this.#fault(`wire type ${this.#wireType}`);
    }
  }

  /** uint32, uint64, bool, enum: an unsigned integer, rounded beyond 2^53. */
  unsigned(): number {
    this.#expect(0);
    return this.#varint();
  }

  /** int64: in two's complement. */
  signed(): number {
    this.#expect(0);
    return Number(BigInt.asIntN(64, this.#bigVarint()));
  }

  /** sint32: zigzag. */
  zigzag(): number {
    this.#expect(0);
    const value = this.#varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  double(): number {
    this.#expect(1);
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** fixed64, rounded beyond 2^53. */
  fixed64(): number {
    this.#expect(1);
    return this.#fixed64(this.#take(8));
  }

  /** sfixed64. */
  signedFixed64(): number {
    this.#expect(1);
    return Number(this.#view.getBigInt64(this.#take(8), true));
  }

  bytes(): Uint8Array {
    this.#expect(2);
    const length = this.#varint();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    return textDecoder.decode(this.bytes());
  }

  /** The fields of a message that is a field of this one. */
  message(): ProtobufReader {
    this.#expect(2);
    const length = this.#varint();
    const start = this.#take(length);
    return new ProtobufReader(this.#bytes, start, start + length);
  }

  /** A repeated double: adds what is here, packed or not, to `into`. */
  doubles(into: number[]): void {
    this.#repeated(1, into, (reader) => reader.#view.getFloat64(reader.#take(8), true));
  }

  /** A repeated fixed64. */
  fixed64s(into: number[]): void {
    this.#repeated(1, into, (reader) => reader.#fixed64(reader.#take(8)));
  }

  /** A repeated uint64. */
  unsigneds(into: number[]): void {
    this.#repeated(0, into, (reader) => reader.#varint());
  }

  #repeated(wireType: number, into: number[], read: (reader: ProtobufReader) => number): void {
    if (this.#wireType === wireType) {
      into.push(read(this));
      return;
    }
    const packed = this.message();
    while (packed.#at < packed.#end) into.push(read(packed));
  }

  #fixed64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#bytes[this.#take(1)]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw this.#fault('a varint of more than 10 bytes');
  }

  #bigVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw this.#fault('a varint of more than 10 bytes');
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw this.#fault(`${length} more bytes are due`);
    this.#at = start + length;
    return start;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw this.#fault(`wire type ${this.#wireType} instead of ${wireType}`);
  }

  #fault(what: string): TabaError {
    return new TabaError('bad_framing', `not the protobuf that was expected: at byte ${this.#at}: ${what}`);
  }
}

const textDecoder = new TextDecoder();
