/**
 * Datagrams on their way from the thread that receives them to the one that takes them, in memory that both see. One
 * writes, one reads, and neither disturbs the other.
 *
 * Layout: two int32, the positions up to which was written and taken, each moved by one side only; then the records. A record
 * is two int32 (length of the datagram; port of its sender and, above 16 bits, length of the address), the address as text, the
 * datagram, and padding to whole words. In place of a length, -1: the next record is at the start. Equal positions: empty.
 *
 * Positions are multiples of four; their lowest bit is the lap. Whenever the writer finds the ring empty it begins another lap
 * at the start: under little load all of it stays in the caches, and a burst always has the whole ring. The reader, which had taken
 * everything of the lap before, sees by the bit that there is another; until it says so, it has taken nothing of that.
 */

/** Memory for a ring of so many bytes: a multiple of four, and several times the longest record. */
export function ringOf(bytes: number): SharedArrayBuffer {
  const { positionBytes, headBytes } = RingWriter;
  // The mark that sends the reader back to the start has room behind the last record.
  return new SharedArrayBuffer(positionBytes + bytes + headBytes);
}

/** Runs in another thread, as text (see `receiver-thread.ts`): it uses nothing but its own members and what every thread has. */
export class RingWriter {
  static readonly written = 0;
  static readonly taken = 1;
  static readonly positionBytes = 8;
  static readonly headBytes = 8;
  static readonly backToStart = -1;
  /** Of a position. */
  static readonly lapBit = 1;
  /** Longer than any datagram over UDP. */
  static readonly maxDatagramBytes = 65_536;
  static readonly maxAddressBytes = 64;

  /** What datagrams are read into, from `room` on. */
  readonly bytes: Buffer;
  readonly #positions: Int32Array;
  readonly #words: Int32Array;
  readonly #end: number;
  /** Of the next record. */
  #at = 0;
  #lap = 0;
  #addressBytes = 0;
  #port = 0;

  constructor(memory: SharedArrayBuffer) {
    const { positionBytes, headBytes } = RingWriter;
    this.#positions = new Int32Array(memory, 0, positionBytes / 4);
    this.bytes = Buffer.from(memory, positionBytes);
    this.#words = new Int32Array(memory, positionBytes);
    this.#end = this.bytes.length - headBytes;
  }

  /**
   * Looks for room for one more datagram, of any length.
   *
   * @param address of its sender, and `port`, where they are known
   * @returns where in `bytes` it is to be; -1 while there is no room
   */
  room(address = '', port = 0): number {
    const { headBytes, maxAddressBytes, maxDatagramBytes, backToStart, lapBit } = RingWriter;
    const needed = headBytes + maxAddressBytes + maxDatagramBytes;
    let taken = this.#taken();
    if (this.#at === taken && taken > 0) {
      this.#lap ^= lapBit;
      this.#at = 0;
      taken = 0;
    }
    if (this.#at >= taken && this.#at + needed > this.#end) {
      if (needed >= taken) return -1;
      this.#words[this.#at / 4] = backToStart;
      this.#at = 0;
    } else if (this.#at < taken && this.#at + needed >= taken) {
      return -1;
    }
    const start = this.#at + headBytes;
    this.#addressBytes = address === '' ? 0 : this.bytes.write(address, start, maxAddressBytes, 'latin1');
    this.#port = port;
    return start + this.#addressBytes;
  }

  #taken(): number {
    const position = Atomics.load(this.#positions, RingWriter.taken);
    return (position & RingWriter.lapBit) === this.#lap ? position - this.#lap : 0;
  }

  /** The datagram is there, and the reader may have it. */
  add(length: number): void {
    const head = this.#at / 4;
    this.#words[head] = length;
    this.#words[head + 1] = this.#port | (this.#addressBytes << 16);
    this.#at = (this.#at + RingWriter.headBytes + this.#addressBytes + length + 3) & ~3;
    Atomics.store(this.#positions, RingWriter.written, this.#at + this.#lap);
  }

  /** Stops the thread until there is room. */
  waitForRoom(): void {
    for (;;) {
      // Looked up first: what is taken from here on ends the wait.
      const taken = Atomics.load(this.#positions, RingWriter.taken);
      if (this.room() >= 0) return;
      Atomics.wait(this.#positions, RingWriter.taken, taken);
    }
  }
}

/** @param address empty where it is not known */
type TakeRecord = (bytes: Uint8Array, start: number, end: number, address: string, port: number) => void;

export class RingReader {
  readonly #positions: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  #at = 0;
  #lap = 0;

  constructor(memory: SharedArrayBuffer) {
    const { positionBytes } = RingWriter;
    this.#positions = new Int32Array(memory, 0, positionBytes / 4);
    this.#bytes = Buffer.from(memory, positionBytes);
    this.#words = new Int32Array(memory, positionBytes);
  }

  /** Hands over what is there, and not what comes meanwhile. @param take the bytes are its own until it returns */
  drain(take: TakeRecord): void {
    const { written: writtenIndex, taken: takenIndex, headBytes, backToStart, lapBit } = RingWriter;
    const position = Atomics.load(this.#positions, writtenIndex);
    const lap = position & lapBit;
    const written = position - lap;
    if (lap !== this.#lap) {
      this.#lap = lap;
      this.#at = 0;
    }
    while (this.#at !== written) {
      if (this.#words[this.#at / 4] === backToStart) this.#at = 0;
      const head = this.#at / 4;
      const sender = this.#words[head + 1]!;
      const addressStart = this.#at + headBytes;
      const start = addressStart + (sender >>> 16);
      const end = start + this.#words[head]!;
      const address = start === addressStart ? '' : this.#bytes.toString('latin1', addressStart, start);
      take(this.#bytes, start, end, address, sender & 0xffff);
      this.#at = (end + 3) & ~3;
      Atomics.store(this.#positions, takenIndex, this.#at + lap);
    }
    Atomics.notify(this.#positions, takenIndex);
  }
}
