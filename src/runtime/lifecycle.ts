import type { Clock } from './clock.js';
import type { Log } from './log.js';

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long a step may take to stop unless it says otherwise. */
  readonly stopDeadlineMs?: number;
}

interface Step {
  readonly name: string;
  readonly deadlineMs: number;
  stop(): void | Promise<void>;
}

/**
 * Starting in order, stopping in the reverse order. Each step has a name, and a deadline for its stop: one that hangs
 * is logged and left behind, so that the steps below it (the store, say) still get their turn.
 */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopDeadlineMs: number;
  readonly #steps: Step[] = [];
  #stopped: Promise<void> | undefined;

  constructor({ clock, log, stopDeadlineMs = 20_000 }: LifecycleOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#stopDeadlineMs = stopDeadlineMs;
  }

  get isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  /**
   * Runs a step of the start. If it throws, everything started so far is stopped before the error goes on.
   * @param stop undoes the step
   */
  async start<T>(
    name: string,
    start: () => T | Promise<T>,
    stop?: (started: T) => void | Promise<void>,
    deadlineMs = this.#stopDeadlineMs,
  ): Promise<T> {
    const beganAtMs = this.#clock.monotonicMs();
    let started: T;
    try {
      started = await start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#log.debug('started_step', { step: name, tookMs: this.#since(beganAtMs) });
    if (stop !== undefined) this.onStop(name, () => stop(started), deadlineMs);
    return started;
  }

  /** Adds a step to the stop alone; the last added runs first. */
  onStop(name: string, stop: () => void | Promise<void>, deadlineMs = this.#stopDeadlineMs): void {
    this.#steps.push({ name, stop, deadlineMs });
  }

  /** Stops everything, once: later calls wait for the first. Never rejects; what failed is in the log. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop())
      await this.#stopOne(step);
  }

  async #stopOne({ name, stop, deadlineMs }: Step): Promise<void> {
    const beganAtMs = this.#clock.monotonicMs();
    let callOff = () => {};
    const late = new Promise<'late'>((resolve) => {
      callOff = this.#clock.after(deadlineMs, () => resolve('late'));
    });
    try {
      const outcome = await Promise.race([Promise.resolve().then(stop), late]);
      const fields = { step: name, tookMs: this.#since(beganAtMs) };
      if (outcome === 'late') this.#log.warn('stop_step_late', { ...fields, deadlineMs });
      else this.#log.debug('stopped_step', fields);
    } catch (error) {
      this.#log.error('stop_step_failed', { step: name, tookMs: this.#since(beganAtMs), error });
    } finally {
      callOff();
    }
  }

  #since(beganAtMs: number): number {
    return Math.round(this.#clock.monotonicMs() - beganAtMs);
  }
}
