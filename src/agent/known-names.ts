import type { ErrorCode } from '../core/errors.js';
import type { ClientId, TabName } from '../core/ids.js';
import type { Limits } from '../core/limits.js';
import type { Clock } from '../runtime/clock.js';

/** A name that was not used for one to two of these is new again. */
const generationMs = 600_000;

/**
 * The tabs and clients seen lately: more different ones than the limits are refused, those in use go on. An agent keeps no
 * States, so that this alone stands between it and names with a random part.
 */
export class KnownNames {
  readonly #tabs: Recent<TabName>;
  readonly #clients: Recent<ClientId>;

  constructor({ maxTabs, maxClients }: Pick<Limits, 'maxTabs' | 'maxClients'>, clock: Clock) {
    this.#tabs = new Recent(maxTabs, clock);
    this.#clients = new Recent(maxClients, clock);
  }

  get tabs(): number {
    return this.#tabs.size;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** @returns why (tab, client) is refused, or undefined: then both are known from now on */
  admit(
    tab: TabName,
    client: ClientId,
  ): Extract<ErrorCode, 'too_many_tabs' | 'too_many_clients'> | undefined {
    if (this.#tabs.isPresent(tab) && this.#clients.isPresent(client)) return undefined;
    if (!this.#tabs.has(tab) && this.#tabs.full) return 'too_many_tabs';
    if (!this.#clients.admit(client)) return 'too_many_clients';
    this.#tabs.admit(tab);
    return undefined;
  }
}

/** A set of at most `limit` names that forgets those out of use: two generations, the older one dropped in turn. */
class Recent<T extends string> {
  readonly #limit: number;
  readonly #clock: Clock;
  #present = new Set<T>();
  #past = new Set<T>();
  #turnAtMs: number;

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#turnAtMs = clock.monotonicMs() + generationMs;
  }

  get size(): number {
    return this.#present.size + this.#past.size;
  }

  get full(): boolean {
    this.#turn();
    return this.size >= this.#limit;
  }

  /** Whether there is nothing to do for a name that is used. */
  isPresent(name: T): boolean {
    return this.#present.has(name);
  }

  has(name: T): boolean {
    return this.#present.has(name) || this.#past.has(name);
  }

  admit(name: T): boolean {
    if (this.#present.has(name)) return true;
    if (this.#past.delete(name)) {
      this.#present.add(name);
      return true;
    }
    if (this.full) return false;
    this.#present.add(name);
    return true;
  }

  #turn(): void {
    const now = this.#clock.monotonicMs();
    if (now < this.#turnAtMs) return;
    this.#past = now - this.#turnAtMs < generationMs ? this.#present : new Set();
    this.#present = new Set();
    this.#turnAtMs = now + generationMs;
  }
}
