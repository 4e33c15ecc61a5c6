import type { Position } from '../../core/ids.js';
import type { Acquired } from '../../storage/store.js';

const nowhere = 0 as Position;

/** Where an owner stands in the journal of its bucket. */
export class JournalPlace {
  /** The last entry, durable or not. */
  issued = nowhere;
  /** The last one that the States contain. */
  applied = nowhere;
  /** Up to where the journal was trimmed, and up to where it is being trimmed. */
  trimmed = nowhere;
  trimmingTo = nowhere;

  /** Acquired: nothing of the tail is in the States yet. */
  begin({ tail, lastPosition }: Pick<Acquired, 'tail' | 'lastPosition'>): void {
    this.#set(lastPosition, ((tail[0]?.position ?? lastPosition + 1) - 1) as Position);
  }

  /** Nothing is known any more: whoever still goes on with what was must not find anything to trim. */
  forget(): void {
    this.#set(nowhere, nowhere);
  }

  #set(issued: Position, trimmed: Position): void {
    this.issued = issued;
    this.applied = trimmed;
    this.trimmed = trimmed;
    this.trimmingTo = trimmed;
  }
}
