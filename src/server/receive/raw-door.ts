import type { BlockRejection } from '../../core/block.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { StageContext } from '../../intake/context.js';
import type { Counts } from '../../intake/counts.js';
import type { DenyLists } from '../../intake/deny-lists.js';
import type { DictionaryOptions } from '../../intake/raw/dictionary.js';
import type { Clock } from '../../runtime/clock.js';
import type { KeyedOutcome } from './keyed-delivery.js';

export interface RawDoorOptions {
  readonly registry: HandlerRegistry;
  readonly limits: Limits;
  readonly denyLists: DenyLists;
  readonly clientId: ClientId;
  readonly clock: Clock;
  /** The type under which an owner here knows a tab. */
  typeOf(tab: TabName): TabType | undefined;
}

/** What raw events are checked with, and a count of what came to the door, whatever became of it. */
export class RawDoor {
  readonly #options: RawDoorOptions;
  readonly #rejected = new Map<string, number>();
  readonly #dropped = new Map<string, number>();
  #received = 0;
  #clamped = 0;
  #sequence = 0;
  #keyedWaiting = 0;
  #keyedApplied = 0;
  #keyedUnknown = 0;

  constructor(options: RawDoorOptions) {
    this.#options = options;
  }

  /** Tabs and clients are limited at their owners, who know them all. */
  context(): StageContext {
    const { registry, limits, denyLists, clientId, clock, typeOf } = this.#options;
    return {
      registry,
      limits,
      nowMs: clock.nowMs(),
      defaultClient: clientId,
      deny: denyLists,
      typeOf,
      admits: () => undefined,
      nextSequence: () => this.nextSequence(),
    };
  }

  /** What definitions of tabs are checked with. */
  get dictionaryOptions(): DictionaryOptions {
    const { registry, limits, denyLists: deny } = this.#options;
    return { registry, limits, deny };
  }

  /** Numbers events of one timestamp. */
  nextSequence(): number {
    return this.#sequence++;
  }

  /** Counts a body that was staged. */
  receive(received: number, clamped: number, rejected: Iterable<readonly [string, number]>): void {
    this.#received += received;
    this.#clamped += clamped;
    for (const [code, events] of rejected) this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + events);
  }

  /** Events that come in one by one, of which each is in one of the others, or goes to a producer. */
  readonly single = {
    receive: (events: number): void => {
      this.#received += events;
    },
    reject: (code: string, events: number): void => {
      this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + events);
    },
    drop: (reason: string, events: number): void => {
      this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + events);
    },
    clamp: (events: number): void => {
      this.#clamped += events;
    },
  };

  /** Items of a body that rules dropped: they are not among those that it received. */
  receiveDropped(reason: string, events: number): void {
    if (events === 0) return;
    this.#received += events;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + events);
  }

  get dropped(): Counts {
    return Object.fromEntries(this.#dropped);
  }

  /** A body under an Idempotency-Key that every bucket has acknowledged: its events never were in a producer's books. */
  keyedDelivered(events: number, { newlyRejected, repeatedEvents }: KeyedOutcome): void {
    // A Block under a key holds events of its own body only, so that each rejection is all of its.
    let applied = events - repeatedEvents;
    for (const { code, events: refused } of newlyRejected) {
      this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + refused);
      applied -= refused;
    }
    // What came before was received then.
    this.#received -= repeatedEvents;
    this.#keyedApplied += applied;
    this.#keyedWaiting -= events;
  }

  keyedWaits(events: number): void {
    this.#keyedWaiting += events;
  }

  /** Its sender was told that it may be counted in part: nobody knows, until the key comes again. */
  keyedGivenUp(events: number): void {
    this.#keyedWaiting -= events;
    this.#keyedUnknown += events;
  }

  get received(): number {
    return this.#received;
  }

  get keyed(): { readonly waiting: number; readonly applied: number; readonly unknown: number } {
    return { waiting: this.#keyedWaiting, applied: this.#keyedApplied, unknown: this.#keyedUnknown };
  }

  get clamped(): number {
    return this.#clamped;
  }

  get rejected(): Counts {
    return Object.fromEntries(this.#rejected);
  }
}

export function byCode(rejected: readonly BlockRejection[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { code, events } of rejected) counts.set(code, (counts.get(code) ?? 0) + events);
  return counts;
}
