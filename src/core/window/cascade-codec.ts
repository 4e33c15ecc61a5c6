import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import type { Cascade, Ring } from './cascade.js';
import { keptCells } from './layout.js';

/**
 * Layout of an encoded cascade: 0 while it is empty, else 1 and the newest finest cell's index (signed varint); then per
 * ring the number of runs of neighbouring cells that hold something, oldest first, and per run: the gap to the end of
 * the run before it (for the first: to the oldest cell that the ring may keep), its length, its cells.
 */
export function encodeCells<R extends Ring<R>>(
  cascade: Cascade<R>,
  out: ByteWriter,
  encodeCell: (ring: R, cell: number) => void,
): void {
  const filled = cascade.newest !== Number.NEGATIVE_INFINITY;
  out.u8(filled ? 1 : 0);
  if (!filled) return;
  out.signedVarint(cascade.newest);
  for (let number = 0; number < cascade.rings.length; number++) {
    encodeRing(cascade.rings[number]!, oldestCell(cascade, number), out, encodeCell);
  }
}

function encodeRing<R extends Ring<R>>(
  ring: R,
  oldest: number,
  out: ByteWriter,
  encodeCell: (ring: R, cell: number) => void,
): void {
  out.varint(runsOf(ring));
  const last = ring.first + ring.size;
  let end = oldest;
  for (let first = nextFilled(ring, ring.first, last); first < last; first = nextFilled(ring, end, last)) {
    out.varint(first - end);
    end = endOfRun(ring, first, last);
    out.varint(end - first);
    for (let cell = first; cell < end; cell++) encodeCell(ring, cell);
  }
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
  const filled = input.u8();
  if (filled === 0) return;
  if (filled !== 1) throw new TabaError('corrupt', `a cascade of cells that begins with ${filled}`);
  cascade.newest = input.signedVarint();
  for (let number = 0; number < cascade.rings.length; number++) {
    let cell = oldestCell(cascade, number);
    const end = cell + keptCells(cascade.layout[number]!);
    const runs = input.varint();
    if (runs === 0) continue;
    const ring = cascade.writable(number);
    for (let left = runs; left > 0; left--) {
      cell += input.varint();
      for (let cells = input.varint(); cells > 0; cells--, cell++) {
        if (cell >= end) throw new TabaError('corrupt', `a cell ${cell - end + 1} beyond its ring`);
        decodeCell(ring, cell);
        if (!(ring.weightOf(cell) > 0)) throw new TabaError('corrupt', 'a cell that holds nothing');
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
  for (let cell = nextFilled(ring, ring.first, last); cell < last; runs++) {
    cell = nextFilled(ring, endOfRun(ring, cell, last), last);
  }
  return runs;
}

function nextFilled<R extends Ring<R>>(ring: R, from: number, last: number): number {
  let cell = from;
  while (cell < last && !(ring.weightOf(cell) > 0)) cell++;
  return cell;
}

function endOfRun<R extends Ring<R>>(ring: R, from: number, last: number): number {
  let cell = from;
  while (cell < last && ring.weightOf(cell) > 0) cell++;
  return cell;
}
