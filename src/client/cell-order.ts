import type { Cell } from './cell.js';

/** Cells by name, as a payload lists them. New ones are put in their places together. */
export class CellOrder {
  #cells: Cell[] = [];
  #added: Cell[] = [];
  /** The cell at which the next listing begins, by name; '' for the first. */
  #from = '';

  add(cell: Cell): void {
    this.#added.push(cell);
  }

  /** Leaves out those that are retired. */
  dropRetired(): void {
    this.#cells = this.#cells.filter(({ isRetired }) => !isRetired);
    this.#added = this.#added.filter(({ isRetired }) => !isRetired);
  }

  /** The next listing begins here, so that those behind have their turn; the one after that at the first again. */
  beginAt(cell: Cell): void {
    this.#from = cell.name;
  }

  /** Cells in which something waits, ascending. */
  waiting(): Cell[] {
    if (this.#added.length > 0) this.#settle();
    const from = this.#from;
    this.#from = '';
    const all = this.#cells.filter(({ isWaiting }) => isWaiting);
    if (from === '') return all;
    const behind = all.filter(({ name }) => name >= from);
    return behind.length > 0 ? behind : all;
  }

  #settle(): void {
    // V8 merges runs that are in order: what is there already costs one pass.
    this.#cells.push(...this.#added.splice(0).sort(byName));
    this.#cells.sort(byName);
  }
}

function byName({ name: a }: Cell, { name: b }: Cell): number {
  return a < b ? -1 : Number(a > b);
}
