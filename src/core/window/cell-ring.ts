import type { Ring, RingKind } from './cascade.js';

/** What a CellRing must know about its cells. */
export interface CellKind<C> {
  newCell(): C;
  /** Adds what `from` holds to `into`, and leaves `from` as it is. */
  merge(into: C, from: C): void;
  /** How many events a cell stands for. */
  weightOf(cell: C): number;
}

/** Rings of one kind of cell. */
export class CellRings<C> implements RingKind<CellRing<C>> {
  readonly kind: CellKind<C>;
  readonly empty: CellRing<C>;

  constructor(kind: CellKind<C>) {
    this.kind = kind;
    this.empty = new CellRing(kind);
  }

  newRing(): CellRing<C> {
    return new CellRing(this.kind);
  }
}

/** Cells that are objects, such as sketches; a ring of few. */
export class CellRing<C> implements Ring<CellRing<C>> {
  readonly #kind: CellKind<C>;
  #cells: (C | undefined)[] = [];
  first = 0;

  constructor(kind: CellKind<C>) {
    this.#kind = kind;
  }

  get size(): number {
    return this.#cells.length;
  }

  weightOf(index: number): number {
    const cell = this.cellAt(index);
    return cell === undefined ? 0 : this.#kind.weightOf(cell);
  }

  cellAt(index: number): C | undefined {
    return this.#cells[index - this.first];
  }

  /** The cell, made if need be. */
  cellFor(index: number): C {
    if (this.#cells.length === 0) this.first = index;
    while (index < this.first) {
      this.#cells.unshift(undefined);
      this.first--;
    }
    while (index - this.first >= this.#cells.length) this.#cells.push(undefined);
    const at = index - this.first;
    const cell = this.#cells[at] ?? this.#kind.newCell();
    this.#cells[at] = cell;
    return cell;
  }

  /** Puts a cell of the caller's in, where none was. */
  put(index: number, cell: C): void {
    this.#kind.merge(this.cellFor(index), cell);
  }

  nextUsed(index: number): number {
    const end = this.first + this.size;
    let cell = index;
    while (cell < end && !(this.weightOf(cell) > 0)) cell++;
    return cell;
  }

  take(index: number, from: CellRing<C>, fromIndex: number): void {
    const cell = from.cellAt(fromIndex);
    if (cell !== undefined) this.put(index, cell);
  }

  takeFrom(start: number, from: CellRing<C>): void {
    const end = from.first + from.size;
    for (let cell = from.nextUsed(start); cell < end; cell = from.nextUsed(cell + 1))
      this.take(cell, from, cell);
  }

  dropBefore(index: number): void {
    const gone = Math.min(Math.max(index - this.first, 0), this.#cells.length);
    this.#cells.splice(0, gone);
    this.first += gone;
  }

  dropFrom(index: number): void {
    this.#cells.length = Math.min(Math.max(index - this.first, 0), this.#cells.length);
  }
}
