import { TabaError } from '../core/errors.js';
import type { FlushSessions } from '../core/producer/sessions.js';
import { rawAck, rawRepeat } from '../intake/raw/answer.js';
import type { TabDictionary } from '../intake/raw/dictionary.js';
import { ackOverheadBytes, rejectionsWithin } from '../intake/rejections-within.js';
import type { Clock } from '../runtime/clock.js';
import type { FrameLink, FrameLinkEvents } from '../transport/frame-link.js';
import type { Frame, Hello, PushFlush, PushRaw } from '../wire/frame.js';
import type { Reception } from './reception.js';

export interface SdkLinksOptions {
  readonly reception: Reception;
  readonly sessions: FlushSessions;
  readonly hello: () => Hello;
  readonly clock: Clock;
  /** How long SDKs had better fold on because servers are behind; 0 when they are not. */
  readonly pauseMs: () => number;
  /** Resolves when what was taken survives what it is meant to survive. */
  readonly durable: () => Promise<void> | undefined;
}

/** How long an SDK waits before it sends a flush again that there was no room for. */
const retryAfterMs = 1000;

/** Connections of SDKs: hello, then numbered flushes, each answered (rule R9). */
export class SdkLinks implements FrameLinkEvents {
  readonly #options: SdkLinksOptions;
  /** With what each takes in one frame. */
  readonly #greeted = new Map<FrameLink, number>();
  /** Of those that send events which nobody has folded. */
  readonly #dictionaries = new Map<FrameLink, TabDictionary>();

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
    } else if (frame.kind === 'define-tabs' && this.#greeted.has(link)) {
      this.#dictionaryOf(link).define(frame.tabs);
    } else if (frame.kind === 'push-raw' && this.#greeted.has(link)) {
      this.#raw(link, frame);
    } else {
      const message = this.#greeted.has(link)
        ? `an agent takes no ${frame.kind}`
        : 'the first frame has to be a hello';
      fail(link, 'bad_framing', message);
    }
  }

  closed(link: FrameLink): void {
    this.#greeted.delete(link);
    this.#dictionaries.get(link)?.clear();
    this.#dictionaries.delete(link);
  }

  #dictionaryOf(link: FrameLink): TabDictionary {
    const known = this.#dictionaries.get(link) ?? this.#options.reception.dictionary();
    this.#dictionaries.set(link, known);
    return known;
  }

  #greet(link: FrameLink, { versions, role, maxFrameBytes }: Hello): void {
    if (this.#greeted.has(link)) {
      fail(link, 'bad_framing', 'a second hello');
    } else if (!versions.includes(2)) {
      fail(link, 'unsupported_version', `versions ${versions.join(', ')}; this agent speaks 2`);
    } else if (role !== 'sdk') {
      fail(link, 'bad_framing', `an agent takes events from SDKs, not from a ${role}`);
    } else {
      this.#greeted.set(link, maxFrameBytes);
      link.trySend(this.#options.hello());
    }
  }

  #flush(link: FrameLink, frame: PushFlush): void {
    const { session, number } = frame;
    const repeat: Frame = { kind: 'flush-ack', session, number, rejected: [] };
    this.#numbered(link, frame, repeat, () => {
      const { refused, rejected } = this.#options.reception.takeFlush(frame, link.peer);
      if (refused !== undefined) return refusal(frame, refused);
      const pauseMs = this.#options.pauseMs();
      const room = (this.#greeted.get(link) ?? 0) - ackOverheadBytes;
      return {
        ...{ kind: 'flush-ack', session, number, rejected: rejectionsWithin(rejected, room) },
        ...(pauseMs > 0 ? { pauseMs } : {}),
      };
    });
  }

  #raw(link: FrameLink, frame: PushRaw): void {
    const { session, number } = frame;
    const repeat = rawRepeat(session, number);
    this.#numbered(link, frame, repeat, () => {
      const taken = this.#options.reception.takeRaw(frame, this.#dictionaryOf(link), link.peer);
      return 'refused' in taken ? refusal(frame, taken.refused) : rawAck(frame, taken);
    });
  }

  /** What is due is taken, which may throw where there is no room for it; everything else is answered (R9). */
  #numbered(link: FrameLink, push: PushFlush | PushRaw, repeat: Frame, take: () => Frame): void {
    const { sessions, clock } = this.#options;
    const { session, number } = push;
    const verdict = sessions.judge(session, number, clock.nowMs());
    switch (verdict.kind) {
      case 'repeat':
        this.#answer(link, repeat);
        return;
      case 'gap':
        link.trySend({ kind: 'flush-nack', session, number, reason: 'gap', expected: verdict.expected });
        return;
      case 'full':
        this.#busy(link, push, 'too many sessions');
        return;
      case 'next':
        break;
    }
    let answer: Frame;
    try {
      answer = take();
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      this.#busy(link, push, error.message);
      return;
    }
    sessions.taken(session, number, clock.nowMs());
    this.#answer(link, answer);
  }

  /** Not answered when the disk fails: the SDK connects again, sends the flush again, and this stands in for the answer. */
  #answer(link: FrameLink, answer: Frame): void {
    const waiting = this.#options.durable();
    if (waiting === undefined) {
      link.trySend(answer);
      return;
    }
    waiting.then(
      () => link.trySend(answer),
      () => link.close('the spool could not be synced'),
    );
  }

  #busy(link: FrameLink, { session, number }: PushFlush | PushRaw, message: string): void {
    link.trySend({ kind: 'flush-nack', session, number, reason: 'busy', retryAfterMs, message });
  }
}

function refusal({ session, number }: PushFlush | PushRaw, message: string): Frame {
  return { kind: 'flush-nack', session, number, reason: 'refused', message };
}

function fail(link: FrameLink, code: string, message: string): void {
  link.trySend({ kind: 'error', code, message, fatal: true });
  link.close(message);
}
