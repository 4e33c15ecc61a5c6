import type { ByteReader, ByteWriter } from '../bytes.js';
import { Cascade, type WindowBounds } from './cascade.js';
import { decodeCells, encodeCells } from './cascade-codec.js';
import type { CellRing, CellRings } from './cell-ring.js';
import type { Layout } from './layout.js';

export function newCellCascade<C>(layout: Layout, rings: CellRings<C>): Cascade<CellRing<C>> {
  return new Cascade(layout, rings);
}

/** The cell that an event of this time goes into; undefined if no ring keeps it any more. */
export function cellFor<C>(cascade: Cascade<CellRing<C>>, timestampSec: number): C | undefined {
  const ring = cascade.ringFor(timestampSec);
  if (ring < 0) return undefined;
  return cascade.writable(ring).cellFor(cascade.indexOf(ring, timestampSec));
}

export interface CellWindow<C> {
  /** All cells of the window as one. */
  readonly sum: C;
  readonly bounds: WindowBounds;
  /** One per cell width, oldest first; undefined where nothing happened. */
  readonly cells: readonly (C | undefined)[];
}

/** What the window of ring `number` shows at `nowSec`. */
export function cellWindow<C>(
  cascade: Cascade<CellRing<C>>,
  number: number,
  nowSec: number,
  { kind }: CellRings<C>,
): CellWindow<C> {
  const { widthSec, cells: size } = cascade.layout[number]!;
  const bounds = cascade.bounds(number, nowSec);
  const sum = kind.newCell();
  const cells = new Array<C | undefined>(size).fill(undefined);
  cascade.visit(bounds, (ring, index, cellSec) => {
    const at = Math.floor((cellSec - bounds.fromSec) / widthSec);
    const cell = ring.cellAt(index)!;
    cells[at] ??= kind.newCell();
    kind.merge(cells[at], cell);
    kind.merge(sum, cell);
  });
  return { sum, bounds, cells };
}

export function encodeCellCascade<C>(
  cascade: Cascade<CellRing<C>>,
  out: ByteWriter,
  encode: (cell: C, out: ByteWriter) => void,
): void {
  encodeCells(cascade, out, (ring, cell) => encode(ring.cellAt(cell)!, out));
}

/** @throws TabaError `corrupt` */
export function decodeCellCascade<C>(
  layout: Layout,
  rings: CellRings<C>,
  input: ByteReader,
  decode: (input: ByteReader) => C,
): Cascade<CellRing<C>> {
  const cascade = newCellCascade(layout, rings);
  decodeCells(cascade, input, (ring, cell) => ring.put(cell, decode(input)));
  return cascade;
}
