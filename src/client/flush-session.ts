import { randomBytes } from 'node:crypto';
import type { FlushAck, FlushNack, PushFlush } from '../wire/frame.js';

interface OpenFlush {
  readonly payload: Uint8Array;
  readonly events: number;
  number: number;
  /** How often it was handed to a socket since it was last certain that nobody has it. */
  sends: number;
}

/** What an answer meant. */
export type FlushOutcome =
  | {
      readonly kind: 'delivered';
      readonly events: number;
      readonly rejected: FlushAck['rejected'];
      readonly pauseMs: number;
    }
  | {
      readonly kind: 'lost';
      readonly events: number;
      readonly reason: 'agent_restarted' | 'refused';
      readonly message: string;
    }
  | { readonly kind: 'again'; readonly afterMs: number }
  /** An answer to something else: of an earlier session, or given twice. */
  | { readonly kind: 'none' };

/**
 * Numbers the flushes that one agent instance gets (rule R9). At most one is open, and its bytes never change; the same
 * instance may get it again under its number, another one never: then its fate is unknown and it is lost.
 *
 * The session's id is new for each turn at an instance, not for each instance: back at an earlier one, number 1 would be
 * taken for a repeat.
 */
export class FlushSession {
  #instance: string | undefined;
  #session = newSession();
  #lastNumber = 0;
  #open: OpenFlush | undefined;

  get openEvents(): number {
    return this.#open?.events ?? 0;
  }

  get openBytes(): number {
    return this.#open?.payload.length ?? 0;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** An agent has introduced itself. @returns events whose fate is unknown now */
  meet(instance: string): number {
    if (instance === this.#instance) return 0;
    this.#instance = instance;
    this.#begin();
    const open = this.#open;
    if (open === undefined) return 0;
    if (open.sends > 0) {
      this.#open = undefined;
      return open.events;
    }
    open.number = ++this.#lastNumber;
    return 0;
  }

  begin(payload: Uint8Array, events: number): void {
    this.#open = { payload, events, number: ++this.#lastNumber, sends: 0 };
  }

  /** The open flush as a frame. `sent` must be called when it has been handed over. */
  frame(): PushFlush | undefined {
    if (this.#open === undefined) return undefined;
    const { number, events, payload } = this.#open;
    return { kind: 'push-flush', session: this.#session, number, events, payload };
  }

  sent(): void {
    if (this.#open !== undefined) this.#open.sends++;
  }

  take(answer: FlushAck | FlushNack): FlushOutcome {
    const open = this.#open;
    if (open === undefined || answer.session !== this.#session || answer.number !== open.number) {
      return { kind: 'none' };
    }
    if (answer.kind === 'flush-nack' && answer.reason === 'busy') {
      // As below: of what was sent only once, nothing can be under way any more.
      if (open.sends === 1) open.sends = 0;
      return { kind: 'again', afterMs: answer.retryAfterMs ?? 1000 };
    }
    if (answer.kind === 'flush-nack' && answer.reason === 'gap' && open.sends === 1) {
      // The agent has forgotten the session. What was sent only once, and refused, has certainly not been counted.
      this.#begin();
      open.number = ++this.#lastNumber;
      open.sends = 0;
      return { kind: 'again', afterMs: 0 };
    }
    this.#open = undefined;
    if (answer.kind === 'flush-ack')
      return {
        kind: 'delivered',
        events: open.events,
        rejected: answer.rejected,
        pauseMs: answer.pauseMs ?? 0,
      };
    const reason = answer.reason === 'gap' ? 'agent_restarted' : 'refused';
    return { kind: 'lost', events: open.events, reason, message: answer.message ?? answer.reason };
  }

  /** Gives up the open flush. @returns its events */
  abandon(): number {
    const events = this.openEvents;
    this.#open = undefined;
    return events;
  }

  #begin(): void {
    this.#session = newSession();
    this.#lastNumber = 0;
  }
}

function newSession(): string {
  return randomBytes(16).toString('hex');
}
