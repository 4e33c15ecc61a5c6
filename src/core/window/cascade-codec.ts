import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import type { Cascade, Ring } from './cascade.js';
import { counterLayout, keptCells, type Layout, sketchLayout } from './layout.js';

/**
 * Layout of an encoded cascade: 0 while it is empty, else 1 and the newest finest cell's index (signed varint); then per
 * ring the number of runs of neighbouring cells that hold something, oldest first, and per run: the gap to the end of
 * the run before it (for the first: to the oldest cell that the ring may keep), its length, its cells.
 */
export function encodeCells<R extends Ring<R>>(
  cascade: Cascade<R>,
  out: ByteWriter,
  encodeCell: (ring: R, cell: number, out: ByteWriter) => void,
): void {
  const filled = cascade.newest !== Number.NEGATIVE_INFINITY;
  out.u8(filled ? 1 : 0);
  if (!filled) return;
  out.signedVarint(cascade.newest);
  for (let number = 0; number < cascade.rings.length; number++) {
    encodeRing(cascade.rings[number]!, oldestCell(cascade, number), out, encodeCell);
  }
}

/** Writes what `encodeCells` writes of a cascade that has one cell, that of a time. */
export function encodeOneCell(
  layout: Layout,
  timestampSec: number,
  out: ByteWriter,
  encodeCell: () => void,
): void {
  const [finest] = layout;
  out.u8(1);
  out.signedVarint(Math.floor(timestampSec / finest!.widthSec));
  // One run of one cell, which is the newest that the ring may keep.
  out.varint(1);
  out.varint(keptCells(finest!) - 1);
  out.varint(1);
  encodeCell();
  for (let ring = 1; ring < layout.length; ring++) out.varint(0);
}

/**
 * Writes what `encodeCells` writes of a cascade that has cells in its finest ring only: those of the first `length` of `seconds`,
 * ascending, each of another cell, and all within what the ring keeps.
 */
export function encodeFinestCells(
  layout: Layout,
  seconds: readonly number[],
  length: number,
  out: ByteWriter,
  encodeCell: (index: number) => void,
): void {
  const [finest] = layout;
  for (let index = 0; index < length; index++) {
    finestCells[index] = Math.floor(seconds[index]! / finest!.widthSec);
  }
  const newest = finestCells[length - 1]!;
  out.u8(1);
  out.signedVarint(newest);
  encodeRuns(finestCells, length, newest - keptCells(finest!) + 1, out, (from, to) => {
    for (let index = from; index < to; index++) encodeCell(index);
  });
  for (let ring = 1; ring < layout.length; ring++) out.varint(0);
}

/** For `encodeFinestCells` alone. */
const finestCells = new Float64Array(Math.max(keptCells(counterLayout[0]), keptCells(sketchLayout[0])));

/**
 * Writes the runs of one ring, whose cells in use are the first `length` of `cells`, ascending.
 * @param oldest the first cell that the ring may keep @param encodeCells writes those from one place in `cells` up to, not including, another
 */
export function encodeRuns(
  cells: Float64Array,
  length: number,
  oldest: number,
  out: ByteWriter,
  encodeCells: (from: number, to: number) => void,
): void {
  let runs = length === 0 ? 0 : 1;
  for (let at = 1; at < length; at++) if (cells[at] !== cells[at - 1]! + 1) runs++;
  out.varint(runs);
  let end = oldest;
  for (let at = 0; at < length; ) {
    const first = at++;
    while (at < length && cells[at] === cells[at - 1]! + 1) at++;
    out.varint(cells[first]! - end);
    out.varint(at - first);
    end = cells[at - 1]! + 1;
    encodeCells(first, at);
  }
}

function encodeRing<R extends Ring<R>>(
  ring: R,
  oldest: number,
  out: ByteWriter,
  encodeCell: (ring: R, cell: number, out: ByteWriter) => void,
): void {
  out.varint(runsOf(ring));
  const last = ring.first + ring.size;
  let end = oldest;
  for (let first = ring.nextUsed(ring.first); first < last; first = ring.nextUsed(end)) {
    out.varint(first - end);
    end = endOfRun(ring, first, last);
    out.varint(end - first);
    for (let cell = first; cell < end; cell++) encodeCell(ring, cell, out);
  }
}

/** What becomes of cells that are read. */
export interface CellReader {
  /** The cascade is not empty: index of its newest finest cell. */
  begin(newest: number): void;
  /** Reads a cell of a ring. @returns its weight */
  read(ring: number, cell: number, input: ByteReader): number;
}

/**
 * Reads cells into `cascade`, which is empty.
 * @throws TabaError `corrupt`
 */
export function decodeCells<R extends Ring<R>>(
  cascade: Cascade<R>,
  input: ByteReader,
  decodeCell: (ring: R, cell: number) => void,
): void {
  readCells(cascade.layout, input, {
    begin(newest) {
      cascade.newest = newest;
    },
    read(number, cell) {
      const ring = cascade.writable(number);
      decodeCell(ring, cell);
      return ring.weightOf(cell);
    },
  });
}

// Every Part is examined, and merged twice: what does that is made once for each kind of cell, not for each Part.

/** Reads cells of one kind and makes nothing of them. */
export class CellExaminer implements CellReader {
  readonly #examineCell: (input: ByteReader) => number;
  #newest = Number.NEGATIVE_INFINITY;

  /** @param examineCell reads one cell @returns its weight */
  constructor(examineCell: (input: ByteReader) => number) {
    this.#examineCell = examineCell;
  }

  /**
   * @returns start of the newest event's cell, seconds UTC; -Infinity for an empty cascade
   * @throws TabaError `corrupt`, where `decodeCells` would
   */
  examine(layout: Layout, input: ByteReader): number {
    this.#newest = Number.NEGATIVE_INFINITY;
    readCells(layout, input, this);
    return this.#newest * layout[0]!.widthSec;
  }

  begin(newest: number): void {
    this.#newest = newest;
  }

  read(_ring: number, _cell: number, input: ByteReader): number {
    return this.#examineCell(input);
  }
}

/** Reads cells of one kind and adds them to a cascade. */
export class CellMerger<R extends Ring<R>> implements CellReader {
  readonly #addCell: (ring: R | undefined, index: number, input: ByteReader) => number;
  /** Of the merge under way. */
  #cascade: Cascade<R> | undefined;

  /** @param addCell reads one cell and adds it to cell `index` of a ring, or of none that is kept @returns its weight */
  constructor(addCell: (ring: R | undefined, index: number, input: ByteReader) => number) {
    this.#addCell = addCell;
  }

  /** @throws TabaError `corrupt`, in the middle of it: only for bytes that were examined before */
  merge(cascade: Cascade<R>, input: ByteReader): void {
    this.#cascade = cascade;
    readCells(cascade.layout, input, this);
    this.#cascade = undefined;
  }

  begin(newest: number): void {
    this.#cascade!.advanceTo(newest);
  }

  read(ring: number, cell: number, input: ByteReader): number {
    const cascade = this.#cascade!;
    const cellSec = cell * cascade.layout[ring]!.widthSec;
    const number = cascade.ringKeeping(cellSec, ring);
    return number < 0
      ? this.#addCell(undefined, 0, input)
      : this.#addCell(cascade.writable(number), cascade.indexOf(number, cellSec), input);
  }
}

/** Reads what `encodeCells` wrote. @throws TabaError `corrupt` */
export function readCells(layout: Layout, input: ByteReader, cells: CellReader): void {
  const filled = input.u8();
  if (filled === 0) return;
  if (filled !== 1) throw new TabaError('corrupt', `a cascade of cells that begins with ${filled}`);
  const newest = input.signedVarint();
  cells.begin(newest);
  for (let ring = 0; ring < layout.length; ring++) {
    let runs = input.varint();
    // Most rings of a Part.
    if (runs === 0) continue;
    const shape = layout[ring]!;
    let cell = Math.floor((newest * layout[0]!.widthSec) / shape.widthSec) - keptCells(shape) + 1;
    const end = cell + keptCells(shape);
    for (; runs > 0; runs--) {
      cell += input.varint();
      for (let left = input.varint(); left > 0; left--, cell++) {
        if (cell >= end) throw new TabaError('corrupt', `a cell ${cell - end + 1} beyond its ring`);
        if (!(cells.read(ring, cell, input) > 0)) throw new TabaError('corrupt', 'a cell that holds nothing');
      }
    }
  }
}

function oldestCell<R extends Ring<R>>(cascade: Cascade<R>, number: number): number {
  return cascade.indexOf(number, cascade.newestSec) - keptCells(cascade.layout[number]!) + 1;
}

/** How many runs of neighbouring cells hold something. */
function runsOf<R extends Ring<R>>(ring: R): number {
  const last = ring.first + ring.size;
  let runs = 0;
  for (let cell = ring.nextUsed(ring.first); cell < last; runs++) {
    cell = ring.nextUsed(endOfRun(ring, cell, last));
  }
  return runs;
}

function endOfRun<R extends Ring<R>>(ring: R, from: number, last: number): number {
  let cell = from;
  while (cell < last && ring.weightOf(cell) > 0) cell++;
  return cell;
}
