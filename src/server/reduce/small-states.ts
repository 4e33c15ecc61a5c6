import { ByteReader } from '../../core/bytes.js';
import { EncodedState } from '../../core/handlers/encoded-state.js';

/** What memory is given out in. */
const grainBytes = 16;
/** A block is as long as so many grains, at most. */
const maxGrains = 64;
/** At the beginning of a block: its length in grains (u8), and how many bytes are in use (u16). */
const headBytes = 3;
/** Shorter ones, as most Parts are, are copied byte by byte: a view of them to copy from would take as long, and be garbage. */
const shortBytes = 96;
/** A block has no more than so many times the room that its State needs alone. */
const mostRoom = 3;
/** Before each summand: its length (u16). */
const lengthBytes = 2;
const pieceBytes = 2 ** 18;
const grainsPerPiece = pieceBytes / grainBytes;

/** Where the summands of a State lie; nothing can be told from it. */
export type Place = number;

/**
 * Encoded States side by side in large pieces of memory, each as a list of summands: what it was, and the Parts that have come since. To add
 * to one is to copy a few bytes. As objects, each State would be a dozen of them for the garbage collector to look at, and as many
 * places in memory to be fetched.
 *
 * What is released is given out again to States of the same size, or cut for smaller ones. States that all grow leave more behind than they
 * take in the end, in pieces of which nothing is in use: see `giveBack`.
 */
export class SmallStates {
  /** Undefined where one was given back. */
  readonly #pieces: (Uint8Array | undefined)[] = [];
  /** Numbers of those. */
  readonly #vacant: number[] = [];
  /** Grains at the end of the newest piece that were never given out, and where that ends. */
  #fresh = 0;
  #freshEnd: Place = 0;
  /** Places that were released, by their number of grains. */
  #released: Place[][] = Array.from({ length: maxGrains + 1 }, () => []);
  #releasedGrains = 0;
  /** For whoever reads next, one for each summand. */
  readonly #readers: ByteReader[] = [];

  /** Memory that it has and nothing lies in, bytes. */
  get freeBytes(): number {
    return (this.#releasedGrains + this.#fresh) * grainBytes;
  }

  /** Keeps a copy of the bytes from `start` up to, not including, `end`, for which a block has room: a State, alone. */
  keep(bytes: Uint8Array, start: number, end: number): Place {
    const used = headBytes + lengthBytes + end - start;
    const grains = grainsFor(used);
    const place = this.#take(grains);
    const piece = this.#pieceOf(place);
    const at = offsetOf(place);
    setHead(piece, at, grains, used);
    putSummand(piece, at + headBytes, bytes, start, end);
    return place;
  }

  /** The same in the place of a State, with all that was added to it. Its block stays what it is, unless that is far too large by now. */
  replace(place: Place, bytes: Uint8Array, start: number, end: number): Place {
    const piece = this.#pieceOf(place);
    const at = offsetOf(place);
    const used = headBytes + lengthBytes + end - start;
    const room = piece[at]! * grainBytes;
    if (used > room || used < room / mostRoom) {
      this.release(place);
      return this.keep(bytes, start, end);
    }
    setHead(piece, at, piece[at]!, used);
    putSummand(piece, at + headBytes, bytes, start, end);
    return place;
  }

  /**
   * Adds a copy of the bytes from `start` up to, not including, `end` to a State.
   * @returns where it lies then; undefined, and nothing is added, where it has no room
   */
  append(place: Place, bytes: Uint8Array, start: number, end: number): Place | undefined {
    const piece = this.#pieceOf(place);
    const at = offsetOf(place);
    const before = usedIn(piece, at);
    const used = before + lengthBytes + end - start;
    if (used > maxGrains * grainBytes) return undefined;
    if (used > piece[at]! * grainBytes) {
      const moved = this.#moved(place, before, used);
      return this.append(moved, bytes, start, end);
    }
    setHead(piece, at, piece[at]!, used);
    putSummand(piece, at + before, bytes, start, end);
    return place;
  }

  release(place: Place): void {
    this.#give(place, this.#pieceOf(place)[offsetOf(place)]!);
  }

  /** Gives the pieces back in which nothing lies; looks at all that was released. */
  giveBack(): void {
    const free = new Array<number>(this.#pieces.length).fill(0);
    // By index: it runs seldom and over very many, and an iterator would make an object for each.
    for (let grains = 0; grains < this.#released.length; grains++) {
      const places = this.#released[grains]!;
      for (let at = 0; at < places.length; at++) free[pieceOf(places[at]!)]! += grains;
    }
    const gone = free.map((grains) => grains === grainsPerPiece);
    if (!gone.includes(true)) return;
    this.#released = this.#released.map((places) => places.filter((place) => !gone[pieceOf(place)]));
    for (const [number, isGone] of gone.entries()) {
      if (!isGone) continue;
      this.#pieces[number] = undefined;
      this.#vacant.push(number);
      this.#releasedGrains -= grainsPerPiece;
    }
  }

  /** The State that is kept there, then what was added to it; valid until the next call, and for as long as it is kept. */
  read(place: Place): readonly ByteReader[] {
    const piece = this.#pieceOf(place);
    const begin = offsetOf(place);
    const end = begin + usedIn(piece, begin);
    const readers = this.#readers;
    let summands = 0;
    for (let at = begin + headBytes; at < end; summands++) {
      const start = at + lengthBytes;
      at = start + (piece[at]! | (piece[at + 1]! << 8));
      readers[summands] = (readers[summands] ?? new ByteReader(piece)).restart(piece, start, at);
    }
    readers.length = summands;
    return readers;
  }

  /** The State that is kept there, to which nothing was added; holds for as long as it is kept. */
  only(place: Place): EncodedState {
    const piece = this.#pieceOf(place);
    const at = offsetOf(place);
    return new EncodedState(piece, at + headBytes + lengthBytes, at + usedIn(piece, at));
  }

  /** Moves a State to where it has room for `used` bytes, and for as much again as it needs more, but no less than for a half of all. */
  #moved(place: Place, before: number, used: number): Place {
    const from = this.#pieceOf(place);
    const start = offsetOf(place);
    const grains = Math.min(maxGrains, grainsFor(used + Math.max(used - before, used >> 1)));
    const moved = this.#take(grains);
    const into = this.#pieceOf(moved);
    const at = offsetOf(moved);
    copy(from, start, start + before, into, at);
    this.release(place);
    setHead(into, at, grains, before);
    return moved;
  }

  #pieceOf(place: Place): Uint8Array {
    return this.#pieces[pieceOf(place)]!;
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
    const place = this.#freshEnd - this.#fresh;
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
    const number = this.#vacant.pop() ?? this.#pieces.length;
    this.#pieces[number] = new Uint8Array(pieceBytes);
    this.#fresh = grainsPerPiece;
    this.#freshEnd = (number + 1) * grainsPerPiece;
    return this.#takeFresh(grains);
  }

  #give(place: Place, grains: number): void {
    this.#released[grains]!.push(place);
    this.#releasedGrains += grains;
  }
}

/** Of a few sizes only, an eighth apart: what is released fits the next one then. */
function grainsFor(bytes: number): number {
  const grains = Math.ceil(bytes / grainBytes);
  const step = grains < 16 ? 1 : 2 ** (28 - Math.clz32(grains));
  return Math.ceil(grains / step) * step;
}

/** Number of the piece that it lies in. */
function pieceOf(place: Place): number {
  return Math.floor(place / grainsPerPiece);
}

function offsetOf(place: Place): number {
  return (place % grainsPerPiece) * grainBytes;
}

function setHead(piece: Uint8Array, at: number, grains: number, used: number): void {
  piece[at] = grains;
  piece[at + 1] = used;
  piece[at + 2] = used >> 8;
}

function usedIn(piece: Uint8Array, at: number): number {
  return piece[at + 1]! | (piece[at + 2]! << 8);
}

function putSummand(piece: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  let to = at;
  piece[to++] = end - start;
  piece[to++] = (end - start) >> 8;
  copy(bytes, start, end, piece, to);
}

function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > shortBytes) into.set(from.subarray(start, end), at);
  else for (let byte = start, to = at; byte < end; byte++, to++) into[to] = from[byte]!;
}
