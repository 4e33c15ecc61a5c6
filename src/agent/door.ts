import type { Counts } from '../intake/counts.js';

/**
 * What has come to the agent's door, from whom ever, counted independently of where it is kept afterwards: the two must
 * agree, or an event went missing.
 */
export class Door {
  /** Events that came in, whatever became of them. */
  received = 0;
  requests = 0;
  readonly #rejected = new Map<string, number>();
  /** Events of whole bodies that were turned away for want of room; the sender was told, and they are in no book. */
  refusedBodies = 0;
  /** Timestamps too far ahead, counted at the present. */
  clamped = 0;
  readonly #dropped = new Map<string, number>();

  receive(events: number): void {
    this.received += events;
  }

  clamp(events: number): void {
    this.clamped += events;
  }

  reject(code: string, events = 1): void {
    this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + events);
  }

  /** Events of senders that cannot be asked to wait, and of which nothing was kept. */
  drop(reason: string, events: number): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + events);
  }

  get dropped(): Counts {
    return Object.fromEntries(this.#dropped);
  }

  get rejected(): Counts {
    return Object.fromEntries(this.#rejected);
  }
}
