import { TabaError } from '../core/errors.js';
import { builtinHandlers } from '../core/handlers/registry.js';
import { checkClientId } from '../core/names.js';
import { type Beat, untilBeat } from '../runtime/beat.js';
import type { Clock } from '../runtime/clock.js';
import { systemClock } from '../runtime/system-clock.js';
import { framesUrl } from '../transport/outbound/frame-client.js';
import { addLastWords } from './before-exit.js';
import type { ClientStatus, Engine, Recorder } from './engine.js';
import { type FlushPace, paceOf } from './flush-pace.js';
import { FoldBuffer } from './fold-buffer.js';
import { type ClientFault, Tally } from './tally.js';
import { Uplink } from './uplink.js';

export interface FoldingEngineOptions {
  readonly clientId: string;
  readonly url: string;
  readonly flushIntervalMs: number;
  readonly maxBufferBytes: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly onError?: ((fault: ClientFault) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Part of the interval within which all clients flush, each at a moment of its own: agents flush just after that. Lower values have more
 * of them do it at once.
 */
const maxOffset = 0.25;
/** Part of the interval that goes by before the next flush at least, as after the one at the turn of the second. */
const leastWait = 0.3;

interface Waiter {
  /** Settled flushes after which everything is through. */
  needed: number;
  /** Nothing of it was lost so far. */
  isWhole: boolean;
  end(isThrough: boolean): void;
}

let sharedClock: Clock | undefined;

/** One for all clients of the process: they share their pace, too. */
function processClock(): Clock {
  sharedClock ??= systemClock();
  return sharedClock;
}

/** Folds in process, and flushes on a period to an agent or a server. */
export class FoldingEngine implements Engine {
  readonly #clock: Clock;
  readonly #pace: FlushPace;
  readonly #beat: Beat;
  readonly #tally: Tally;
  readonly #buffer: FoldBuffer;
  readonly #uplink: Uplink;
  readonly #dropLastWords: () => void;
  readonly #waiters = new Set<Waiter>();
  /** Undefined while there is no flush to wait for. */
  #callOffFlush: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /** @throws TabaError `bad_client`, `bad_setting`: what is written in a program is told at its start */
  constructor(options: FoldingEngineOptions) {
    framesUrl(options.url);
    const client = checkClientId(options.clientId);
    for (const name of [
      'flushIntervalMs',
      'maxBufferBytes',
      'connectTimeoutMs',
      'answerTimeoutMs',
    ] as const) {
      if (!(options[name] > 0))
        throw new TabaError('bad_setting', `${name}: ${options[name]} is not above 0`);
    }
    this.#clock = options.clock ?? processClock();
    this.#pace = paceOf(this.#clock);
    const intervalMs = options.flushIntervalMs;
    this.#beat = { intervalMs, offsetMs: intervalMs * maxOffset * Math.random() };
    this.#tally = new Tally(options.onError);
    this.#buffer = new FoldBuffer({
      registry: builtinHandlers(),
      client,
      maxBytes: options.maxBufferBytes,
      clock: this.#clock,
      tally: this.#tally,
      filled: () => this.#arm(),
      turned: () => this.#flushAhead(),
    });
    this.#uplink = new Uplink({
      ...options,
      buffer: this.#buffer,
      tally: this.#tally,
      clock: this.#clock,
    });
    this.#uplink.onSettled = (isTaken) => this.#settled(isTaken);
    this.#uplink.onPartial = () => {
      for (const waiter of this.#waiters) waiter.needed++;
    };
    const engine = this;
    this.#dropLastWords = addLastWords({
      get hasSomething() {
        return engine.#isWaiting;
      },
      flush: (deadlineMs) => this.flush(deadlineMs),
    });
  }

  get #isWaiting(): boolean {
    return !this.#buffer.isEmpty || this.#uplink.isOpen;
  }

  tab(name: string, type: string): Recorder {
    return this.#buffer.tab(name, type);
  }

  status(): ClientStatus {
    const { recorded, delivered, rejected, lost, rejectedByCode, lostByReason } = this.#tally;
    return {
      connected: this.#uplink.isConnected,
      recorded: recorded + this.#buffer.untold,
      buffered: this.#buffer.events + this.#uplink.openEvents,
      bufferedBytes: this.#buffer.bytes + this.#uplink.openBytes,
      delivered,
      rejected,
      rejectedByCode: Object.fromEntries(rejectedByCode),
      lost,
      lostByReason: Object.fromEntries(lostByReason),
      lastError: this.#uplink.lastError,
    };
  }

  /** Keeps the process alive until it is done or the deadline is over: whoever waits for it wants its result. */
  flush(deadlineMs = 5000): Promise<boolean> {
    if (!this.#isWaiting) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (isThrough: boolean) => {
        clearTimeout(deadline);
        this.#waiters.delete(waiter);
        resolve(isThrough);
      };
      const deadline = setTimeout(() => end(false), deadlineMs);
      const waiter: Waiter = {
        needed: Number(this.#uplink.isOpen) + Number(!this.#buffer.isEmpty),
        isWhole: true,
        end,
      };
      this.#waiters.add(waiter);
      this.#uplink.hurry();
    });
  }

  close(deadlineMs = 1000): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#buffer.close();
    await this.flush(deadlineMs);
    this.#tally.lose('closed', this.#buffer.discard());
    this.#uplink.close();
    this.#dropLastWords();
    for (const waiter of [...this.#waiters]) waiter.end(false);
  }

  /** One timer for each flush, and none while nothing waits: an idle application is not woken up. */
  #arm(): void {
    if (this.#callOffFlush !== undefined) return;
    const waitMs = untilBeat(this.#beat, this.#clock.nowMs(), this.#beat.intervalMs * leastWait);
    this.#callOffFlush = this.#clock.after(waitMs, () => this.#pace.inTurn(() => this.#flushDue()));
  }

  #flushDue(): void {
    this.#callOffFlush = undefined;
    this.#uplink.push();
    if (!this.#buffer.isEmpty && this.#closed === undefined) this.#arm();
  }

  /** In the place of the next flush: an interval begins anew. */
  #flushAhead(): void {
    if (!this.#pace.isFree) return;
    this.#pace.run(() => this.#uplink.push());
    if (!this.#buffer.isEmpty) return;
    this.#callOffFlush?.();
    this.#callOffFlush = undefined;
  }

  #settled(isTaken: boolean): void {
    for (const waiter of [...this.#waiters]) {
      waiter.needed--;
      waiter.isWhole &&= isTaken;
      if (waiter.needed <= 0) waiter.end(waiter.isWhole);
    }
    // What somebody waits for goes out at once, everything else with its period.
    if (this.#waiters.size > 0) this.#uplink.hurry();
  }
}
