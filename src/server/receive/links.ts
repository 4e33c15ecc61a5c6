import type { AddressedAnswer, Answer, Block } from '../../core/block.js';
import { TabaError } from '../../core/errors.js';
import type { TabDictionary } from '../../intake/raw/dictionary.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { Turn } from '../../runtime/turn.js';
import type { FrameLink, FrameLinkEvents } from '../../transport/frame-link.js';
import type { Frame, Hello, PushBlocks } from '../../wire/frame.js';
import type { Questions } from '../cluster/peers.js';
import { answerFrames } from './answer-frames.js';
import type { Flushes } from './flushes.js';
import { QuestionDesk } from './question-desk.js';
import type { Router } from './router.js';

export interface LinksOptions {
  readonly router: Router;
  /** The owner here of a Block's bucket: what comes from another server goes no further. Never rejects. */
  own(block: Block): Promise<Answer>;
  /** What other servers may ask. */
  readonly questions: Questions;
  readonly flushes: Flushes;
  readonly hello: () => Hello;
  /** In which Blocks are checked: an agent sends those of all its buckets at once. */
  readonly turn: Turn;
  readonly clock: Clock;
  readonly log: Log;
}

/** What one connection has waiting: answers are sent together, a frame per turn of the event loop. */
interface Peer {
  readonly hello: Hello;
  /** Blocks that wait for their turn to be looked at, frame by frame. */
  readonly inbox: (readonly Block[])[];
  taking: boolean;
  answers: AddressedAnswer[];
  sending: boolean;
  /** Of an SDK that sends events which it has not folded. */
  dictionary: TabDictionary | undefined;
  /** Of a server only. */
  readonly desk: QuestionDesk | undefined;
}

/** v2 connections of agents, which push Blocks, of SDKs, which push flushes and raw events, and of other servers, which push Blocks and ask. */
export class Links implements FrameLinkEvents {
  readonly #options: LinksOptions;
  readonly #peers = new Map<FrameLink, Peer>();

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#peers.size;
  }

  frame(link: FrameLink, frame: Frame): void {
    const peer = this.#peers.get(link);
    if (frame.kind === 'hello') this.#greet(link, frame);
    else if (peer === undefined) fail(link, 'bad_framing', 'the first frame has to be a hello');
    else if (frame.kind === 'push-blocks' && peer.hello.role !== 'sdk') this.#take(link, peer, frame);
    else if (frame.kind === 'push-flush' && peer.hello.role === 'sdk')
      this.#options.flushes.take(link, frame, peer.hello.maxFrameBytes);
    else if (frame.kind === 'define-tabs' && peer.hello.role === 'sdk')
      this.#dictionaryOf(peer).define(frame.tabs);
    else if (frame.kind === 'push-raw' && peer.hello.role === 'sdk')
      this.#options.flushes.takeRaw(link, frame, this.#dictionaryOf(peer));
    else if (frame.kind === 'query' && peer.desk !== undefined) void peer.desk.take(frame);
    else fail(link, 'bad_framing', `a server takes no ${frame.kind} from ${withArticle(peer.hello.role)}`);
  }

  drain(link: FrameLink): void {
    const peer = this.#peers.get(link);
    if (peer === undefined) return;
    this.#send(link, peer);
    peer.desk?.send();
  }

  closed(link: FrameLink): void {
    this.#peers.get(link)?.dictionary?.clear();
    this.#peers.delete(link);
  }

  #dictionaryOf(peer: Peer): TabDictionary {
    peer.dictionary ??= this.#options.flushes.dictionary();
    return peer.dictionary;
  }

  #greet(link: FrameLink, hello: Hello): void {
    const { hello: own, log } = this.#options;
    const ours = own();
    const mismatch = this.#peers.has(link)
      ? new TabaError('bad_framing', 'a second hello')
      : mismatchOf(hello, ours);
    if (mismatch !== undefined) {
      log.warn('link_refused', {
        peer: link.peer,
        name: hello.name,
        code: mismatch.code,
        reason: mismatch.message,
      });
      fail(link, mismatch.code, mismatch.message);
      return;
    }
    const desk = hello.role === 'server' ? new QuestionDesk(link, hello, this.#options) : undefined;
    this.#peers.set(link, {
      ...{ hello, inbox: [], taking: false, answers: [], sending: false },
      ...{ dictionary: undefined, desk },
    });
    link.trySend(ours);
  }

  #take(link: FrameLink, peer: Peer, { blocks }: PushBlocks): void {
    peer.inbox.push(blocks);
    if (!peer.taking) void this.#empty(link, peer);
  }

  /** In the order of the frames, which waiting for a turn does not change: an owner takes the next number only. */
  async #empty(link: FrameLink, peer: Peer): Promise<void> {
    const { turn } = this.#options;
    peer.taking = true;
    for (let blocks = peer.inbox.shift(); blocks !== undefined; blocks = peer.inbox.shift()) {
      for (const block of blocks) {
        if (turn.isOver) await turn.pause();
        void this.#takeBlock(link, peer, block);
      }
    }
    peer.taking = false;
  }

  async #takeBlock(link: FrameLink, peer: Peer, block: Block): Promise<void> {
    const { router, own } = this.#options;
    const answer = await (peer.hello.role === 'server' ? own(block) : router.take(block));
    const { bucket, producer, seq } = block;
    peer.answers.push({ bucket, producer, seq, answer });
    if (peer.sending) return;
    peer.sending = true;
    this.#options.clock.soon(() => {
      peer.sending = false;
      if (this.#peers.get(link) === peer) this.#send(link, peer);
    });
  }

  /** An answer that cannot be sent now waits for `drain`; one that never goes out is asked for again by a repeat. */
  #send(link: FrameLink, peer: Peer): void {
    const { answers } = peer;
    if (answers.length === 0) return;
    const acks = answers.filter(({ answer }) => answer.kind === 'acknowledged');
    const nacks = answers.filter(({ answer }) => answer.kind !== 'acknowledged');
    peer.answers = [...sendFrames(link, peer, 'ack', acks), ...sendFrames(link, peer, 'nack', nacks)];
  }
}

/** @returns the answers that could not be sent */
function sendFrames(
  link: FrameLink,
  { hello }: Peer,
  kind: 'ack' | 'nack',
  answers: readonly AddressedAnswer[],
): AddressedAnswer[] {
  let sent = 0;
  for (const frame of answerFrames(answers, hello.maxFrameBytes)) {
    if (!link.trySend({ kind, answers: frame })) break;
    sent += frame.length;
  }
  return answers.slice(sent);
}

/** @returns why the two cannot work together (R13), or undefined */
function mismatchOf(theirs: Hello, ours: Hello): TabaError | undefined {
  if (!theirs.versions.includes(2)) {
    return new TabaError(
      'unsupported_version',
      `versions ${theirs.versions.join(', ')}; this server speaks 2`,
    );
  }
  if (theirs.hash !== undefined && theirs.hash !== ours.hash) {
    return new TabaError('bucket_map_mismatch', `hash ${theirs.hash}; this server has ${ours.hash}`);
  }
  for (const field of ['bucketCount', 'generation'] as const) {
    if (theirs[field] === undefined || theirs[field] === ours[field]) continue;
    return new TabaError('bucket_map_mismatch', `${field} ${theirs[field]}; this server has ${ours[field]}`);
  }
  return undefined;
}

function withArticle(role: Hello['role']): string {
  return role === 'server' ? 'a server' : `an ${role}`;
}

function fail(link: FrameLink, code: string, message: string): void {
  link.trySend({ kind: 'error', code, message, fatal: true });
  link.close(message);
}
