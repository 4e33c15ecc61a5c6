import type { Handler } from '../core/handlers/handler.js';
import type { Cell } from './cell.js';

/** Where less than one of so many cells waits, those alone are put in order: to look at all of them would take longer. */
const sparse = 16;

/** Cells by name, as a payload lists them. */
export class CellOrder {
  /** All but those that came since they were last put in order. */
  #cells: Cell[] = [];
  #added: Cell[] = [];
  /** Each once: those in which something waits, in the order in which it began, and others until `taken`. */
  #begun: Cell[] = [];
  /** The cell at which the next listing begins, by name; '' for the first. */
  #from = '';

  add(cell: Cell): void {
    this.#added.push(cell);
  }

  /** Something waits in a cell from now on. */
  begin(cell: Cell): void {
    if (cell.isListed) return;
    cell.isListed = true;
    this.#begun.push(cell);
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
    const from = this.#from;
    this.#from = '';
    const all = this.#allWaiting();
    if (from === '') return all;
    const behind = all.filter(({ name }) => name >= from);
    return behind.length > 0 ? behind : all;
  }

  #allWaiting(): Cell[] {
    if (this.#begun.length * sparse < this.#cells.length + this.#added.length) {
      return this.#begun.filter(({ isWaiting }) => isWaiting).sort(byName);
    }
    if (this.#added.length > 0) this.#settle();
    return this.#cells.filter(({ isWaiting }) => isWaiting);
  }

  #settle(): void {
    // V8 merges runs that are in order: what is there already costs one pass.
    this.#cells.push(...this.#added.splice(0).sort(byName));
    this.#cells.sort(byName);
  }

  /** What waited has been taken, or some of it. */
  taken(): void {
    const left: Cell[] = [];
    for (const cell of this.#begun) {
      if (cell.isWaiting) left.push(cell);
      else cell.isListed = false;
    }
    this.#begun = left;
  }
}

function byName({ name: a }: Cell, { name: b }: Cell): number {
  return a < b ? -1 : Number(a > b);
}

/** The types of cells, ascending. */
export function handlersOf(cells: readonly Cell[]): Handler[] {
  const handlers = new Set<Handler>();
  for (const { handler } of cells) handlers.add(handler);
  return [...handlers].sort((a, b) => (a.type < b.type ? -1 : 1));
}
