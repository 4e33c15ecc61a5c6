import type { Answer, Block } from '../../core/block.js';
import type { Counts } from '../../intake/counts.js';
import type { Clock } from '../../runtime/clock.js';

/** Blocks that came from producers elsewhere, and what became of their events. Repeats and Blocks sent back are not received. */
export interface BlockBooks {
  readonly received: number;
  /** Taken, and not answered yet. */
  readonly pending: number;
  readonly applied: number;
  readonly rejected: Counts;
}

export interface RouterOptions {
  /** Takes the Block to whoever holds its bucket, here or elsewhere. Never rejects. */
  deliver(block: Block): Promise<Answer>;
  /** Bytes of Blocks that may wait for their owners; beyond it, senders are told to come again. */
  readonly maxPendingBytes: number;
  readonly clock: Clock;
}

/** What a sender is told when there is no room. */
const retryAfterMs = 200;

/** Takes Blocks to the owners of their buckets without looking into them, and keeps count of what is under way. */
export class Router {
  readonly #options: RouterOptions;
  readonly #rejected = new Map<string, number>();
  #pendingBytes = 0;
  /** When each Block that waits came, in that order. */
  readonly #pending = new Set<{ readonly sinceMs: number }>();
  #pendingEvents = 0;
  #counted = 0;
  #applied = 0;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  get pendingBlocks(): number {
    return this.#pending.size;
  }

  /** How long the oldest Block has been waiting for its answer; 0 for none. */
  get oldestPendingMs(): number {
    for (const { sinceMs } of this.#pending) return this.#options.clock.monotonicMs() - sinceMs;
    return 0;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get hasRoom(): boolean {
    return this.#pendingBytes < this.#options.maxPendingBytes;
  }

  get books(): BlockBooks {
    return {
      received: this.#counted + this.#pendingEvents,
      pending: this.#pendingEvents,
      applied: this.#applied,
      rejected: Object.fromEntries(this.#rejected),
    };
  }

  /** A Block of another producer. Never rejects. */
  async take(block: Block): Promise<Answer> {
    if (!this.hasRoom) return { kind: 'busy', retryAfterMs };
    this.#pendingBytes += block.payload.length;
    this.#pendingEvents += block.events;
    const pending = { sinceMs: this.#options.clock.monotonicMs() };
    this.#pending.add(pending);
    const answer = await this.#options.deliver(block);
    this.#pendingBytes -= block.payload.length;
    this.#pendingEvents -= block.events;
    this.#pending.delete(pending);
    if (answer.kind === 'acknowledged' && !answer.repeat) this.#count(block, answer);
    return answer;
  }

  #count(block: Block, { rejected }: Extract<Answer, { kind: 'acknowledged' }>): void {
    this.#counted += block.events;
    let applied = block.events;
    for (const { code, events } of rejected) {
      this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + events);
      applied -= events;
    }
    this.#applied += applied;
  }
}
