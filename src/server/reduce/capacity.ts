import type { ClientId } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';

/** How many tabs, clients and loaded States all buckets of this process have together. */
export class Capacity {
  readonly #limits: Pick<Limits, 'maxTabs' | 'maxClients'>;
  /** States that may be in memory; Infinity for no bound. */
  readonly maxStates: number;
  /** In how many (bucket, tab) each client occurs. */
  readonly #clients = new Map<ClientId, number>();
  tabs = 0;
  states = 0;

  constructor(limits: Pick<Limits, 'maxTabs' | 'maxClients'>, maxStates: number) {
    this.#limits = limits;
    this.maxStates = maxStates;
  }

  get clients(): number {
    return this.#clients.size;
  }

  clientIds(): Iterable<ClientId> {
    return this.#clients.keys();
  }

  /** Whether one more tab is allowed. */
  get hasRoomForTab(): boolean {
    return this.tabs < this.#limits.maxTabs;
  }

  admitsClient(client: ClientId): boolean {
    return this.#clients.has(client) || this.#clients.size < this.#limits.maxClients;
  }

  addClient(client: ClientId): void {
    this.#clients.set(client, (this.#clients.get(client) ?? 0) + 1);
  }

  removeClient(client: ClientId): void {
    const left = (this.#clients.get(client) ?? 0) - 1;
    if (left > 0) this.#clients.set(client, left);
    else this.#clients.delete(client);
  }
}
