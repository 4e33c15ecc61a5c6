import { ByteReader } from '../../core/bytes.js';

/** States of up to so many encoded bytes may lie here. */
export const maxSmallBytes = 1022;

/** What memory is given out in: each encoded State takes the least number of these that hold it and its length. */
const grainBytes = 16;
const lengthBytes = 2;
const pieceBytes = 2 ** 18;
const grainsPerPiece = pieceBytes / grainBytes;
const maxGrains = grainsOf(maxSmallBytes);

/** Where an encoded State lies; nothing can be told from it. */
export type Place = number;

/**
 * Encoded States side by side in large pieces of memory: most States of a server are small, rarely touched, and very many. As
 * objects, each is a dozen of them for the garbage collector to look at, and as many places in memory to be fetched.
 *
 * What is released is given out again to States of the same size, or cut for smaller ones; pieces are kept for ever.
 */
export class SmallStates {
  readonly #pieces: Uint8Array[] = [];
  /** Grains of the last piece that were never given out. */
  #fresh = 0;
  /** Places that were released, by their number of grains. */
  readonly #released: Place[][] = Array.from({ length: maxGrains + 1 }, () => []);
  #releasedGrains = 0;
  /** For whoever reads next. */
  readonly #reader = new ByteReader(new Uint8Array(0));

  /** Memory that it has and nothing lies in, bytes. */
  get freeBytes(): number {
    return (this.#releasedGrains + this.#fresh) * grainBytes;
  }

  /** All memory that it has, bytes. */
  get bytes(): number {
    return this.#pieces.length * pieceBytes;
  }

  /** Keeps a copy of the bytes from `start` up to, not including, `end`; no more than `maxSmallBytes`. */
  keep(bytes: Uint8Array, start: number, end: number): Place {
    const place = this.#take(grainsOf(end - start));
    this.#write(place, bytes, start, end);
    return place;
  }

  /** The same in the place of another one. */
  replace(place: Place, bytes: Uint8Array, start: number, end: number): Place {
    if (grainsOf(this.#lengthOf(place)) !== grainsOf(end - start)) {
      this.release(place);
      return this.keep(bytes, start, end);
    }
    this.#write(place, bytes, start, end);
    return place;
  }

  release(place: Place): void {
    this.#give(place, grainsOf(this.#lengthOf(place)));
  }

  /** Reads what is kept there; valid until the next call, and for as long as it is kept. */
  read(place: Place): ByteReader {
    const start = offsetOf(place) + lengthBytes;
    return this.#reader.restart(this.#pieceOf(place), start, start + this.#lengthOf(place));
  }

  #pieceOf(place: Place): Uint8Array {
    return this.#pieces[Math.floor(place / grainsPerPiece)]!;
  }

  #lengthOf(place: Place): number {
    const piece = this.#pieceOf(place);
    const at = offsetOf(place);
    return piece[at]! | (piece[at + 1]! << 8);
  }

  #write(place: Place, bytes: Uint8Array, start: number, end: number): void {
    const piece = this.#pieceOf(place);
    let at = offsetOf(place);
    piece[at++] = end - start;
    piece[at++] = (end - start) >> 8;
    for (let from = start; from < end; from++) piece[at++] = bytes[from]!;
  }

  #take(grains: number): Place {
    const place = this.#released[grains]!.pop();
    if (place !== undefined) {
      this.#releasedGrains -= grains;
      return place;
    }
    return this.#fresh >= grains ? this.#takeFresh(grains) : this.#takeLarger(grains);
  }

  #takeFresh(grains: number): Place {
    const place = this.#pieces.length * grainsPerPiece - this.#fresh;
    this.#fresh -= grains;
    return place;
  }

  /** Cuts what was released by a larger one; where there is none, takes a new piece. */
  #takeLarger(grains: number): Place {
    for (let size = maxGrains; size > grains; size--) {
      const place = this.#released[size]!.pop();
      if (place === undefined) continue;
      this.#releasedGrains -= size;
      this.#give(place + grains, size - grains);
      return place;
    }
    const left = this.#fresh;
    if (left > 0) this.#give(this.#takeFresh(left), left);
    this.#pieces.push(new Uint8Array(pieceBytes));
    this.#fresh = grainsPerPiece;
    return this.#takeFresh(grains);
  }

  #give(place: Place, grains: number): void {
    this.#released[grains]!.push(place);
    this.#releasedGrains += grains;
  }
}

function grainsOf(length: number): number {
  return Math.ceil((length + lengthBytes) / grainBytes);
}

function offsetOf(place: Place): number {
  return (place % grainsPerPiece) * grainBytes;
}
