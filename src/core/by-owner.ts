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
  #more: readonly T[] | Map<string, T> | undefined;

  /** What is of all clients. */
  get total(): T | undefined {
    return this.#total;
  }

  get size(): number {
    const more = this.#more instanceof Map ? this.#more.size : (this.#more?.length ?? 0);
    return (this.#total === undefined ? 0 : 1) + (this.#only === undefined ? 0 : 1) + more;
  }

  has(owner: T['owner']): boolean {
    return this.get(owner) !== undefined;
  }

  get(owner: T['owner']): T | undefined {
    const more = this.#more;
    if (more instanceof Map) return more.get(owner) ?? (owner === '' ? this.#total : undefined);
    if (owner === '') return this.#total;
    if (more === undefined) return this.#only?.owner === owner ? this.#only : undefined;
    // By index, and without a function: every Part comes by here.
    for (let index = 0; index < more.length; index++) if (more[index]!.owner === owner) return more[index];
    return undefined;
  }

  /** Puts `item` in the place of what its owner has, or behind all others. */
  set(item: T): void {
    const { owner } = item;
    if (owner === '') {
      this.#total = item;
    } else if (this.#more instanceof Map) {
      this.#more.set(owner, item);
    } else if (this.#more !== undefined) {
      this.#more = withItem(this.#more, item);
    } else if (this.#only === undefined || this.#only.owner === owner) {
      this.#only = item;
    } else {
      this.#more = [this.#only, item];
      this.#only = undefined;
    }
  }

  /** @returns whether there was one */
  delete(owner: T['owner']): boolean {
    if (!this.has(owner)) return false;
    if (owner === '') this.#total = undefined;
    else if (this.#more === undefined) this.#only = undefined;
    else if (this.#more instanceof Map) this.#more.delete(owner);
    else this.#more = this.#more.filter((one) => one.owner !== owner);
    return true;
  }

  /** Whether `test` holds for any; quicker than running over all. */
  some(test: (item: T) => boolean): boolean {
    if (this.#total !== undefined && test(this.#total)) return true;
    if (this.#only !== undefined && test(this.#only)) return true;
    if (this.#more !== undefined) for (const one of this.#more.values()) if (test(one)) return true;
    return false;
  }

  *[Symbol.iterator](): Iterator<T> {
    if (this.#total !== undefined) yield this.#total;
    if (this.#only !== undefined) yield this.#only;
    if (this.#more !== undefined) for (const one of this.#more.values()) yield one;
  }
}

/** No private method: those cost every object a field. */
function withItem<T extends Owned>(list: readonly T[], item: T): readonly T[] | Map<string, T> {
  const at = list.findIndex(({ owner }) => owner === item.owner);
  // A new list, of just the length that it needs: one that is pushed to reserves sixteen places more.
  if (at >= 0) return list.with(at, item);
  if (list.length < few) return list.concat(item);
  return new Map([...list, item].map((one) => [one.owner, one]));
}
