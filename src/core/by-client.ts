import type { ClientId } from './ids.js';

/** What `ByClient` and Maps by client have in common, to be read. */
export interface ReadonlyByClient<T> extends Iterable<readonly [ClientId, T]> {
  readonly size: number;
  has(client: ClientId): boolean;
  get(client: ClientId): T | undefined;
  keys(): Iterable<ClientId>;
  values(): Iterable<T>;
}

/** A Map for what has one client in most cases, such as the tabs of a flush: it becomes one only with the second. */
export class ByClient<T> implements ReadonlyByClient<T> {
  #client: ClientId | undefined;
  #value: T | undefined;
  #more: Map<ClientId, T> | undefined;

  get size(): number {
    if (this.#more !== undefined) return this.#more.size;
    return this.#client === undefined ? 0 : 1;
  }

  has(client: ClientId): boolean {
    return this.#more === undefined ? this.#client === client : this.#more.has(client);
  }

  get(client: ClientId): T | undefined {
    if (this.#more !== undefined) return this.#more.get(client);
    return this.#client === client ? this.#value : undefined;
  }

  set(client: ClientId, value: T): void {
    if (this.#more !== undefined) {
      this.#more.set(client, value);
    } else if (this.#client === undefined || this.#client === client) {
      this.#client = client;
      this.#value = value;
    } else {
      this.#more = new Map([
        [this.#client, this.#value as T],
        [client, value],
      ]);
      this.#client = undefined;
      this.#value = undefined;
    }
  }

  delete(client: ClientId): void {
    if (this.#more !== undefined) {
      this.#more.delete(client);
    } else if (this.#client === client) {
      this.#client = undefined;
      this.#value = undefined;
    }
  }

  keys(): Iterable<ClientId> {
    if (this.#more !== undefined) return this.#more.keys();
    return this.#client === undefined ? [] : [this.#client];
  }

  values(): Iterable<T> {
    if (this.#more !== undefined) return this.#more.values();
    return this.#client === undefined ? [] : [this.#value as T];
  }

  [Symbol.iterator](): Iterator<readonly [ClientId, T]> {
    if (this.#more !== undefined) return this.#more[Symbol.iterator]();
    return (this.#client === undefined ? [] : [[this.#client, this.#value as T] as const])[Symbol.iterator]();
  }
}
