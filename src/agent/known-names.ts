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
  readonly #clock: Clock;
  #turnAtMs: number;

  constructor({ maxTabs, maxClients }: Pick<Limits, 'maxTabs' | 'maxClients'>, clock: Clock) {
    this.#tabs = new Recent(maxTabs);
    this.#clients = new Recent(maxClients);
    this.#clock = clock;
    this.#turnAtMs = clock.monotonicMs() + generationMs;
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
    // With every name, known or not: a generation that nobody ended would not tell the names in use from the others.
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#turnAtMs) this.#turn(nowMs);
    if (this.#tabs.isPresent(tab) && this.#clients.isPresent(client)) return undefined;
    if (!this.#tabs.has(tab) && this.#tabs.full) return 'too_many_tabs';
    if (!this.#clients.admit(client)) return 'too_many_clients';
    this.#tabs.admit(tab);
    return undefined;
  }

  #turn(nowMs: number): void {
    const wasSilent = nowMs - this.#turnAtMs >= generationMs;
    this.#tabs.turn(wasSilent);
    this.#clients.turn(wasSilent);
    this.#turnAtMs = nowMs + generationMs;
  }
}

/** A set of at most `limit` names that forgets those out of use: two generations, the older one dropped in turn. */
class Recent<T extends string> {
  readonly #limit: number;
  #present = new Set<T>();
  #past = new Set<T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#present.size + this.#past.size;
  }

  get full(): boolean {
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

  /** A generation is over. @param wasSilent nothing came since long before its end */
  turn(wasSilent: boolean): void {
    this.#past = wasSilent ? new Set() : this.#present;
    this.#present = new Set();
  }
}
