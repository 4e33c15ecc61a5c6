import { keptCells, type Layout } from './layout.js';

/**
 * A run of neighbouring cells of one width, keyed by absolute index: floor(seconds / width). It reaches from the oldest
 * to the newest cell that was ever written and not dropped; cells in between may be empty.
 */
export interface Ring<R> {
  /** Index of the oldest cell; means nothing while `size` is 0. */
  readonly first: number;
  readonly size: number;
  /** How many events cell `index` (within the run) stands for. */
  weightOf(index: number): number;
  /** The first cell from `index` (within the run or right behind it) on that holds something; the end of the run if there is none. */
  nextUsed(index: number): number;
  /** Adds what cell `fromIndex` of `from` holds to cell `index`, which may lie outside of the run. */
  take(index: number, from: R, fromIndex: number): void;
  /** Adds what the cells of `from` hold to those of the same index, from `start` (within its run) to its end. */
  takeFrom(start: number, from: R): void;
  /** Drops the cells below `index`. */
  dropBefore(index: number): void;
  /** Drops the cells from `index` on. */
  dropFrom(index: number): void;
}

/** How the rings of a cascade are made. Most of a State's never hold anything, and a Part has cells in one. */
export interface RingKind<R> {
  newRing(): R;
  /** Stands for every ring that was never written; never written itself. */
  readonly empty: R;
}

/** The time that a window covers: from `fromSec` up to, not including, `toSec`. */
export interface WindowBounds {
  readonly fromSec: number;
  readonly toSec: number;
}

/**
 * Rings of ever wider cells. An event lies in exactly one cell: that of the finest ring that still keeps its time. What
 * the finest ring drops goes into the next one, and so on; what the last one drops is gone from the windows. A window
 * therefore sums the cells of all rings that begin within it, and a Part of one second is one cell.
 *
 * Which ring keeps what follows from the newest event alone, never from a clock. So the cells are a function of the
 * events, whatever order they and the merges came in; and no rendering, no pruning, no jump of a clock moves anything.
 */
export class Cascade<R extends Ring<R>> {
  readonly layout: Layout;
  readonly #kind: RingKind<R>;
  readonly #rings: R[];
  /** Index of the newest event's cell in the finest ring; -Infinity while there is none. */
  newest = Number.NEGATIVE_INFINITY;

  constructor(layout: Layout, kind: RingKind<R>) {
    this.layout = layout;
    this.#kind = kind;
    this.#rings = new Array<R>(layout.length).fill(kind.empty);
  }

  /** From the finest to the coarsest; to be read only, see `writable`. */
  get rings(): readonly R[] {
    return this.#rings;
  }

  /** Ring `number`, to be written into. */
  writable(number: number): R {
    const ring = this.#rings[number]!;
    if (ring !== this.#kind.empty) return ring;
    const made = this.#kind.newRing();
    this.#rings[number] = made;
    return made;
  }

  /** Start of the newest event's cell, seconds UTC; -Infinity while there is none. */
  get newestSec(): number {
    return this.newest * this.layout[0]!.widthSec;
  }

  /**
   * Makes the cell of an event the newest if it is newer, and finds the ring that keeps it.
   * @returns the ring's number, or -1 if the event is older than all rings
   */
  ringFor(timestampSec: number): number {
    const index = Math.floor(timestampSec / this.layout[0]!.widthSec);
    if (index === this.newest) return 0;
    if (index > this.newest) {
      this.#advance(index);
      return 0;
    }
    return this.ringKeeping(index * this.layout[0]!.widthSec, 0);
  }

  /** Index of the cell of ring `number` that holds a time. */
  indexOf(number: number, timestampSec: number): number {
    return Math.floor(timestampSec / this.layout[number]!.widthSec);
  }

  /** The ring, `finest` or a coarser one, that keeps a cell; -1 for none. */
  ringKeeping(cellSec: number, finest: number): number {
    for (let number = finest; number < this.#rings.length; number++) {
      if (this.indexOf(number, cellSec) >= this.#oldestKept(number)) return number;
    }
    return -1;
  }

  #oldestKept(number: number): number {
    return this.indexOf(number, this.newestSec) - keptCells(this.layout[number]!) + 1;
  }

  /** Makes a cell of the finest ring the newest if it is newer. */
  advanceTo(index: number): void {
    if (index > this.newest) this.#advance(index);
  }

  #advance(index: number): void {
    this.newest = index;
    for (let number = 0; number < this.#rings.length; number++) {
      const ring = this.#rings[number]!;
      if (ring.size === 0) continue;
      const oldest = this.#oldestKept(number);
      if (ring.first >= oldest) continue;
      const end = Math.min(oldest, ring.first + ring.size);
      const isLast = number + 1 === this.#rings.length;
      for (let cell = ring.nextUsed(ring.first); !isLast && cell < end; cell = ring.nextUsed(cell + 1)) {
        const index = this.indexOf(number + 1, cell * this.layout[number]!.widthSec);
        this.writable(number + 1).take(index, ring, cell);
      }
      ring.dropBefore(oldest);
    }
  }

  /** Adds the cells of `from`, which has the same layout. */
  merge(from: Cascade<R>): void {
    this.advanceTo(from.newest);
    const rings = from.#rings;
    for (let number = 0; number < rings.length; number++) {
      const ring = rings[number]!;
      if (ring.size === 0) continue;
      const { widthSec } = this.layout[number]!;
      const end = ring.first + ring.size;
      const kept = Math.min(Math.max(this.#oldestKept(number), ring.first), end);
      for (let cell = ring.nextUsed(ring.first); cell < kept; cell = ring.nextUsed(cell + 1)) {
        this.#adopt(cell * widthSec, number, ring, cell);
      }
      if (ring.nextUsed(kept) < end) this.writable(number).takeFrom(kept, ring);
    }
  }

  #adopt(cellSec: number, finest: number, from: R, cell: number): void {
    const number = this.ringKeeping(cellSec, finest);
    if (number >= 0) this.writable(number).take(this.indexOf(number, cellSec), from, cell);
  }

  /**
   * Moves every cell that begins after `limitSec` into the cell of `presentSec`, so that a clock that runs ahead does not
   * push the present out of the windows. What such a clock has already pushed into wider cells stays there.
   * @returns how many events were moved
   */
  clampFuture(limitSec: number, presentSec: number): number {
    if (this.newestSec <= limitSec) return 0;
    const late: { readonly ring: R; readonly cell: number }[] = [];
    let moved = 0;
    let newestLeft = Math.floor(presentSec / this.layout[0]!.widthSec);
    this.#rings.forEach((ring, number) => {
      const { widthSec } = this.layout[number]!;
      const limitCell = Math.floor(limitSec / widthSec);
      const cut = this.#kind.newRing();
      const end = ring.first + ring.size;
      for (let cell = ring.first; cell < end; cell++) {
        const weight = ring.weightOf(cell);
        if (weight === 0) continue;
        if (cell <= limitCell) {
          newestLeft = Math.max(newestLeft, this.indexOf(0, cell * widthSec));
        } else {
          cut.take(cell, ring, cell);
          late.push({ ring: cut, cell });
          moved += weight;
        }
      }
      if (ring.size > 0) ring.dropFrom(limitCell + 1);
    });
    this.newest = newestLeft;
    for (const { ring, cell } of late) this.writable(0).take(this.indexOf(0, presentSec), ring, cell);
    return moved;
  }

  /** What the window of ring `number` covers at `nowSec`. Cells that begin after the one that holds `nowSec` are not shown yet. */
  bounds(number: number, nowSec: number): WindowBounds {
    const { widthSec, cells } = this.layout[number]!;
    const finestSec = this.layout[0]!.widthSec;
    return {
      fromSec: (this.indexOf(number, nowSec) - cells + 1) * widthSec,
      toSec: (Math.floor(nowSec / finestSec) + 1) * finestSec,
    };
  }

  /** Which cells of ring `number` begin within the bounds: from `start` up to, not including, `end`. */
  cellsWithin({ fromSec, toSec }: WindowBounds, number: number): { start: number; end: number } {
    const { widthSec } = this.layout[number]!;
    return { start: Math.ceil(fromSec / widthSec), end: Math.ceil(toSec / widthSec) };
  }

  /** Calls `visit` for every cell, of whatever ring, that begins within the bounds and holds something. */
  visit(bounds: WindowBounds, visit: (ring: R, cell: number, cellSec: number) => void): void {
    this.#rings.forEach((ring, number) => {
      const { widthSec } = this.layout[number]!;
      const within = this.cellsWithin(bounds, number);
      const start = Math.max(ring.first, within.start);
      const end = Math.min(ring.first + ring.size, within.end);
      if (start >= end) return;
      for (let cell = ring.nextUsed(start); cell < end; cell = ring.nextUsed(cell + 1)) {
        visit(ring, cell, cell * widthSec);
      }
    });
  }
}
