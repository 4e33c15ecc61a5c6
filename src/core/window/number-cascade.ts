import type { ByteReader, ByteWriter } from '../bytes.js';
import { Cascade, type RingKind, type WindowBounds } from './cascade.js';
import { CellExaminer, CellMerger, decodeCells, encodeCells } from './cascade-codec.js';
import type { Layout } from './layout.js';
import { NumberRing } from './number-ring.js';

export function newNumberCascade(layout: Layout): Cascade<NumberRing> {
  return new Cascade(layout, numberRings);
}

const numberRings: RingKind<NumberRing> = { newRing: () => new NumberRing(), empty: new NumberRing() };

/** The little time series of a window: cell i covers `width` seconds from `from` + i * `width` on. */
export interface NumberSeries {
  readonly width: number;
  readonly from: number;
  readonly count: readonly number[];
  readonly total: readonly number[];
  readonly [key: string]: number | readonly number[];
}

export interface NumberWindow {
  readonly count: number;
  readonly total: number;
  readonly bounds: WindowBounds;
  readonly cells: NumberSeries;
}

/** Count and total of the window of ring `number` at `nowSec`. */
export function numberWindowSum(
  cascade: Cascade<NumberRing>,
  number: number,
  nowSec: number,
): Pick<NumberWindow, 'count' | 'total'> {
  const sum = { count: 0, total: 0 };
  const bounds = cascade.bounds(number, nowSec);
  const { rings } = cascade;
  for (let index = 0; index < rings.length; index++) {
    const ring = rings[index]!;
    if (ring.size === 0) continue;
    const { start, end } = cascade.cellsWithin(bounds, index);
    ring.sumInto(sum, start, end);
  }
  return sum;
}

/** What the window of ring `number` shows at `nowSec`, with its cells. */
export function numberWindow(cascade: Cascade<NumberRing>, number: number, nowSec: number): NumberWindow {
  const { widthSec: width, cells } = cascade.layout[number]!;
  const bounds = cascade.bounds(number, nowSec);
  const counts = new Array<number>(cells).fill(0);
  const totals = new Array<number>(cells).fill(0);
  let count = 0;
  let total = 0;
  cascade.visit(bounds, (ring, cell, cellSec) => {
    const at = Math.floor((cellSec - bounds.fromSec) / width);
    const cellCount = ring.weightOf(cell);
    const cellTotal = ring.totalOf(cell);
    counts[at]! += cellCount;
    totals[at]! += cellTotal;
    count += cellCount;
    total += cellTotal;
  });
  return { count, total, bounds, cells: { width, from: bounds.fromSec, count: counts, total: totals } };
}

export function encodeNumberCascade(cascade: Cascade<NumberRing>, out: ByteWriter): void {
  encodeCells(cascade, out, encodeNumberCell);
}

function encodeNumberCell(ring: NumberRing, cell: number, out: ByteWriter): void {
  out.count(ring.weightOf(cell));
  out.number(ring.totalOf(cell));
}

/** @throws TabaError `corrupt` */
export function decodeNumberCascade(layout: Layout, input: ByteReader): Cascade<NumberRing> {
  const cascade = newNumberCascade(layout);
  decodeCells(cascade, input, (ring, cell) => ring.add(cell, input.count(), input.number()));
  return cascade;
}

/** Adds what `decodeNumberCascade` would read to a cascade. */
export const numberMerger = new CellMerger<NumberRing>((ring, index, input) => {
  const count = input.count();
  const total = input.number();
  ring?.add(index, count, total);
  return count;
});

/** Reads what `decodeNumberCascade` would read. */
export const numberExaminer = new CellExaminer((input) => {
  const count = input.count();
  input.skipNumber();
  return count;
});
