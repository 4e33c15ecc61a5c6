/** So many values are looked through faster than a Map of them is made. */
const fewValues = 8;

/** The different values that a payload lists at its beginning, and their places there: of a Block there are often just one or two. */
export class Listing<T extends string> {
  #values: T[] = [];
  /** Once there are more than a few: their places, after `close`. */
  #places: Map<T, number> | undefined;

  add(value: T): void {
    if (this.#places !== undefined) {
      this.#places.set(value, 0);
    } else if (!this.#values.includes(value)) {
      this.#values.push(value);
      if (this.#values.length > fewValues) this.#places = new Map(this.#values.map((known) => [known, 0]));
    }
  }

  /** Nothing is added afterwards. @returns the values, ascending */
  close(): readonly T[] {
    if (this.#places !== undefined) this.#values = [...this.#places.keys()];
    if (this.#values.length > 1) this.#values.sort();
    let place = 0;
    if (this.#places !== undefined) for (const value of this.#values) this.#places.set(value, place++);
    return this.#values;
  }

  /** The place of a value that was added. */
  indexOf(value: T): number {
    return this.#places?.get(value) ?? this.#values.indexOf(value);
  }
}
