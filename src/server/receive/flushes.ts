import type { BlockRejection } from '../../core/block.js';
import { TabaError } from '../../core/errors.js';
import type { PartMap } from '../../core/parts.js';
import type { DropReason } from '../../core/producer/books.js';
import { FlushSessions } from '../../core/producer/sessions.js';
import { rawAck, rawRepeat } from '../../intake/raw/answer.js';
import { DictionaryRoom, TabDictionary } from '../../intake/raw/dictionary.js';
import { stageColumns } from '../../intake/raw/stage-columns.js';
import { ackOverheadBytes, rejectionsWithin } from '../../intake/rejections-within.js';
import { stageParts } from '../../intake/stage-parts.js';
import type { Clock } from '../../runtime/clock.js';
import type { FrameLink } from '../../transport/frame-link.js';
import type { FlushNack, Frame, PushFlush, PushRaw } from '../../wire/frame.js';
import { claimedEvents } from '../../wire/raw-columns.js';
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

type Push = PushFlush | PushRaw;

/** What was checked and counted, and waits to be handed over. */
interface Prepared {
  readonly parts: PartMap;
  /** What is said once every bucket has acknowledged. @param refused what owners refused of `parts` */
  answer(refused: readonly BlockRejection[]): Frame;
}

/** Flushes of SDKs that talk to a server directly (R9). The instance is this process: its sessions end with it. */
export class Flushes {
  readonly #options: FlushesOptions;
  readonly #sessions: FlushSessions;
  readonly #dictionaryRoom = new DictionaryRoom();
  /** Flushes that were taken and are not durable yet, by session and number: a repeat waits for the same end. */
  readonly #pending = new Map<string, Promise<Frame>>();
  /** Flushes that were given up after they had been taken, the last of them, in the same way: a repeat is told so as well. */
  readonly #givenUp = new Map<string, FlushNack>();

  constructor(options: FlushesOptions) {
    this.#options = options;
    this.#sessions = new FlushSessions({ maxSessions: options.maxSessions, forgetAfterMs });
  }

  get definitionBytes(): number {
    return this.#dictionaryRoom.bytes;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** What numbers stand for on a connection; whoever asks for one clears it in the end. */
  dictionary(): TabDictionary {
    return new TabDictionary(this.#dictionaryRoom, this.#options.door.dictionaryOptions);
  }

  /** @param maxFrameBytes what the other side takes */
  take(link: FrameLink, frame: PushFlush, maxFrameBytes: number): void {
    const { session, number } = frame;
    const repeat: Frame = { kind: 'flush-ack', session, number, rejected: [] };
    this.#take(link, frame, repeat, frame.events, () => this.#prepareParts(frame, maxFrameBytes));
  }

  takeRaw(link: FrameLink, frame: PushRaw, dictionary: TabDictionary): void {
    const repeat = rawRepeat(frame.session, frame.number);
    this.#take(link, frame, repeat, claimedEvents(frame), () => this.#prepareColumns(frame, dictionary));
  }

  /** @param claimed events that it says it has @param prepare throws where nothing of it can count */
  #take(link: FrameLink, push: Push, repeat: Frame, claimed: number, prepare: () => Prepared): void {
    const answer = this.#judge(push, repeat, claimed, prepare);
    if (!(answer instanceof Promise)) link.trySend(answer);
    else void answer.then((given) => link.trySend(given));
  }

  #judge(push: Push, repeat: Frame, claimed: number, prepare: () => Prepared): Frame | Promise<Frame> {
    const { session, number } = push;
    const verdict = this.#sessions.judge(session, number, this.#options.clock.nowMs());
    switch (verdict.kind) {
      case 'repeat': {
        const key = keyOf(push);
        return this.#pending.get(key) ?? this.#givenUp.get(key) ?? repeat;
      }
      case 'gap':
        return { kind: 'flush-nack', session, number, reason: 'gap', expected: verdict.expected };
      case 'full':
        return this.#busy(push, 'too many sessions');
      case 'next':
        return this.#accept(push, claimed, prepare);
    }
  }

  #accept(push: Push, claimed: number, prepare: () => Prepared): Frame | Promise<Frame> {
    const { door, clock } = this.#options;
    const { session, number } = push;
    const refusal = this.#options.refuses();
    if (refusal !== undefined) return this.#busy(push, refusal.message);
    let prepared: Prepared;
    try {
      prepared = prepare();
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      // Whatever it was, sending the same bytes again cannot help.
      this.#sessions.taken(session, number, clock.nowMs());
      door.receive(claimed, 0, [[error.code, claimed]]);
      return { kind: 'flush-nack', session, number, reason: 'refused', message: error.message };
    }
    this.#sessions.taken(session, number, clock.nowMs());
    const answer = this.#deliver(push, prepared);
    const key = keyOf(push);
    this.#pending.set(key, answer);
    void answer.then(() => this.#pending.delete(key));
    return answer;
  }

  #prepareParts({ session, number, payload }: PushFlush, maxFrameBytes: number): Prepared {
    const { door } = this.#options;
    const { parts, received, clamped, rejected } = stageParts(payload, door.context());
    door.receive(received, clamped, byCode(rejected));
    return {
      parts,
      answer: (refused) => ({
        ...{ kind: 'flush-ack', session, number },
        rejected: rejectionsWithin([...rejected, ...refused], maxFrameBytes - ackOverheadBytes),
      }),
    };
  }

  #prepareColumns(frame: PushRaw, dictionary: TabDictionary): Prepared {
    const { door } = this.#options;
    const staged = stageColumns(frame, dictionary, door.context());
    staged.fold();
    door.receive(staged.received, staged.clamped, staged.rejections.byCode);
    return {
      parts: staged.parts,
      answer: (refused) => {
        staged.rejectLater(refused);
        return rawAck(frame, staged);
      },
    };
  }

  async #deliver(push: Push, { parts, answer }: Prepared): Promise<Frame> {
    const refused: BlockRejection[] = [];
    let dropped: DropReason | undefined;
    if (parts.events > 0) {
      const own = new Set([...parts.entries()].map(({ tab, client }) => `${tab}\0${client}`));
      const settled = await this.#options.producer.deliver(parts);
      refused.push(...settled.rejected.filter(({ tab, client }) => own.has(`${tab}\0${client}`)));
      dropped = settled.dropped;
    }
    return dropped === undefined ? answer(refused) : this.#giveUp(push, dropped);
  }

  /** Sending it again would count what did arrive a second time. */
  #giveUp(push: Push, reason: DropReason): FlushNack {
    const { session, number } = push;
    const message = `given up, all or in part: ${reason}`;
    const nack: FlushNack = { kind: 'flush-nack', session, number, reason: 'refused', message };
    this.#givenUp.set(keyOf(push), nack);
    if (this.#givenUp.size > this.#options.maxSessions) {
      const [oldest] = this.#givenUp.keys();
      this.#givenUp.delete(oldest!);
    }
    return nack;
  }

  #busy({ session, number }: Push, message: string): Frame {
    return { kind: 'flush-nack', session, number, reason: 'busy', retryAfterMs, message };
  }
}

function keyOf({ session, number }: Push): string {
  return `${number} ${session}`;
}
