import type { ClientId } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';

/** How much of its States a process may keep in memory. */
export interface MemoryBudget {
  /** What the whole process may hold, bytes: its base, the index of all States, States, and garbage. Default: no bound. */
  readonly maxBytes?: number;
  /** What the process holds without any State, bytes. */
  readonly baseBytes?: number;
  /** States that may be in memory, however small they are. Default: no bound. */
  readonly maxStates?: number;
}

/**
 * What the index takes for one (tab, client), in memory or not: 130 to 152 measured, with 200 and 2 clients a tab (Node 20), and
 * names of some 20 characters beside that.
 */
const slotBytes = 200;
/** Before anything is measured: a State of a `CounterGroup` with a few minutes of events. */
const firstStateBytes = 4096;
/** Whatever is measured, a State costs that. */
const minStateBytes = 64;
/** The base and the index may leave little; so many States are allowed in any case, or nothing could be applied. */
const minStates = 1000;
/** Part of the budget that live data may fill: the rest is for garbage. More of it would cost more collections. */
const fill = 0.6;
/** So many States above their bound, and Blocks have to wait. */
const overfull = 1.1;
/** Part of the budget that the index may fill; beyond it, new States are refused. */
const maxIndex = 0.4;

/**
 * How many tabs, clients and States all buckets of this process have together, and how many States may be in memory.
 *
 * What a State costs depends on its type and on what happened to it, and V8 does not say; so it is worked out from what
 * the process really holds after a full garbage collection (`measured`), and the number of States follows.
 */
export class Capacity {
  readonly #limits: Pick<Limits, 'maxTabs' | 'maxClients'>;
  readonly #budget: MemoryBudget;
  /** In how many (bucket, tab) each client occurs. */
  readonly #clients = new Map<ClientId, number>();
  #stateBytes: number | undefined;
  tabs = 0;
  /** (tab, client) pairs of the index, States over all clients included. */
  slots = 0;
  /** Those whose State is in memory. */
  states = 0;

  constructor(limits: Pick<Limits, 'maxTabs' | 'maxClients'>, budget: MemoryBudget = {}) {
    this.#limits = limits;
    this.#budget = budget;
  }

  get clients(): number {
    return this.#clients.size;
  }

  clientIds(): Iterable<ClientId> {
    return this.#clients.keys();
  }

  knowsClient(client: ClientId): boolean {
    return this.#clients.has(client);
  }

  /** Whether one more tab is allowed. */
  get hasRoomForTab(): boolean {
    return this.tabs < this.#limits.maxTabs;
  }

  /** Whether the index may have one more (tab, client). */
  get hasRoomForSlot(): boolean {
    const { maxBytes } = this.#budget;
    return maxBytes === undefined || this.slots * slotBytes < maxBytes * maxIndex;
  }

  /** Whether one more State may be in memory without another having to go. */
  get hasRoomForState(): boolean {
    return this.states < this.maxStates;
  }

  /**
   * Whether Blocks have to wait: more States are in memory than the budget of bytes can bear, because they are touched
   * faster than they are written down.
   */
  get isOverfull(): boolean {
    return this.#budget.maxBytes !== undefined && this.states > this.maxStates * overfull;
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

  /** States that may be in memory; Infinity for no bound. */
  get maxStates(): number {
    const { maxBytes, baseBytes = 0, maxStates = Number.POSITIVE_INFINITY } = this.#budget;
    if (maxBytes === undefined) return maxStates;
    const bytes = maxBytes * fill - baseBytes - this.slots * slotBytes;
    return Math.min(maxStates, Math.max(minStates, Math.floor(bytes / this.stateBytes)));
  }

  /** What a State in memory costs, as far as is known; bytes. */
  get stateBytes(): number {
    return this.#stateBytes ?? firstStateBytes;
  }

  /** The process holds so much, nothing of it garbage. */
  measured(liveBytes: number): void {
    // A handful of States tells nothing about what one costs.
    if (this.states < minStates) return;
    const bytes = liveBytes - (this.#budget.baseBytes ?? 0) - this.slots * slotBytes;
    const now = Math.max(minStateBytes, bytes / this.states);
    const before = this.#stateBytes ?? now;
    // Upwards at once, downwards by and by: the next States may be as large as those before.
    this.#stateBytes = now > before ? now : (before + now) / 2;
  }
}
