import { TabaError } from '../core/errors.js';
import type { FlushSessions } from '../core/producer/sessions.js';
import type { Clock } from '../runtime/clock.js';
import type { FrameLink, FrameLinkEvents } from '../transport/frame-link.js';
import type { Frame, Hello, PushFlush } from '../wire/frame.js';
import type { Brake } from './brake.js';
import type { FlushTaken, Reception } from './reception.js';

export interface SdkLinksOptions {
  readonly reception: Reception;
  readonly sessions: FlushSessions;
  readonly hello: () => Hello;
  readonly clock: Clock;
  /** Answers to flushes go by it. */
  readonly brake: Brake;
  /** Resolves when what was taken survives what it is meant to survive. */
  readonly durable: () => Promise<void> | undefined;
}

/** How long an SDK waits before it sends a flush again that there was no room for. */
const retryAfterMs = 1000;

/** Connections of SDKs: hello, then numbered flushes, each answered (rule R9). */
export class SdkLinks implements FrameLinkEvents {
  readonly #options: SdkLinksOptions;
  readonly #greeted = new Set<FrameLink>();

  constructor(options: SdkLinksOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#greeted.size;
  }

  frame(link: FrameLink, frame: Frame): void {
    if (frame.kind === 'hello') {
      this.#greet(link, frame);
    } else if (frame.kind === 'push-flush' && this.#greeted.has(link)) {
      this.#flush(link, frame);
    } else {
      const message = this.#greeted.has(link)
        ? `an agent takes no ${frame.kind}`
        : 'the first frame has to be a hello';
      fail(link, 'bad_framing', message);
    }
  }

  closed(link: FrameLink): void {
    this.#greeted.delete(link);
  }

  #greet(link: FrameLink, { versions, role }: Hello): void {
    if (this.#greeted.has(link)) {
      fail(link, 'bad_framing', 'a second hello');
    } else if (!versions.includes(2)) {
      fail(link, 'unsupported_version', `versions ${versions.join(', ')}; this agent speaks 2`);
    } else if (role !== 'sdk') {
      fail(link, 'bad_framing', `an agent takes events from SDKs, not from a ${role}`);
    } else {
      this.#greeted.add(link);
      link.trySend(this.#options.hello());
    }
  }

  #flush(link: FrameLink, frame: PushFlush): void {
    const { sessions, clock } = this.#options;
    const { session, number } = frame;
    const verdict = sessions.judge(session, number, clock.nowMs());
    switch (verdict.kind) {
      case 'repeat':
        this.#answer(link, { kind: 'flush-ack', session, number, rejected: [] });
        return;
      case 'gap':
        link.trySend({ kind: 'flush-nack', session, number, reason: 'gap', expected: verdict.expected });
        return;
      case 'full':
        this.#busy(link, frame, 'too many sessions');
        return;
      case 'next':
        break;
    }
    let taken: FlushTaken;
    try {
      taken = this.#options.reception.takeFlush(frame, link.peer);
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      this.#busy(link, frame, error.message);
      return;
    }
    sessions.taken(session, number, clock.nowMs());
    const answer: Frame =
      taken.refused === undefined
        ? { kind: 'flush-ack', session, number, rejected: taken.rejected }
        : { kind: 'flush-nack', session, number, reason: 'refused', message: taken.refused };
    this.#answer(link, answer);
  }

  /** Not answered when the disk fails: the SDK connects again, sends the flush again, and this stands in for the answer. */
  #answer(link: FrameLink, answer: Frame): void {
    const waiting = this.#options.durable();
    const send = () => this.#options.brake.answer(() => link.trySend(answer));
    if (waiting === undefined) {
      send();
      return;
    }
    waiting.then(send, () => link.close('the spool could not be synced'));
  }

  #busy(link: FrameLink, { session, number }: PushFlush, message: string): void {
    link.trySend({ kind: 'flush-nack', session, number, reason: 'busy', retryAfterMs, message });
  }
}

function fail(link: FrameLink, code: string, message: string): void {
  link.trySend({ kind: 'error', code, message, fatal: true });
  link.close(message);
}
