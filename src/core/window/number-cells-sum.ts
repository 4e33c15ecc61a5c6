import { ByteReader, type ByteWriter } from '../bytes.js';
import { type CellReader, encodeRuns, readCells } from './cascade-codec.js';
import { keptCells, type Layout } from './layout.js';

/** In the place of an offset: what a cell holds is in `counts` and `totals`. */
const inColumns = -1;

/** Cells of one ring in use, ascending by their absolute index: the first `length` of each column. */
interface Cells {
  readonly indices: Float64Array;
  /** Where a cell lies that is as it was read: most are only handed on. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
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
  /** What the cells are of that are as they were read: the first of the cascades. */
  #first = new ByteReader(new Uint8Array(0));

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#rings = layout.map((shape, number) => {
      // What the finer ring drops comes in before this one drops its own.
      const room = keptCells(shape) + (number === 0 ? 0 : keptCells(layout[number - 1]!));
      const [indices, counts, totals] = [0, 0, 0].map(() => new Float64Array(room));
      const [starts, ends] = [new Int32Array(room), new Int32Array(room)];
      return { indices: indices!, starts, ends, counts: counts!, totals: totals!, length: 0 };
    });
  }

  /** @throws TabaError `corrupt`, where `decodeNumberCascade` would */
  write(inputs: readonly ByteReader[], out: ByteWriter): void {
    this.#newest = Number.NEGATIVE_INFINITY;
    for (const ring of this.#rings) ring.length = 0;
    this.#first = inputs[0]!;
    for (const input of inputs) readCells(this.#layout, input, this);
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
    const start = input.offset;
    const count = input.count();
    if (input !== this.#first) {
      this.#place(ring, cell, count, input.number());
    } else {
      // They come in order.
      input.skipNumber();
      const cells = this.#rings[ring]!;
      const at = cells.length++;
      cells.indices[at] = cell;
      cells.starts[at] = start;
      cells.ends[at] = input.offset;
    }
    return count;
  }

  /** Into the finest ring, from that one on, which keeps the cell. */
  #place(ring: number, cell: number, count: number, total: number): void {
    const cellSec = cell * this.#layout[ring]!.widthSec;
    for (let number = ring; number < this.#rings.length; number++) {
      const index = this.#indexOf(number, cellSec);
      if (index < this.#oldestKept(number)) continue;
      this.#add(this.#rings[number]!, index, count, total);
      return;
    }
  }

  #indexOf(number: number, cellSec: number): number {
    return Math.floor(cellSec / this.#layout[number]!.widthSec);
  }

  #oldestKept(number: number): number {
    const newestSec = this.#newest * this.#layout[0]!.widthSec;
    return this.#indexOf(number, newestSec) - keptCells(this.#layout[number]!) + 1;
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
        this.#bringIn(ring, gone);
        const index = this.#indexOf(number + 1, ring.indices[gone]! * widthSec);
        this.#add(coarser, index, ring.counts[gone]!, ring.totals[gone]!);
      }
      move(ring, gone, 0);
    }
  }

  #add(cells: Cells, index: number, count: number, total: number): void {
    const { indices, starts, counts, totals } = cells;
    // The newest ones are what most is done to.
    let at = cells.length;
    while (at > 0 && indices[at - 1]! >= index) at--;
    if (at < cells.length && indices[at] === index) {
      this.#bringIn(cells, at);
      counts[at]! += count;
      totals[at]! += total;
      return;
    }
    move(cells, at, at + 1);
    indices[at] = index;
    starts[at] = inColumns;
    counts[at] = count;
    totals[at] = total;
  }

  /** What a cell holds is in the columns from now on. */
  #bringIn({ starts, counts, totals }: Cells, at: number): void {
    if (starts[at] === inColumns) return;
    const first = this.#first;
    const { offset } = first;
    first.seek(starts[at]!);
    counts[at] = first.count();
    totals[at] = first.number();
    first.seek(offset);
    starts[at] = inColumns;
  }

  #writeRing(number: number, out: ByteWriter): void {
    const cells = this.#rings[number]!;
    const { indices, length } = cells;
    // Most rings.
    if (length === 0) out.varint(0);
    else {
      encodeRuns(indices, length, this.#oldestKept(number), out, (from, to) => {
        this.#writeCells(cells, from, to, out);
      });
    }
  }

  #writeCells({ starts, ends, counts, totals }: Cells, from: number, to: number, out: ByteWriter): void {
    for (let at = from; at < to; at++) {
      const start = starts[at]!;
      if (start === inColumns) {
        out.count(counts[at]!);
        out.number(totals[at]!);
        continue;
      }
      // Those that were read in a row.
      while (at + 1 < to && starts[at + 1] === ends[at]) at++;
      this.#first.copy(start, ends[at]!, out);
    }
  }
}

/** Moves the cells from `from` on to `to`; they are few. */
function move(cells: Cells, from: number, to: number): void {
  const { length } = cells;
  if (to < from) for (let at = from; at < length; at++) copyCell(cells, at, at + to - from);
  else for (let at = length - 1; at >= from; at--) copyCell(cells, at, at + to - from);
  cells.length += to - from;
}

function copyCell({ indices, starts, ends, counts, totals }: Cells, from: number, to: number): void {
  indices[to] = indices[from]!;
  starts[to] = starts[from]!;
  ends[to] = ends[from]!;
  counts[to] = counts[from]!;
  totals[to] = totals[from]!;
}
