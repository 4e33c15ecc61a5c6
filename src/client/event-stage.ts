/** More would stamp events later, and gains nothing. */
export const stagedEvents = 128;

/**
 * A few numbers between `record()` and the columns: added together, in one loop, the memory that they touch is fetched for
 * several of them at the same time, which one call after the other has to wait for.
 */
export class EventStage {
  readonly rows = new Int32Array(stagedEvents);
  readonly values = new Float64Array(stagedEvents);
  #length = 0;
  #isDraining = false;

  get length(): number {
    return this.#length;
  }

  /** Whether it takes events at this moment: not while those that it held are being added. */
  get isOpen(): boolean {
    return !this.#isDraining;
  }

  /** @returns whether it is full now, and must be drained before the next one */
  put(row: number, value: number): boolean {
    const at = this.#length;
    this.rows[at] = row;
    this.values[at] = value;
    this.#length = at + 1;
    return at + 1 === stagedEvents;
  }

  /**
   * Empties it.
   * @param take gets the events from 0 up to `length` of the arrays, which stay as they are until it returns
   */
  drain(take: (length: number) => void): void {
    const length = this.#length;
    if (length === 0 || this.#isDraining) return;
    this.#isDraining = true;
    this.#length = 0;
    try {
      take(length);
    } finally {
      this.#isDraining = false;
    }
  }
}
