/** The present and timers, injected so that tests and the simulation can turn them by hand. */
export interface Clock {
  /** ms UTC, with fractions where the system has them. Never jumps: see `systemClock`. */
  nowMs(): number;
  /** ms since some start, never going back. */
  monotonicMs(): number;
  /** Runs `action` once after `delayMs`; the function returned calls it off. Does not keep the process alive. */
  after(delayMs: number, action: () => void): () => void;
  /** Runs `action` when what is under way in this turn of the event loop is done, so that what else comes in it goes along. */
  soon(action: () => void): void;
}
