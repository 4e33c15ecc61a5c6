import { TabaError } from '../core/errors.js';
import type { LossReason } from './engine.js';

/** A fault that an application should hear of, once for each code: later ones are only counted. */
export interface ClientFault {
  readonly code: string;
  readonly message: string;
  /** The tab it was about, if it was about one. */
  readonly name?: string;
  readonly type?: string;
}

/** The books of a client. */
export class Tally {
  recorded = 0;
  delivered = 0;
  rejected = 0;
  lost = 0;
  readonly rejectedByCode = new Map<string, number>();
  readonly lostByReason = new Map<LossReason, number>();
  readonly #onError: ((fault: ClientFault) => void) | undefined;
  readonly #told = new Set<string>();

  constructor(onError: ((fault: ClientFault) => void) | undefined) {
    this.#onError = onError;
  }

  /** One event that could not be folded. */
  reject(error: unknown, tab: { readonly name: string; readonly type: string }): void {
    this.recorded++;
    const code = error instanceof TabaError ? error.code : 'internal';
    const message = error instanceof Error ? error.message : String(error);
    this.rejectEvents(1, { code, message, ...tab });
  }

  rejectEvents(events: number, fault: ClientFault): void {
    this.rejected += events;
    this.rejectedByCode.set(fault.code, (this.rejectedByCode.get(fault.code) ?? 0) + events);
    this.tell(fault);
  }

  lose(reason: LossReason, events: number): void {
    if (events === 0) return;
    this.lost += events;
    this.lostByReason.set(reason, (this.lostByReason.get(reason) ?? 0) + events);
    this.tell({ code: reason, message: `${events} events are lost: ${reason}; status() counts them` });
  }

  tell(fault: ClientFault): void {
    if (this.#told.has(fault.code)) return;
    this.#told.add(fault.code);
    try {
      this.#onError?.(fault);
    } catch {
      // Instrumentation must not break what it instruments, its own error handler included.
    }
  }
}
