/** One ring of cells, and the window that it is named after. */
export interface RingShape {
  readonly label: string;
  readonly widthSec: number;
  /** How many cells the window shows, the one that holds the present included. */
  readonly cells: number;
}

/** Rings from the finest to the coarsest; every width is a multiple of the one before. */
export type Layout = readonly RingShape[];

/**
 * Rings keep cells for so many seconds more than their window: an event may be 10 s ahead of the present (the allowed
 * skew), and the present of a query is held back by up to 10 s (the cluster's latency). The rest is room for doubt.
 */
const spareSec = 30;

/** How many cells a ring keeps, counted back from the newest event's. */
export function keptCells({ widthSec, cells }: RingShape): number {
  return cells + Math.ceil(spareSec / widthSec);
}

/** Counts and totals: a window is up to one cell shorter than its name says, which at 60 cells and more nobody sees. */
export const counterLayout = [
  { label: '1m', widthSec: 1, cells: 60 },
  { label: '10m', widthSec: 10, cells: 60 },
  { label: '1h', widthSec: 30, cells: 120 },
  { label: '1d', widthSec: 900, cells: 96 },
] as const satisfies Layout;

/**
 * Sketches, of which a State can hold few: 4 cells cover a window, and a fifth makes up for the one that holds the
 * present and is only partly filled. A window is up to one cell longer than its name says.
 */
export const sketchLayout = [
  { label: '1m', widthSec: 15, cells: 5 },
  { label: '10m', widthSec: 150, cells: 5 },
  { label: '1h', widthSec: 900, cells: 5 },
  { label: '1d', widthSec: 21_600, cells: 5 },
] as const satisfies Layout;
