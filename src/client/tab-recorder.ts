import type { Cell } from './cell.js';
import type { Recorder } from './engine.js';

/** What a recorder records into. */
export interface Cells {
  /** Goes up when rows may be somebody else's. */
  readonly retirements: number;
  /** Takes a finite number for a row, if that is easily done; else `record` it. */
  gather(row: number, value: number): boolean;
  cellOf(name: string, type: string): Cell | undefined;
  record(cell: Cell, payload: unknown): void;
}

/** A held tab. The cell behind it is looked up once, and again only after it was forgotten. */
export class TabRecorder implements Recorder {
  readonly #cells: Cells;
  readonly #name: string;
  readonly #type: string;
  #cell: Cell | undefined;
  /** That of the cell, as long as the buffer's `retirements` are what they were then. */
  #row = 0;
  #rowAtRetirements = -1;

  constructor(cells: Cells, name: string, type: string) {
    this.#cells = cells;
    this.#name = name;
    this.#type = type;
  }

  record(value: unknown): void {
    const cells = this.#cells;
    if (
      this.#rowAtRetirements === cells.retirements &&
      isFiniteNumber(value) &&
      cells.gather(this.#row, value)
    ) {
      return;
    }
    this.#recordInCell(value);
  }

  #recordInCell(value: unknown): void {
    let cell = this.#cell;
    if (cell === undefined || cell.isRetired) {
      cell = this.#cells.cellOf(this.#name, this.#type);
      this.#cell = cell;
      if (cell === undefined) return;
    }
    this.#cells.record(cell, value);
    if (cell.row === undefined || cell.isRetired) return;
    this.#row = cell.row;
    this.#rowAtRetirements = this.#cells.retirements;
  }
}

export function isFiniteNumber(value: unknown): value is number {
  // What is not finite is not equal to itself after subtraction.
  return typeof value === 'number' && value - value === 0;
}
