import { uptime } from 'node:os';
import type { Clock } from './clock.js';

/** Where a system clock reads; tests put others in their place. */
export interface ClockSources {
  /** The wall clock, ms UTC: may be set to anything at any moment. */
  wallMs(): number;
  /** ms since some start; does not count while the machine sleeps. */
  monotonicMs(): number;
  /** Seconds since the machine was booted, sleep included; whole seconds will do. */
  uptimeSec(): number;
}

/** What has happened to the wall clock. `aheadMs`: how far it is ahead of this clock (negative: behind). */
export interface ClockJump {
  /** `held`: not followed for the time being; `adopted`: followed now; `gone`: the wall clock came back by itself. */
  readonly kind: 'held' | 'adopted' | 'gone';
  readonly aheadMs: number;
  readonly reason: string;
}

export interface SystemClockOptions {
  readonly sources?: ClockSources;
  /** To be logged loudly: somebody, or something, sets this host's clock. */
  readonly onJump?: (jump: ClockJump) => void;
}

const realSources: ClockSources = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  uptimeSec: () => uptime(),
};

/** How often the wall clock is looked at. */
const checkEveryMs = 100;
/** A smaller difference is drift or a step of a time daemon, and followed; a larger one is a jump. */
const jumpMs = 1000;
/** How long a jump must last before it is believed. Higher values keep a wrong time out longer, and a right one too. */
const believedAfterMs = 300_000;
/** Differences are followed by running that much faster or slower, so that this clock neither jumps nor goes back. */
const slewRate = 0.1;
/** `uptimeSec` may be off by a second at either end. */
const uptimeErrorMs = 2000;
/** The longest delay that Node's timers know. */
const maxDelayMs = 2 ** 31 - 1;

/**
 * The time of this host, guarded against jumps of its wall clock.
 *
 * It runs on the monotonic clock and follows the wall clock in small steps. A jump of a second or more is held back: the
 * old time line goes on until the jump has lasted for five minutes, so that a clock that is set an hour ahead and back
 * distorts no window. When the machine has slept for as long as the jump is, it is followed at once.
 */
export function systemClock(options: SystemClockOptions = {}): Clock {
  return new GuardedClock(options.sources ?? realSources, options.onJump ?? (() => {}));
}

class GuardedClock implements Clock {
  readonly #sources: ClockSources;
  readonly #onJump: (jump: ClockJump) => void;
  /** Wall time of monotonic time 0, on this clock's time line. */
  #originMs: number;
  #checkedAtMs: number;
  /** Uptime minus monotonic time: grows while the machine sleeps. */
  #sleptMs: number;
  #held: { readonly sinceMs: number; readonly aheadMs: number } | undefined;

  constructor(sources: ClockSources, onJump: (jump: ClockJump) => void) {
    this.#sources = sources;
    this.#onJump = onJump;
    const nowMs = sources.monotonicMs();
    this.#originMs = sources.wallMs() - nowMs;
    this.#checkedAtMs = nowMs;
    this.#sleptMs = this.#sleepMs(nowMs);
  }

  nowMs(): number {
    const monotonicMs = this.#sources.monotonicMs();
    if (monotonicMs - this.#checkedAtMs >= checkEveryMs) this.#check(monotonicMs);
    return this.#originMs + monotonicMs;
  }

  monotonicMs(): number {
    return this.#sources.monotonicMs();
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = setTimeout(action, Math.min(Math.max(delayMs, 0), maxDelayMs));
    timer.unref();
    return () => clearTimeout(timer);
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  #sleepMs(monotonicMs: number): number {
    return this.#sources.uptimeSec() * 1000 - monotonicMs;
  }

  #check(monotonicMs: number): void {
    const elapsedMs = monotonicMs - this.#checkedAtMs;
    this.#checkedAtMs = monotonicMs;
    const aheadMs = this.#sources.wallMs() - (this.#originMs + monotonicMs);
    if (Math.abs(aheadMs) < jumpMs) {
      const stepMs = elapsedMs * slewRate;
      this.#originMs += Math.min(Math.max(aheadMs, -stepMs), stepMs);
      if (this.#held !== undefined) {
        this.#tell('gone', this.#held.aheadMs, 'the wall clock came back');
        this.#held = undefined;
      }
      return;
    }
    const sleptMs = this.#sleepMs(monotonicMs);
    const sleepMs = sleptMs - this.#sleptMs;
    if (sleepMs >= jumpMs && Math.abs(aheadMs - sleepMs) <= uptimeErrorMs) {
      this.#adopt(aheadMs, sleptMs, 'the machine slept');
      return;
    }
    const held = this.#held;
    if (held === undefined || Math.abs(aheadMs - held.aheadMs) >= jumpMs) {
      this.#held = { sinceMs: monotonicMs, aheadMs };
      this.#tell('held', aheadMs, `followed if it lasts for ${believedAfterMs / 1000} s`);
    } else if (monotonicMs - held.sinceMs >= believedAfterMs) {
      this.#adopt(aheadMs, sleptMs, `it lasted for ${believedAfterMs / 1000} s`);
    }
  }

  #adopt(aheadMs: number, sleptMs: number, reason: string): void {
    this.#originMs += aheadMs;
    this.#sleptMs = sleptMs;
    this.#held = undefined;
    this.#tell('adopted', aheadMs, reason);
  }

  #tell(kind: ClockJump['kind'], aheadMs: number, reason: string): void {
    this.#onJump({ kind, aheadMs: Math.round(aheadMs), reason });
  }
}
