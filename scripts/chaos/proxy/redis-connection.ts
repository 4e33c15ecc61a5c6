import { connect, type Socket } from 'node:net';
import type { Caught, Exchange, Party, TrapOptions } from './redis-exchange.js';
import { glance, RespSplitter, wordsOf } from './resp.js';

export interface ConnectionOptions {
  readonly near: Socket;
  readonly id: number;
  readonly target: number;
  readonly scriptName: (sha: string) => string | undefined;
  readonly rewrite: (reply: Buffer) => Buffer;
  readonly holds: (party: Party) => boolean;
  readonly asked: (exchange: Exchange) => void;
  readonly trapped: (on: TrapOptions['on'], exchange: Exchange) => boolean;
  readonly ended: () => void;
}

interface Frame {
  readonly bytes: Buffer;
  readonly exchange: Exchange | undefined;
}

/** Frames on their way in one direction. */
interface Direction {
  readonly on: TrapOptions['on'];
  readonly frames: Frame[];
  /** The first frame is in a trap. */
  caught: boolean;
  /** The first frame was let go by its trap: it is not caught again. */
  pardoned: boolean;
  /** Nothing more will come. */
  ended: boolean;
}

function direction(on: TrapOptions['on']): Direction {
  return { on, frames: [], caught: false, pardoned: false, ended: false };
}

const wordsKept = 16;
const wordLength = 80;
/** From here on replies do not belong to commands one by one. */
const unpaired = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR', 'PSYNC', 'SYNC']);

/** One connection through a proxy: both directions as queues of frames, replies paired with their commands. */
export class ProxiedConnection implements Caught {
  party: Party = 'client';
  readonly #options: ConnectionOptions;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #requests = direction('request');
  readonly #replies = direction('reply');
  readonly #commandSplitter = new RespSplitter();
  readonly #replySplitter = new RespSplitter();
  /** Sent, and not answered yet. */
  readonly #due: Exchange[] = [];
  /** The stream is copied as it is: replication. */
  #raw = false;
  #paired = true;
  #cut = false;
  #nearGone = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#near = options.near;
    this.#far = connect({ host: '127.0.0.1', port: options.target, allowHalfOpen: true });
    for (const socket of [this.#near, this.#far]) socket.setNoDelay(true);
    this.#near.on('data', (chunk) => this.#fromClient(chunk));
    this.#far.on('data', (chunk) => this.#fromRedis(chunk));
    this.#near.on('end', () => this.#clientLeft());
    this.#far.on('end', () => this.#redisLeft());
    this.#near.on('error', () => this.#clientLeft());
    this.#far.on('error', () => this.#redisLeft());
    this.#near.on('close', () => {
      this.#clientLeft();
      if (this.#far.closed) this.#options.ended();
    });
    this.#far.on('close', () => {
      this.#redisLeft();
      if (this.#near.closed) this.#options.ended();
    });
    this.#near.resume();
  }

  get open(): boolean {
    return !this.#cut && !this.#nearGone && !this.#replies.ended;
  }

  /** Of a trap: what it caught goes on. */
  release(): void {
    for (const way of [this.#requests, this.#replies]) {
      if (!way.caught) continue;
      way.caught = false;
      way.pardoned = true;
    }
    this.flow();
  }

  cut(): void {
    this.#cut = true;
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  /** Sends on whatever nothing holds back. */
  flow(): void {
    this.#flow(this.#requests, (frame) => this.#sendOn(frame));
    this.#flow(this.#replies, (frame) => this.#deliver(frame));
    if (this.#cut) return;
    // An end is passed on behind everything that came before it.
    if (this.#requests.ended && this.#requests.frames.length === 0) this.#far.end();
    if (this.#replies.ended && this.#replies.frames.length === 0) this.#near.end();
  }

  #flow(way: Direction, pass: (frame: Frame) => void): void {
    while (!this.#cut && !way.caught && way.frames.length > 0) {
      const frame = way.frames[0]!;
      if (this.#options.holds(this.party)) return;
      if (frame.exchange !== undefined && !way.pardoned) {
        way.caught = this.#options.trapped(way.on, frame.exchange);
        // The trap may have been sprung and answered at once.
        if (way.caught) return;
      }
      way.pardoned = false;
      way.frames.shift();
      pass(frame);
    }
  }

  #fromClient(chunk: Buffer): void {
    if (this.#raw) this.#requests.frames.push({ bytes: chunk, exchange: undefined });
    else {
      for (const bytes of this.#commandSplitter.push(chunk)) {
        this.#requests.frames.push({ bytes, exchange: this.#exchange(bytes) });
        if (this.#raw) break;
      }
      if (this.#raw) this.#copyRest(this.#requests, this.#commandSplitter);
    }
    this.flow();
  }

  #exchange(bytes: Buffer): Exchange {
    const words = wordsOf(bytes, wordsKept, wordLength);
    const [command = '', first = ''] = [words[0]?.toUpperCase(), words[1]];
    if (command === 'REPLCONF') this.party = 'replica';
    if (command === 'CLIENT' && first.toUpperCase() === 'SETNAME' && words[2]?.startsWith('sentinel-')) {
      this.party = 'sentinel';
    }
    if (unpaired.has(command)) this.#paired = false;
    if (command === 'PSYNC' || command === 'SYNC') this.#raw = true;
    const exchange: Exchange = {
      connection: this.#options.id,
      party: this.party,
      command,
      script: command.startsWith('EVALSHA') ? this.#options.scriptName(first) : undefined,
      words,
      sent: false,
      late: false,
      reply: undefined,
      delivered: false,
    };
    this.#options.asked(exchange);
    return exchange;
  }

  #sendOn({ bytes, exchange }: Frame): void {
    if (exchange !== undefined) {
      exchange.sent = true;
      exchange.late = this.#nearGone;
      this.#due.push(exchange);
    }
    this.#far.write(bytes);
  }

  #fromRedis(chunk: Buffer): void {
    if (this.#raw) {
      this.#copyRest(this.#replies, this.#replySplitter);
      this.#replies.frames.push({ bytes: chunk, exchange: undefined });
    } else {
      for (const bytes of this.#replySplitter.push(chunk)) this.#answered(bytes);
    }
    this.flow();
  }

  #answered(bytes: Buffer): void {
    const isPush = bytes[0] === 0x3e;
    const exchange = this.#paired && !isPush ? this.#due.shift() : undefined;
    if (exchange !== undefined) exchange.reply = glance(bytes);
    this.#replies.frames.push({ bytes: this.#options.rewrite(bytes), exchange });
  }

  #copyRest(way: Direction, splitter: RespSplitter): void {
    const rest = splitter.takeRest();
    if (rest.length > 0) way.frames.push({ bytes: rest, exchange: undefined });
  }

  #deliver({ bytes, exchange }: Frame): void {
    if (this.#nearGone) return;
    if (exchange !== undefined) exchange.delivered = true;
    this.#near.write(bytes);
  }

  /** What it asked and was not held back reaches Redis all the same, as it would in a network. */
  #clientLeft(): void {
    if (this.#nearGone) return;
    this.#nearGone = true;
    this.#requests.ended = true;
    this.flow();
  }

  #redisLeft(): void {
    if (this.#replies.ended) return;
    this.#replies.ended = true;
    this.flow();
  }
}
