import { randomBytes } from 'node:crypto';
import { Backoff } from '../runtime/backoff.js';
import type { Clock } from '../runtime/clock.js';
import type { FrameLink } from '../transport/frame-link.js';
import { connectFrames } from '../transport/outbound/frame-client.js';
import type { FlushAck, FlushNack, Frame, Hello } from '../wire/frame.js';
import { FlushSession } from './flush-session.js';
import type { FoldBuffer } from './fold-buffer.js';
import type { Tally } from './tally.js';

export interface UplinkOptions {
  readonly url: string;
  readonly clientId: string;
  readonly buffer: FoldBuffer;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

/** An answer names every tab of a flush that was rejected, and says why of each: it may be longer than the flush. */
const maxFrameBytes = 2 ** 26;
/** A frame around a payload: kind, session, numbers. */
const frameOverheadBytes = 256;
const firstRetryMs = 100;
const maxRetryMs = 5000;

/**
 * Brings what the buffer holds to the agent: one flush at a time, the next folding meanwhile. Connects when there is something
 * to send, and stays connected. Nothing here keeps the process alive.
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #session = new FlushSession();
  readonly #backoff = new Backoff({ firstMs: firstRetryMs, maxMs: maxRetryMs });
  readonly #id = randomBytes(16).toString('hex');
  #link: FrameLink | undefined;
  /** The agent's hello, once it came over the present link. */
  #hello: Hello | undefined;
  /** Whether the open flush was handed to the present link. */
  #isSent = false;
  #callOffRetry: (() => void) | undefined;
  #callOffAnswer = () => {};
  #isClosed = false;
  /** Until then nothing new is sent without need, monotonic ms: servers are behind. */
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #lastError: string | undefined;
  /** Called whenever the open flush was settled, and whether the agent has taken it. */
  onSettled: (isTaken: boolean) => void = () => {};
  /** Called when a flush could not hold everything: one more is needed. */
  onPartial: () => void = () => {};

  constructor(options: UplinkOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#hello !== undefined;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  get openEvents(): number {
    return this.#session.openEvents;
  }

  get openBytes(): number {
    return this.#session.openBytes;
  }

  get isOpen(): boolean {
    return this.#session.isOpen;
  }

  /** Sends what can be sent now, whatever the agent asked for. */
  hurry(): void {
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY;
    this.push();
  }

  /** Sends what can be sent now, as far as the agent does not ask for a pause. */
  push(): void {
    const { buffer } = this.#options;
    if (this.#isClosed || (buffer.isEmpty && !this.#session.isOpen)) return;
    if (this.#link === undefined) {
      if (this.#callOffRetry === undefined) this.#connect();
      return;
    }
    if (this.#hello === undefined) return;
    if (!this.#session.isOpen) {
      if (this.#options.clock.monotonicMs() < this.#pausedUntilMs) return;
      this.#seal(this.#hello.maxFrameBytes);
    }
    if (!this.#isSent) this.#send();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#callOffRetry?.();
    this.#callOffAnswer();
    this.#link?.close('the client is closed');
    this.#options.tally.lose('closed', this.#session.abandon());
  }

  #seal(maxFrame: number): void {
    const taken = this.#options.buffer.take(maxFrame - frameOverheadBytes);
    if (taken === undefined) return;
    this.#session.begin(taken.payload, taken.events);
    this.#isSent = false;
    if (taken.isPartial) this.onPartial();
  }

  #send(): void {
    const frame = this.#session.frame();
    if (frame === undefined || this.#link?.trySend(frame) !== true) return;
    this.#isSent = true;
    this.#session.sent();
    this.#callOffAnswer();
    const { answerTimeoutMs } = this.#options;
    this.#callOffAnswer = this.#options.clock.after(answerTimeoutMs, () => {
      this.#link?.close(`no answer to a flush within ${answerTimeoutMs} ms`);
    });
  }

  #connect(): void {
    const { url, connectTimeoutMs, clock } = this.#options;
    let callOffHello = () => {};
    this.#isSent = false;
    this.#link = connectFrames(
      { url, maxFrameBytes, connectTimeoutMs, clock, unref: true },
      {
        open: (link) => {
          link.trySend(this.#ownHello());
          callOffHello = clock.after(connectTimeoutMs, () => {
            if (this.#hello === undefined) link.close(`no hello within ${connectTimeoutMs} ms`);
          });
        },
        frame: (link, frame) => {
          if (link === this.#link) this.#take(frame);
        },
        drain: () => this.push(),
        closed: (_link, reason) => {
          callOffHello();
          this.#disconnected(reason);
        },
      },
    );
  }

  #ownHello(): Hello {
    return {
      kind: 'hello',
      versions: [2],
      role: 'sdk',
      id: this.#id,
      name: this.#options.clientId,
      maxFrameBytes,
      maxInFlight: 1,
      nowMs: this.#options.clock.nowMs(),
    };
  }

  #disconnected(reason: string): void {
    this.#link = undefined;
    this.#hello = undefined;
    this.#isSent = false;
    this.#callOffAnswer();
    if (this.#isClosed) return;
    this.#lastError = reason;
    this.#options.tally.tell({ code: 'disconnected', message: `${this.#options.url}: ${reason}` });
    this.#callOffRetry = this.#options.clock.after(this.#backoff.nextMs(), () => {
      this.#callOffRetry = undefined;
      this.push();
    });
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case 'hello':
        this.#greeted(frame);
        break;
      case 'flush-ack':
      case 'flush-nack':
        this.#answered(frame);
        break;
      case 'error':
        if (frame.fatal) this.#link?.close(`${frame.code}: ${frame.message}`);
        break;
      default:
      // Nothing else is meant for an SDK.
    }
  }

  #greeted(hello: Hello): void {
    if (!hello.versions.includes(2)) {
      this.#link?.close(`the agent speaks versions ${hello.versions.join(', ')}, not 2`);
      return;
    }
    this.#hello = hello;
    this.#lastError = undefined;
    this.#backoff.reset();
    let lost = this.#session.meet(hello.id);
    // Sealed for an agent that took larger frames: sent to this one, it would break every connection.
    if (this.#session.openBytes > hello.maxFrameBytes - frameOverheadBytes) lost += this.#session.abandon();
    if (lost > 0) {
      this.#options.tally.lose('agent_restarted', lost);
      this.onSettled(false);
    }
    this.push();
  }

  #answered(answer: FlushAck | FlushNack): void {
    const { tally, clock } = this.#options;
    const outcome = this.#session.take(answer);
    if (outcome.kind === 'none') return;
    this.#callOffAnswer();
    this.#isSent = false;
    if (outcome.kind === 'again') {
      this.#isSent = outcome.afterMs > 0;
      if (this.#isSent) {
        this.#callOffAnswer = clock.after(outcome.afterMs, () => {
          this.#isSent = false;
          this.push();
        });
      } else {
        this.push();
      }
      return;
    }
    if (outcome.kind === 'delivered') {
      let rejected = 0;
      for (const { tab, events, code, message } of outcome.rejected) {
        rejected += events;
        tally.rejectEvents(events, { code, message, name: tab });
      }
      tally.delivered += outcome.events - rejected;
      this.#pausedUntilMs = clock.monotonicMs() + outcome.pauseMs;
    } else {
      tally.lose(outcome.reason, outcome.events);
    }
    this.onSettled(outcome.kind === 'delivered');
  }
}
