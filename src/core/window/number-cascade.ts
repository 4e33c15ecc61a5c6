import type { ByteReader, ByteWriter } from '../bytes.js';
import { Cascade, type RingKind, type WindowBounds } from './cascade.js';
import {
  CellExaminer,
  CellMerger,
  type CellReader,
  decodeCells,
  encodeCells,
  readCells,
} from './cascade-codec.js';
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

/** Counts and totals of all windows of a layout at one moment, filled anew for one State after the other. */
export class WindowSums implements CellReader {
  readonly counts: Float64Array;
  readonly totals: Float64Array;
  readonly #layout: Layout;
  #nowSec = Number.NaN;
  /** By ring, then by window: the first cell of the ring that lies in the window. */
  readonly #starts: Float64Array;
  /** By ring: the first cell behind all windows. */
  readonly #ends: Float64Array;
  /** Shared by all calls that need it for a moment. */
  readonly #sum = { count: 0, total: 0 };
  /** Knows which cells the windows of the layout show. */
  readonly #cascade: Cascade<NumberRing>;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.counts = new Float64Array(layout.length);
    this.totals = new Float64Array(layout.length);
    this.#starts = new Float64Array(layout.length ** 2);
    this.#ends = new Float64Array(layout.length);
    this.#cascade = newNumberCascade(layout);
  }

  /** @param cascade of this layout */
  fill(cascade: Cascade<NumberRing>, nowSec: number): void {
    this.#begin(nowSec);
    const { rings } = cascade;
    for (let number = 0; number < rings.length; number++) {
      const ring = rings[number]!;
      if (ring.size > 0) this.#add(ring, number);
    }
  }

  /**
   * The same for a cascade that is encoded, without making one.
   * @throws TabaError `corrupt`, where `decodeNumberCascade` would
   */
  fillFrom(input: ByteReader, nowSec: number): void {
    this.#begin(nowSec);
    readCells(this.#layout, input, this);
  }

  /** What a window covers at `nowSec`, see `Cascade.bounds`. */
  bounds(window: number, nowSec: number): WindowBounds {
    return this.#cascade.bounds(window, nowSec);
  }

  #begin(nowSec: number): void {
    this.counts.fill(0);
    this.totals.fill(0);
    if (nowSec !== this.#nowSec) this.#turnTo(nowSec);
  }

  /** For `fillFrom` alone, as `read`. */
  begin(): void {}

  read(ring: number, cell: number, input: ByteReader): number {
    const count = input.count();
    const total = input.number();
    if (cell >= this.#ends[ring]!) return count;
    const { counts, totals } = this;
    const windows = counts.length;
    for (let window = 0; window < windows; window++) {
      if (cell < this.#starts[ring * windows + window]!) continue;
      counts[window]! += count;
      totals[window]! += total;
    }
    return count;
  }

  /** Which cells the windows show is the same for all States of one answer. */
  #turnTo(nowSec: number): void {
    const windows = this.#layout.length;
    const cascade = this.#cascade;
    for (let window = 0; window < windows; window++) {
      const bounds = cascade.bounds(window, nowSec);
      for (let ring = 0; ring < windows; ring++) {
        const { start, end } = cascade.cellsWithin(bounds, ring);
        this.#starts[ring * windows + window] = start;
        this.#ends[ring] = end;
      }
    }
    this.#nowSec = nowSec;
  }

  #add(ring: NumberRing, number: number): void {
    const { counts, totals } = this;
    const windows = counts.length;
    const end = this.#ends[number]!;
    const { first } = ring;
    const sum = this.#sum;
    // Windows that have the same so far and begin before the whole ring get the same from it: it is added up once for them.
    let start = Number.NaN;
    let count = 0;
    let total = 0;
    for (let window = windows - 1; window >= 0; window--) {
      const its = Math.max(this.#starts[number * windows + window]!, first);
      if (its !== start || counts[window] !== count || totals[window] !== total) {
        start = its;
        count = counts[window]!;
        total = totals[window]!;
        sum.count = count;
        sum.total = total;
        ring.sumInto(sum, start, end);
      }
      counts[window] = sum.count;
      totals[window] = sum.total;
    }
  }
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
