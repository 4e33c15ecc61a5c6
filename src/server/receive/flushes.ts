import type { BlockRejection } from '../../core/block.js';
import { TabaError } from '../../core/errors.js';
import type { DropReason } from '../../core/producer/books.js';
import { FlushSessions } from '../../core/producer/sessions.js';
import { stageParts } from '../../intake/stage-parts.js';
import type { Clock } from '../../runtime/clock.js';
import type { FrameLink } from '../../transport/frame-link.js';
import type { FlushNack, Frame, PushFlush } from '../../wire/frame.js';
import type { OwnProducer } from './own-producer.js';
import { byCode, type RawDoor } from './raw-door.js';

export interface FlushesOptions {
  readonly door: RawDoor;
  readonly producer: OwnProducer;
  /** Why nothing is taken at the moment, or undefined. */
  refuses(): TabaError | undefined;
  readonly maxSessions: number;
  readonly clock: Clock;
}

/** How long an SDK waits before it sends a flush again that there was no room for. */
const retryAfterMs = 1000;
/** A session idle for longer is forgotten: no repeat of its last flush can be under way any more. */
const forgetAfterMs = 3_600_000;

/** Flushes of SDKs that talk to a server directly (R9). The instance is this process: its sessions end with it. */
export class Flushes {
  readonly #options: FlushesOptions;
  readonly #sessions: FlushSessions;
  /** session -> its flush that was taken and is not durable yet: a repeat waits for the same end. */
  readonly #pending = new Map<string, { readonly number: number; readonly answer: Promise<Frame> }>();
  /** session -> its last flush, where that was given up after it was taken: a repeat is told so as well. */
  readonly #givenUp = new Map<string, FlushNack>();

  constructor(options: FlushesOptions) {
    this.#options = options;
    this.#sessions = new FlushSessions({ maxSessions: options.maxSessions, forgetAfterMs });
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  take(link: FrameLink, frame: PushFlush): void {
    const answer = this.#judge(frame);
    if (!(answer instanceof Promise)) link.trySend(answer);
    else void answer.then((given) => link.trySend(given));
  }

  #judge(frame: PushFlush): Frame | Promise<Frame> {
    const { session, number } = frame;
    const verdict = this.#sessions.judge(session, number, this.#options.clock.nowMs());
    switch (verdict.kind) {
      case 'repeat': {
        const pending = this.#pending.get(session);
        if (pending?.number === number) return pending.answer;
        const givenUp = this.#givenUp.get(session);
        if (givenUp?.number === number) return givenUp;
        return { kind: 'flush-ack', session, number, rejected: [] };
      }
      case 'gap':
        return { kind: 'flush-nack', session, number, reason: 'gap', expected: verdict.expected };
      case 'full':
        return this.#busy(frame, 'too many sessions');
      case 'next':
        return this.#accept(frame);
    }
  }

  #accept(frame: PushFlush): Frame | Promise<Frame> {
    const { door, clock } = this.#options;
    const { session, number } = frame;
    const refusal = this.#options.refuses();
    if (refusal !== undefined) return this.#busy(frame, refusal.message);
    let staged: ReturnType<typeof stageParts>;
    try {
      staged = stageParts(frame.payload, door.context());
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      // Whatever it was, sending the same bytes again cannot help.
      this.#sessions.taken(session, number, clock.nowMs());
      door.receive(frame.events, 0, [[error.code, frame.events]]);
      return { kind: 'flush-nack', session, number, reason: 'refused', message: error.message };
    }
    this.#sessions.taken(session, number, clock.nowMs());
    door.receive(staged.received, staged.clamped, byCode(staged.rejected));
    const answer = this.#deliver(frame, staged);
    this.#pending.set(session, { number, answer });
    return answer;
  }

  async #deliver({ session, number }: PushFlush, staged: ReturnType<typeof stageParts>): Promise<Frame> {
    const rejected: BlockRejection[] = [...staged.rejected];
    let dropped: DropReason | undefined;
    if (staged.accepted > 0) {
      const own = new Set([...staged.parts.entries()].map(({ tab, client }) => `${tab}\0${client}`));
      const settled = await this.#options.producer.deliver(staged.parts);
      rejected.push(...settled.rejected.filter(({ tab, client }) => own.has(`${tab}\0${client}`)));
      dropped = settled.dropped;
    }
    const isLast = this.#pending.get(session)?.number === number;
    if (isLast) this.#pending.delete(session);
    if (dropped !== undefined) return this.#giveUp(session, number, dropped, isLast);
    return { kind: 'flush-ack', session, number, rejected };
  }

  /** Sending it again would count what did arrive a second time. */
  #giveUp(session: string, number: number, reason: DropReason, isLast: boolean): FlushNack {
    const message = `given up, all or in part: ${reason}`;
    const nack: FlushNack = { kind: 'flush-nack', session, number, reason: 'refused', message };
    if (!isLast) return nack;
    this.#givenUp.delete(session);
    this.#givenUp.set(session, nack);
    if (this.#givenUp.size > this.#options.maxSessions) {
      const [oldest] = this.#givenUp.keys();
      this.#givenUp.delete(oldest!);
    }
    return nack;
  }

  #busy({ session, number }: PushFlush, message: string): Frame {
    return { kind: 'flush-nack', session, number, reason: 'busy', retryAfterMs, message };
  }
}
