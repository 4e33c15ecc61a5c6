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
  cascade.rings.forEach((ring, number) => {
    const runs = runsOf(ring);
    out.varint(runs.length);
    let end = oldestCell(cascade, number);
    for (const [first, length] of runs) {
      out.varint(first - end);
      out.varint(length);
      for (let cell = first; cell < first + length; cell++) encodeCell(ring, cell);
      end = first + length;
    }
  });
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
  cascade.rings.forEach((ring, number) => {
    let cell = oldestCell(cascade, number);
    const end = cell + keptCells(cascade.layout[number]!);
    for (let runs = input.varint(); runs > 0; runs--) {
      cell += input.varint();
      for (let left = input.varint(); left > 0; left--, cell++) {
        if (cell >= end) throw new TabaError('corrupt', `a cell ${cell - end + 1} beyond its ring`);
        decodeCell(ring, cell);
        if (!(ring.weightOf(cell) > 0)) throw new TabaError('corrupt', 'a cell that holds nothing');
      }
    }
  });
}

function oldestCell<R extends Ring<R>>(cascade: Cascade<R>, number: number): number {
  return cascade.indexOf(number, cascade.newestSec) - keptCells(cascade.layout[number]!) + 1;
}

function runsOf<R extends Ring<R>>(ring: R): [first: number, length: number][] {
  const runs: [number, number][] = [];
  let length = 0;
  for (let cell = ring.first; cell <= ring.first + ring.size; cell++) {
    if (cell < ring.first + ring.size && ring.weightOf(cell) > 0) {
      length++;
    } else if (length > 0) {
      runs.push([cell - length, length]);
      length = 0;
    }
  }
  return runs;
}
