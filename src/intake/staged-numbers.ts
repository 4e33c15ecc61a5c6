import type { NumberRun } from '../wire/item-sink.js';

/** A body with more different seconds than this has its further ones folded one by one. */
export const maxStagedSeconds = 8;

/** The place of an item that is none of the numbers. */
export const nowhere = 0;

/** The numbers among the items of a body, each with its second: nine bytes an item, until it is known what becomes of them. */
export class StagedNumbers {
  #values = new Float64Array(64);
  #places = new Uint8Array(64);
  readonly #seconds: number[] = [];
  #lastSecond = Number.NaN;
  #lastPlace = nowhere;
  #items = 0;
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** By item. */
  get values(): Float64Array {
    return this.#values;
  }

  /** By item: the place of its second in `seconds`, plus one; or `nowhere`. */
  get places(): Uint8Array {
    return this.#places;
  }

  /** Items that are here, and those between them. */
  get items(): number {
    return this.#items;
  }

  /** Those that there are, in the order in which they came. */
  get seconds(): readonly number[] {
    return this.#seconds;
  }

  /**
   * @param index above that of every item before
   * @returns false, and has done nothing, where there are too many different seconds
   */
  add(index: number, second: number, value: number): boolean {
    if (second !== this.#lastSecond && !this.#find(second)) return false;
    if (index >= this.#places.length) this.#grow(index + 1);
    this.#values[index] = value;
    this.#places[index] = this.#lastPlace;
    this.#items = index + 1;
    this.#count++;
    return true;
  }

  /**
   * Adds numbers from a place of two columns on, one item each, for as long as they are finite and of a time that may be.
   * @param latestSec no time may be later
   * @returns how many: it ends at the first one that is otherwise, or of one second too many
   */
  addRun(
    index: number,
    { timestampsSec, payloads, count }: Pick<NumberRun, 'timestampsSec' | 'payloads' | 'count'>,
    from: number,
    latestSec: number,
  ): number {
    const end = index + count - from;
    if (end > this.#places.length) this.#grow(end);
    const values = this.#values;
    const places = this.#places;
    let at = index;
    for (let place = from; place < count; place++, at++) {
      const timestampSec = timestampsSec[place]!;
      // Adding 0 turns -0 into 0, as `parse` does.
      const value = payloads[place]! + 0;
      if (!(timestampSec >= 0 && timestampSec <= latestSec && Number.isFinite(value))) break;
      const second = Math.floor(timestampSec);
      if (second !== this.#lastSecond && !this.#find(second)) break;
      values[at] = value;
      places[at] = this.#lastPlace;
    }
    const added = at - index;
    if (added > 0) this.#items = at;
    this.#count += added;
    return added;
  }

  #find(second: number): boolean {
    let place = this.#seconds.indexOf(second);
    if (place < 0) {
      if (this.#seconds.length === maxStagedSeconds) return false;
      place = this.#seconds.push(second) - 1;
    }
    this.#lastSecond = second;
    this.#lastPlace = place + 1;
    return true;
  }

  /** Gives out every number, with the place of its second in `seconds`, in the order of the items; it is empty afterwards. */
  drain(take: (index: number, place: number, value: number) => void): void {
    for (let index = 0; index < this.#items; index++) {
      const place = this.#places[index]!;
      if (place !== nowhere) take(index, place - 1, this.#values[index]!);
    }
    this.clear();
  }

  /** Forgets all of them. */
  clear(): void {
    this.#items = 0;
    this.#count = 0;
  }

  #grow(needed: number): void {
    const capacity = Math.max(needed, this.#places.length * 4);
    const values = new Float64Array(capacity);
    values.set(this.#values);
    this.#values = values;
    const places = new Uint8Array(capacity);
    places.set(this.#places);
    this.#places = places;
  }
}
