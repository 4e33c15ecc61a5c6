import type { ClientId } from './ids.js';

/** Something that a tab has for each client, and one for all of them. */
export interface Owned {
  /** Whose it is; `''`: that of all clients. */
  readonly owner: ClientId | '';
}

/** Up to so many, looking at one after the other takes hardly longer than a Map, which takes more room than they do. */
const few = 4;

/**
 * What one tab has, by owner. Most tabs have one client, and there are very many tabs: what is of all clients, and what is of an
 * only one, lie here themselves, a few more in a list, and only many in a Map.
 *
 * Runs over what is of all clients first, then over the others in the order in which they came.
 */
export class ByOwner<T extends Owned> implements Iterable<T> {
  #total: T | undefined;
  /** As long as there was never another. */
  #only: T | undefined;
  #few: readonly T[] | undefined;
  #many: Map<string, T> | undefined;

  /** What is of all clients. */
  get total(): T | undefined {
    return this.#total;
  }

  get size(): number {
    const inside = (this.#total === undefined ? 0 : 1) + (this.#only === undefined ? 0 : 1);
    return inside + (this.#few?.length ?? 0) + (this.#many?.size ?? 0);
  }

  has(owner: T['owner']): boolean {
    return this.get(owner) !== undefined;
  }

  get(owner: T['owner']): T | undefined {
    const many = this.#many;
    if (many !== undefined) return many.get(owner) ?? (owner === '' ? this.#total : undefined);
    if (owner === '') return this.#total;
    if (this.#only?.owner === owner) return this.#only;
    const list = this.#few;
    if (list === undefined) return undefined;
    // By index, and without a function: every Part comes by here.
    for (let index = 0; index < list.length; index++) if (list[index]!.owner === owner) return list[index];
    return undefined;
  }

  /** Puts `item` in the place of what its owner has, or behind all others. */
  set(item: T): void {
    const { owner } = item;
    if (owner === '') {
      this.#total = item;
    } else if (this.#many !== undefined) {
      this.#many.set(owner, item);
    } else if (this.#few !== undefined) {
      this.#add(this.#few, item);
    } else if (this.#only === undefined || this.#only.owner === owner) {
      this.#only = item;
    } else {
      this.#few = [this.#only, item];
      this.#only = undefined;
    }
  }

  #add(list: readonly T[], item: T): void {
    const at = list.findIndex(({ owner }) => owner === item.owner);
    // A new list, of just the length that it needs: one that is pushed to reserves sixteen places more.
    if (at >= 0) this.#few = list.with(at, item);
    else if (list.length < few) this.#few = list.concat(item);
    else {
      this.#many = new Map([...list, item].map((one) => [one.owner, one]));
      this.#few = undefined;
    }
  }

  /** @returns whether there was one */
  delete(owner: T['owner']): boolean {
    if (!this.has(owner)) return false;
    if (owner === '') this.#total = undefined;
    else if (this.#many !== undefined) this.#many.delete(owner);
    else if (this.#few !== undefined) this.#few = this.#few.filter((one) => one.owner !== owner);
    else this.#only = undefined;
    return true;
  }

  /** Whether `test` holds for any; quicker than running over all. */
  some(test: (item: T) => boolean): boolean {
    if (this.#total !== undefined && test(this.#total)) return true;
    if (this.#only !== undefined && test(this.#only)) return true;
    if (this.#few !== undefined) return this.#few.some(test);
    if (this.#many !== undefined) for (const one of this.#many.values()) if (test(one)) return true;
    return false;
  }

  *[Symbol.iterator](): Iterator<T> {
    if (this.#total !== undefined) yield this.#total;
    if (this.#only !== undefined) yield this.#only;
    const more = this.#few ?? this.#many?.values();
    if (more !== undefined) for (const one of more) yield one;
  }
}
