import type { AddressedAnswer, Block } from '../../core/block.js';
import type { Backoff } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { FrameLink, FrameLinkEvents } from '../../transport/frame-link.js';
import { frameCostOf } from '../../wire/block-size.js';
import type { Frame, Hello } from '../../wire/frame.js';
import type { EndPoint } from './endpoints.js';
import { InFlight } from './in-flight.js';

/** `refused`: the other side does not fit (its version, its bucket map); tried again, more slowly. */
export type LaneState = 'connecting' | 'up' | 'waiting' | 'refused' | 'closed';

export interface LaneEvents {
  /** @returns why this server is not to be used, or undefined */
  greeted(lane: Lane, hello: Hello): string | undefined;
  /** Blocks may be sent from now on. */
  up(lane: Lane): void;
  answered(lane: Lane, block: Block, answer: AddressedAnswer): void;
  /** The connection is gone: nothing that was in flight will be answered. */
  down(lane: Lane): void;
  /** There is room for more; comes behind the answers of a frame. */
  room(lane: Lane): void;
}

export interface LaneOptions {
  readonly id: string;
  readonly endPoint: EndPoint;
  readonly connect: (endPoint: EndPoint, events: FrameLinkEvents) => { close(reason: string): void };
  readonly hello: () => Hello;
  readonly maxFrameBytes: number;
  /** A connection on which nothing comes back for so long while something is due is given up. */
  readonly answerTimeoutMs: number;
  /** Pauses before connecting again. */
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: LaneEvents;
}

/** Blocks are gathered into frames of about this size: large enough to be cheap, small enough to flow. */
const frameTargetBytes = 2 ** 20;
/**
 * Bytes on their way or waiting at the server, per lane. Higher values keep a far server busy; but what waits there takes up its memory as objects that
 * its garbage collection copies, and merges with nothing any more.
 */
const maxInFlightBytes = 4 * 2 ** 20;
/** Weight of a new measurement in the decayed latency. */
const latencyWeight = 0.2;
/** A lane that carries nothing forgets its latency by half in this time, so that it is tried again. */
const forgetHalfLifeMs = 30_000;
const refusedDelayMs = 15_000;

/**
 * One connection to one end-point, made again whenever it breaks. It carries Blocks there and answers back, within a
 * window of frames and bytes; which Blocks, and what answers mean, is the router's business.
 */
export class Lane {
  readonly id: string;
  readonly endPoint: EndPoint;
  readonly #options: LaneOptions;
  readonly #inFlight = new InFlight();
  #state: LaneState = 'connecting';
  #current: symbol | undefined;
  #connection: { close(reason: string): void } | undefined;
  #link: FrameLink | undefined;
  #hello: Hello | undefined;
  #cancelTimer: (() => void) | undefined;
  #lastHeardMs = 0;
  #latencyMs: number | undefined;
  #latencyAtMs = 0;
  #lastError: string | undefined;
  reconnects = 0;
  ackedBlocks = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.id = options.id;
    this.endPoint = options.endPoint;
  }

  get state(): LaneState {
    return this.#state;
  }

  get up(): boolean {
    return this.#state === 'up';
  }

  /** Whether a Block could be sent now. */
  get hasRoom(): boolean {
    const { pushes, bytes } = this.#inFlight;
    return this.up && pushes < (this.#hello?.maxInFlight ?? 1) && bytes < maxInFlightBytes;
  }

  get inFlightBlocks(): number {
    return this.#inFlight.blocks;
  }

  get inFlightBytes(): number {
    return this.#inFlight.bytes;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** The largest frame that both sides take. */
  get maxFrameBytes(): number {
    return Math.min(this.#options.maxFrameBytes, this.#hello?.maxFrameBytes ?? Number.POSITIVE_INFINITY);
  }

  /** Decayed time from push to answer; while an answer is overdue, at least as long as it has been. */
  latencyMs(): number | undefined {
    const now = this.#options.clock.monotonicMs();
    const { oldest } = this.#inFlight;
    const overdue = oldest === undefined ? 0 : now - oldest.sentAtMs;
    if (this.#latencyMs === undefined) return overdue > 0 ? overdue : undefined;
    const idleMs = oldest === undefined ? now - this.#latencyAtMs : 0;
    return Math.max(overdue, this.#latencyMs * 0.5 ** (idleMs / forgetHalfLifeMs));
  }

  start(): void {
    if (this.#state === 'closed') return;
    this.#state = 'connecting';
    this.#hello = undefined;
    // What an earlier connection still reports is about nothing that is in flight now.
    const attempt = Symbol(this.id);
    this.#current = attempt;
    const connection = this.#options.connect(this.endPoint, {
      open: (link) => {
        if (this.#current !== attempt) return;
        this.#link = link;
        link.trySend(this.#options.hello());
        this.#armTimeout();
      },
      frame: (_link, frame) => {
        if (this.#current === attempt) this.#take(frame);
      },
      drain: () => {
        if (this.#current === attempt && this.up) this.#options.events.room(this);
      },
      closed: (_link, reason) => {
        if (this.#current === attempt) this.#lost(reason, 'waiting');
      },
    });
    if (this.#current === attempt) this.#connection = connection;
  }

  /**
   * Sends as many of `blocks` as there is room for, in order.
   * @returns how many were sent
   */
  trySend(blocks: readonly Block[]): number {
    let sent = 0;
    while (sent < blocks.length && this.hasRoom && this.#link !== undefined) {
      const limit = Math.min(frameTargetBytes, this.maxFrameBytes);
      let bytes = frameCostOf(blocks[sent]!);
      let end = sent + 1;
      while (end < blocks.length && bytes + frameCostOf(blocks[end]!) <= limit)
        bytes += frameCostOf(blocks[end++]!);
      const batch = blocks.slice(sent, end);
      if (!this.#link.trySend({ kind: 'push-blocks', blocks: batch })) break;
      const sentAtMs = this.#options.clock.monotonicMs();
      if (this.#inFlight.blocks === 0) this.#lastHeardMs = sentAtMs;
      this.#inFlight.add(batch, bytes, sentAtMs);
      sent = end;
    }
    return sent;
  }

  /** Closes for good. */
  close(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#current = undefined;
    this.#cancelTimer?.();
    this.#connection?.close(reason);
    this.#inFlight.clear();
    this.#link = undefined;
    this.#options.events.down(this);
  }

  #take(frame: Frame): void {
    this.#lastHeardMs = this.#options.clock.monotonicMs();
    switch (frame.kind) {
      case 'hello':
        this.#greeted(frame);
        return;
      case 'ack':
      case 'nack':
        if (this.up) this.#answered(frame.answers, frame.kind === 'ack');
        return;
      case 'error':
        this.#lastError = `${frame.code}: ${frame.message}`;
        this.#options.log.warn('server_reports_error', { server: this.id, error: this.#lastError });
        if (frame.fatal) this.#drop(this.#lastError);
        return;
      default:
        this.#drop(`unexpected frame ${frame.kind}`);
    }
  }

  #greeted(hello: Hello): void {
    if (this.#hello !== undefined) {
      this.#drop('a second hello');
      return;
    }
    this.#hello = hello;
    const refusal = hello.versions.includes(2)
      ? this.#options.events.greeted(this, hello)
      : `speaks versions ${hello.versions.join(', ')}; 2 is needed`;
    if (refusal !== undefined) {
      if (this.#lastError !== refusal) {
        this.#options.log.error('server_refused', {
          server: this.id,
          error: refusal,
          retryMs: refusedDelayMs,
        });
      }
      this.#drop(refusal, 'refused');
      return;
    }
    this.#options.backoff.reset();
    this.#lastError = undefined;
    this.#state = 'up';
    this.#options.log.info('server_connected', { server: this.id, serverId: hello.id, name: hello.name });
    this.#options.events.up(this);
  }

  #answered(answers: readonly AddressedAnswer[], acknowledged: boolean): void {
    for (const answer of answers) {
      const sent = this.#inFlight.take(answer);
      if (sent === undefined) continue;
      if (acknowledged) this.ackedBlocks++;
      if (sent.push.left === 0) this.#measured(this.#lastHeardMs - sent.push.sentAtMs);
      this.#options.events.answered(this, sent.block, answer);
    }
    this.#options.events.room(this);
  }

  #measured(latencyMs: number): void {
    this.#latencyMs =
      this.#latencyMs === undefined
        ? latencyMs
        : this.#latencyMs * (1 - latencyWeight) + latencyMs * latencyWeight;
    this.#latencyAtMs = this.#lastHeardMs;
  }

  /** Looks now and then whether the other side still answers. */
  #armTimeout(): void {
    const { clock, answerTimeoutMs } = this.#options;
    this.#lastHeardMs = clock.monotonicMs();
    const look = (): void => {
      const due = this.#hello === undefined || this.#inFlight.blocks > 0;
      if (due && clock.monotonicMs() - this.#lastHeardMs >= answerTimeoutMs) {
        this.#drop(`no answer for ${answerTimeoutMs} ms`);
      } else {
        this.#cancelTimer = clock.after(answerTimeoutMs / 4, look);
      }
    };
    this.#cancelTimer?.();
    this.#cancelTimer = clock.after(answerTimeoutMs / 4, look);
  }

  /** Ends the present connection, and makes another later. */
  #drop(reason: string, state: 'waiting' | 'refused' = 'waiting'): void {
    const connection = this.#connection;
    this.#lost(reason, state);
    connection?.close(reason);
  }

  #lost(reason: string, state: 'waiting' | 'refused'): void {
    if (this.#state === 'closed') return;
    const wasUp = this.up;
    this.#state = state;
    this.#current = undefined;
    this.#connection = undefined;
    this.#link = undefined;
    this.#lastError = reason;
    this.#cancelTimer?.();
    this.#inFlight.clear();
    const delayMs = state === 'refused' ? refusedDelayMs : this.#options.backoff.nextMs();
    if (wasUp || this.#options.backoff.failures === 1) {
      this.#options.log.warn('server_connection_lost', { server: this.id, error: reason, retryMs: delayMs });
    }
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.reconnects++;
      this.start();
    });
    this.#options.events.down(this);
  }
}
