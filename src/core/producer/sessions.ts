/** What to do with a flush, see `FlushSessions.judge`. */
export type FlushVerdict =
  /** Take it. */
  | { readonly kind: 'next' }
  /** Taken before: answer as if it were taken now. */
  | { readonly kind: 'repeat' }
  /** A number was skipped, or the session is not known (any more): `expected` is due. */
  | { readonly kind: 'gap'; readonly expected: number }
  /** No room for another session. */
  | { readonly kind: 'full' };

export interface FlushSession {
  readonly session: string;
  /** Number of the last flush taken. */
  readonly last: number;
  readonly usedAtMs: number;
}

export interface FlushSessionsOptions {
  readonly maxSessions: number;
  /** A session idle for longer is forgotten; longer than any repeat of one of its flushes can be under way. */
  readonly forgetAfterMs: number;
}

/**
 * Which flushes of which SDK have been taken (rule R9): a session is (start of the SDK, instance of the agent), and
 * numbers its flushes 1, 2, 3, …. The next number alone is taken. Whoever records flushes in a spool puts session and
 * number into the same record as the Parts, and restores them here.
 */
export class FlushSessions {
  readonly #options: FlushSessionsOptions;
  /** In the order of last use: re-inserted at each use. */
  readonly #sessions = new Map<string, FlushSession>();

  constructor(options: FlushSessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  judge(session: string, number: number, nowMs: number): FlushVerdict {
    const known = this.#sessions.get(session);
    const expected = (known?.last ?? 0) + 1;
    if (number < expected) return { kind: 'repeat' };
    if (number > expected) return { kind: 'gap', expected };
    if (known === undefined && this.#sessions.size >= this.#options.maxSessions) {
      this.forget(nowMs);
      // A session in use is never pushed out: its first flush, repeated, would be counted again.
      if (this.#sessions.size >= this.#options.maxSessions) return { kind: 'full' };
    }
    return { kind: 'next' };
  }

  /** The flush was taken; call it when the flush is recorded, and before it is answered. */
  taken(session: string, number: number, nowMs: number): void {
    this.#sessions.delete(session);
    this.#sessions.set(session, { session, last: number, usedAtMs: nowMs });
  }

  /** For a compacted spool, and for restoring from one (`restore` in any order). */
  entries(): Iterable<FlushSession> {
    return this.#sessions.values();
  }

  restore(sessions: Iterable<FlushSession>): void {
    const all = [...this.#sessions.values(), ...sessions].sort((a, b) => a.usedAtMs - b.usedAtMs);
    this.#sessions.clear();
    for (const session of all) {
      const known = this.#sessions.get(session.session);
      const last = Math.max(session.last, known?.last ?? 0);
      this.#sessions.delete(session.session);
      this.#sessions.set(session.session, { ...session, last });
    }
  }

  /** Forgets sessions idle for longer than allowed. @returns how many */
  forget(nowMs: number): number {
    let forgotten = 0;
    for (const { session, usedAtMs } of this.#sessions.values()) {
      if (nowMs - usedAtMs <= this.#options.forgetAfterMs) break;
      this.#sessions.delete(session);
      forgotten++;
    }
    return forgotten;
  }
}
