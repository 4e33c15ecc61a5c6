import type { ByteReader, ByteWriter } from '../bytes.js';
import { type CellReader, readCells } from './cascade-codec.js';
import { keptCells, type Layout } from './layout.js';

/** Cells of one ring in use, ascending by their absolute index: the first `length` of each column. */
interface Cells {
  readonly indices: Float64Array;
  readonly counts: Float64Array;
  readonly totals: Float64Array;
  length: number;
}

/**
 * Adds encoded cascades of counts and totals up, and writes the sum: what a `Cascade` of both would come to, without
 * making one. The cells lie in columns meanwhile, which are the same for every sum.
 */
export class NumberCellsSum implements CellReader {
  readonly #layout: Layout;
  readonly #rings: readonly Cells[];
  #newest = Number.NEGATIVE_INFINITY;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#rings = layout.map((shape, number) => {
      // What the finer ring drops comes in before this one drops its own.
      const room = keptCells(shape) + (number === 0 ? 0 : keptCells(layout[number - 1]!));
      const column = () => new Float64Array(room);
      return { indices: column(), counts: column(), totals: column(), length: 0 };
    });
  }

  /** @throws TabaError `corrupt`, where `decodeNumberCascade` would */
  write(left: ByteReader, right: ByteReader, out: ByteWriter): void {
    this.#newest = Number.NEGATIVE_INFINITY;
    for (const ring of this.#rings) ring.length = 0;
    readCells(this.#layout, left, this);
    readCells(this.#layout, right, this);
    const isFilled = this.#newest !== Number.NEGATIVE_INFINITY;
    out.u8(isFilled ? 1 : 0);
    if (!isFilled) return;
    out.signedVarint(this.#newest);
    for (let number = 0; number < this.#rings.length; number++) this.#writeRing(number, out);
  }

  begin(newest: number): void {
    if (newest > this.#newest) this.#advance(newest);
  }

  read(ring: number, cell: number, input: ByteReader): number {
    const count = input.count();
    const total = input.number();
    const cellSec = cell * this.#layout[ring]!.widthSec;
    for (let number = ring; number < this.#rings.length; number++) {
      const index = number === ring ? cell : this.#indexOf(number, cellSec);
      if (index < this.#oldestKept(number)) continue;
      add(this.#rings[number]!, index, count, total);
      break;
    }
    return count;
  }

  #indexOf(number: number, cellSec: number): number {
    return Math.floor(cellSec / this.#layout[number]!.widthSec);
  }

  #oldestKept(number: number): number {
    return (
      this.#indexOf(number, this.#newest * this.#layout[0]!.widthSec) - keptCells(this.#layout[number]!) + 1
    );
  }

  /** As `Cascade` does it: what a ring does not keep any more goes into the next one. */
  #advance(newest: number): void {
    this.#newest = newest;
    for (let number = 0; number < this.#rings.length; number++) {
      const ring = this.#rings[number]!;
      if (ring.length === 0) continue;
      const oldest = this.#oldestKept(number);
      if (ring.indices[0]! >= oldest) continue;
      const { widthSec } = this.#layout[number]!;
      const coarser = this.#rings[number + 1];
      let gone = 0;
      for (; gone < ring.length && ring.indices[gone]! < oldest; gone++) {
        if (coarser === undefined) continue;
        const index = this.#indexOf(number + 1, ring.indices[gone]! * widthSec);
        add(coarser, index, ring.counts[gone]!, ring.totals[gone]!);
      }
      for (const column of [ring.indices, ring.counts, ring.totals]) column.copyWithin(0, gone, ring.length);
      ring.length -= gone;
    }
  }

  #writeRing(number: number, out: ByteWriter): void {
    const { indices, counts, totals, length } = this.#rings[number]!;
    let runs = length === 0 ? 0 : 1;
    for (let at = 1; at < length; at++) if (indices[at] !== indices[at - 1]! + 1) runs++;
    out.varint(runs);
    let end = this.#oldestKept(number);
    for (let at = 0; at < length; ) {
      const first = at++;
      while (at < length && indices[at] === indices[at - 1]! + 1) at++;
      out.varint(indices[first]! - end);
      out.varint(at - first);
      end = indices[at - 1]! + 1;
      for (let cell = first; cell < at; cell++) {
        out.count(counts[cell]!);
        out.number(totals[cell]!);
      }
    }
  }
}

function add(cells: Cells, index: number, count: number, total: number): void {
  const { indices, counts, totals } = cells;
  // The newest ones are what most is done to.
  let at = cells.length;
  while (at > 0 && indices[at - 1]! >= index) at--;
  if (at < cells.length && indices[at] === index) {
    counts[at]! += count;
    totals[at]! += total;
    return;
  }
  if (at < cells.length) {
    for (const column of [indices, counts, totals]) column.copyWithin(at + 1, at, cells.length);
  }
  indices[at] = index;
  counts[at] = count;
  totals[at] = total;
  cells.length++;
}
