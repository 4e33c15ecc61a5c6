import type { Answer, Block } from '../../core/block.js';
import { type ErrorCode, errorCatalogue, TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';
import type { FrameLink, FrameLinkEvents } from '../../transport/frame-link.js';
import { frameCostOf } from '../../wire/block-size.js';
import type { Frame, Hello, Query } from '../../wire/frame.js';

export interface PeerLinkOptions {
  /** Id and host:port of the other server. */
  readonly id: string;
  readonly address: string;
  readonly connect: (url: string, events: FrameLinkEvents) => { close(reason: string): void };
  readonly hello: () => Hello;
  readonly clock: Clock;
}

/** Payload of one frame, nearly; larger ones save little. */
const frameTargetBytes = 1 << 20;
/** Upper bound of what a question costs in a frame beside its body, its name included. */
const questionOverheadBytes = 256;
/** Bytes of Blocks that may wait for answers on one link: beyond it they wait here. */
const maxInFlightBytes = 16 * 2 ** 20;
/** A link that could not be made is not tried again so soon. */
const retryAfterMs = 200;
/** A Block that could not be sent for so long is not sent at all: its producer is told, and decides anew. */
const maxWaitMs = 1000;

interface Pushed {
  readonly block: Block;
  /** By the monotonic clock. */
  readonly sinceMs: number;
  resolve(answer: Answer): void;
}

interface Asked {
  readonly chunks: Uint8Array[];
  resolve(body: Uint8Array): void;
  reject(error: TabaError): void;
}

/**
 * The connection from this server to one other: Blocks in order, and questions. It is made when it is needed; when it
 * breaks, whatever waited on it is told so, since nobody knows what became of it.
 */
export class PeerLink {
  readonly id: string;
  readonly #options: PeerLinkOptions;
  #connection: { close(reason: string): void } | undefined;
  #link: FrameLink | undefined;
  #greeted = false;
  /** What the other side takes in one frame. */
  #maxFrameBytes = 0;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #lastError = 'no connection yet';
  /** Not sent yet. */
  #waiting: Pushed[] = [];
  #waitingQuestions: Query[] = [];
  /** Sent, by Block; a Block may be sent again before its answer is there. */
  readonly #inFlight = new Map<string, Pushed[]>();
  #inFlightBytes = 0;
  readonly #asked = new Map<number, Asked>();
  #lastQuestion = 0;
  #isScheduled = false;
  #closed = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.id = options.id;
  }

  /** Never rejects: `busy` where the outcome is unknown. */
  push(block: Block): Promise<Answer> {
    if (!this.#reach()) return Promise.resolve(unknown());
    return new Promise((resolve) => {
      const sinceMs = this.#options.clock.monotonicMs();
      this.#waiting.push({ block, sinceMs, resolve });
      this.#schedule();
    });
  }

  /** @throws TabaError */
  ask(name: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (!this.#reach()) return Promise.reject(this.#unavailable(this.#lastError));
    const id = ++this.#lastQuestion;
    return new Promise((resolve, reject) => {
      const callOff = this.#options.clock.after(timeoutMs, () => {
        this.#asked.delete(id);
        reject(this.#unavailable(`no answer to ${name} within ${timeoutMs} ms`));
      });
      this.#asked.set(id, {
        chunks: [],
        resolve: (answer) => {
          callOff();
          resolve(answer);
        },
        reject: (error) => {
          callOff();
          reject(error);
        },
      });
      this.#waitingQuestions.push({ kind: 'query', id, name, body });
      this.#schedule();
    });
  }

  /** For good. */
  close(reason: string): void {
    this.#closed = true;
    this.#end(reason);
  }

  /** @returns whether there is a connection, or one is being made */
  #reach(): boolean {
    if (this.#connection !== undefined) return true;
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#closed || nowMs - this.#triedAtMs < retryAfterMs) return false;
    this.#triedAtMs = nowMs;
    // What an earlier connection still reports is about nothing that waits now.
    const events: FrameLinkEvents = {
      open: (link) => {
        if (connection !== this.#connection) return;
        this.#link = link;
        link.trySend(this.#options.hello());
      },
      frame: (_link, frame) => {
        if (connection === this.#connection) this.#take(frame);
      },
      drain: () => this.#schedule(),
      closed: (_link, reason) => {
        if (connection === this.#connection) this.#end(reason);
      },
    };
    const connection = this.#options.connect(`ws://${this.#options.address}/v2`, events);
    this.#connection = connection;
    return true;
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case 'hello':
        // An address may be another process by now: it would answer for buckets that it never had.
        if (frame.id !== this.id) this.#end(`${this.#options.address} is another server by now`);
        else {
          this.#greeted = true;
          this.#maxFrameBytes = frame.maxFrameBytes;
          this.#schedule();
        }
        return;
      case 'ack':
      case 'nack':
        for (const answered of frame.answers) this.#answered(keyOf(answered), answered.answer);
        this.#schedule();
        return;
      case 'result': {
        const asked = this.#asked.get(frame.id);
        asked?.chunks.push(frame.body);
        if (asked === undefined || !frame.last) return;
        this.#asked.delete(frame.id);
        asked.resolve(joined(asked.chunks));
        return;
      }
      case 'error':
        this.#failed(frame.id, frame.code, frame.message, frame.fatal);
        return;
      default:
        this.#end(`unexpected frame ${frame.kind}`);
    }
  }

  #answered(key: string, answer: Answer): void {
    const pushed = this.#inFlight.get(key);
    const first = pushed?.shift();
    if (first === undefined) return;
    if (pushed?.length === 0) this.#inFlight.delete(key);
    this.#inFlightBytes -= first.block.payload.length;
    first.resolve(answer);
  }

  #failed(id: number | undefined, code: string, message: string, fatal: boolean): void {
    if (fatal || id === undefined) {
      this.#end(`${code}: ${message}`);
      return;
    }
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.reject(new TabaError(code in errorCatalogue ? (code as ErrorCode) : 'internal', message));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // What else comes in this turn goes along.
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const link = this.#link;
    if (link === undefined || !this.#greeted) return;
    while (this.#waitingQuestions.length > 0) {
      const question = this.#waitingQuestions[0]!;
      if (question.body.length + questionOverheadBytes > this.#maxFrameBytes) this.#refuse(question);
      else if (!link.trySend(question)) return;
      this.#waitingQuestions.shift();
    }
    this.#dropStale();
    while (this.#waiting.length > 0 && this.#inFlightBytes < maxInFlightBytes) {
      if (frameCostOf(this.#waiting[0]!.block) > this.#maxFrameBytes) {
        // A frame that is too large would end the connection, for everything that is under way on it.
        this.#waiting.shift()!.resolve(unknown());
        continue;
      }
      let bytes = 0;
      let cost = 0;
      let end = 0;
      while (end < this.#waiting.length && bytes < frameTargetBytes) {
        const pushed = this.#waiting[end]!;
        cost += frameCostOf(pushed.block);
        if (cost > this.#maxFrameBytes) break;
        bytes += pushed.block.payload.length;
        end++;
      }
      const batch = this.#waiting.slice(0, end);
      if (!link.trySend({ kind: 'push-blocks', blocks: batch.map(({ block }) => block) })) return;
      this.#waiting.splice(0, end);
      this.#inFlightBytes += bytes;
      for (const pushed of batch) {
        const key = keyOf(pushed.block);
        const others = this.#inFlight.get(key);
        if (others === undefined) this.#inFlight.set(key, [pushed]);
        else others.push(pushed);
      }
    }
  }

  #refuse({ id, name, body }: Query): void {
    const message = `${name}: a question of ${body.length} bytes; ${this.#options.address} takes frames of ${this.#maxFrameBytes}`;
    this.#asked.get(id)?.reject(new TabaError('frame_too_large', message));
    this.#asked.delete(id);
  }

  /**
   * A process that stood still must not send what nobody waits for any more: under an Idempotency-Key that is forgotten by
   * then, it would be counted again.
   */
  #dropStale(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const fresh = this.#waiting.findIndex(({ sinceMs }) => nowMs - sinceMs < maxWaitMs);
    const count = fresh < 0 ? this.#waiting.length : fresh;
    for (const { resolve } of this.#waiting.splice(0, count)) resolve(unknown());
  }

  #end(reason: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#link = undefined;
    this.#greeted = false;
    this.#lastError = reason;
    connection.close(reason);
    const pushed = [...this.#inFlight.values()].flat().concat(this.#waiting);
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    this.#waiting = [];
    this.#waitingQuestions = [];
    for (const { resolve } of pushed) resolve(unknown());
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(this.#unavailable(reason));
  }

  #unavailable(reason: string): TabaError {
    return new TabaError('unavailable', `server ${this.#options.address}: ${reason}`);
  }
}

/** It may have been taken or not: its producer sends it again, and its number tells. */
function unknown(): Answer {
  return { kind: 'busy', retryAfterMs: 100 };
}

function keyOf({ bucket, producer, seq }: Pick<Block, 'bucket' | 'producer' | 'seq'>): string {
  return `${producer} ${bucket} ${seq}`;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
