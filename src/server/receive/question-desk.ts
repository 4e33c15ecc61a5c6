import { TabaError } from '../../core/errors.js';
import type { Log } from '../../runtime/log.js';
import type { FrameLink } from '../../transport/frame-link.js';
import type { Frame, Hello, Query } from '../../wire/frame.js';
import type { Questions } from '../cluster/peers.js';

/** Bytes of an answer in one frame: small enough not to hold up the Blocks behind it. */
const pieceBytes = 1 << 20;

/** Questions of one other server: each is answered when its answer is there, in pieces, as fast as the link takes them. */
export class QuestionDesk {
  readonly #link: FrameLink;
  readonly #peer: Hello;
  readonly #questions: Questions;
  readonly #log: Log;
  #waiting: Frame[] = [];

  constructor(link: FrameLink, peer: Hello, { questions, log }: { questions: Questions; log: Log }) {
    this.#link = link;
    this.#peer = peer;
    this.#questions = questions;
    this.#log = log;
  }

  async take({ id, name, body }: Query): Promise<void> {
    try {
      const answer = this.#questions[name];
      if (answer === undefined) throw new TabaError('bad_framing', `no question is called ${name}`);
      this.#answer(id, await answer(body));
    } catch (error) {
      const fault = error instanceof TabaError ? error : this.#unexpected(name, error);
      this.#waiting.push({ kind: 'error', id, code: fault.code, message: fault.message, fatal: false });
    }
    this.send();
  }

  #unexpected(name: string, error: unknown): TabaError {
    this.#log.error('question_failed', { name, reason: String(error), stack: (error as Error).stack });
    return new TabaError('internal', `${name}: ${String(error)}`);
  }

  #answer(id: number, body: Uint8Array): void {
    const piece = Math.min(pieceBytes, this.#peer.maxFrameBytes - 64);
    for (let at = 0; at === 0 || at < body.length; at += piece) {
      const last = at + piece >= body.length;
      this.#waiting.push({ kind: 'result', id, body: body.subarray(at, at + piece), last });
    }
  }

  /** Sends what the link takes; called again when it has room. */
  send(): void {
    let sent = 0;
    while (sent < this.#waiting.length && this.#link.trySend(this.#waiting[sent]!)) sent++;
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }
}
