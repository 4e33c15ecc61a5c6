/**
 * A producer whose Blocks hold known numbers of Parts, as a process of its own, see `saidBySender`: as fast as they are acknowledged.
 * Prints how many Parts were taken when the last one was.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Block } from '../../../src/core/block.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { BucketIndex, ProducerId, Seq } from '../../../src/core/ids.js';
import type { FrameLink } from '../../../src/transport/frame-link.js';
import { connectFrames } from '../../../src/transport/outbound/frame-client.js';
import type { Ack, Frame, Hello, Nack } from '../../../src/wire/frame.js';
import { bucketsOf, roundOf, type Traffic } from './traffic.js';

export interface SenderOrder {
  readonly url: string;
  readonly traffic: Traffic;
  readonly rounds: number;
}

export interface Sent {
  readonly parts: number;
  readonly rejected: number;
  readonly seconds: number;
}

const maxFrameBytes = 16 * 2 ** 20;
/** Of Blocks that wait for their answers: below what all buckets together have in a round, so that no bucket has two of them. */
const windowBytes = 8 * 2 ** 20;

/** One connection, over which each bucket has at most one Block under way. */
class BlockSender {
  readonly #open = new Map<BucketIndex, Block>();
  readonly #producer = randomBytes(16).toString('hex') as ProducerId;
  readonly #birthMs = Date.now();
  #link: FrameLink | undefined;
  #bytes = 0;
  rejected = 0;
  failure: string | undefined;

  connect(url: string): Promise<Hello> {
    return new Promise((resolve, reject) => {
      const hello: Hello = {
        ...{ kind: 'hello', versions: [2], role: 'agent', id: this.#producer, name: 'bench' },
        ...{ maxFrameBytes, maxInFlight: 1, nowMs: Date.now() },
      };
      connectFrames(
        { url, maxFrameBytes, maxBufferedBytes: 2 * windowBytes },
        {
          open: (link) => {
            this.#link = link;
            link.trySend(hello);
          },
          frame: (_link, frame) => (frame.kind === 'hello' ? resolve(frame) : this.#take(frame)),
          closed: (_link, reason) => {
            this.failure ??= reason;
            reject(new Error(reason));
          },
        },
      );
    });
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  hasRoomFor(bucket: BucketIndex): boolean {
    return this.#bytes < windowBytes && !this.#open.has(bucket);
  }

  send(bucket: BucketIndex, seq: Seq, { payload, events }: Pick<Block, 'payload' | 'events'>): void {
    const [producer, birthMs, sealedAtMs] = [this.#producer, this.#birthMs, Date.now()];
    const block = { bucket, producer, birthMs, seq, sealedAtMs, events, payload };
    this.#open.set(bucket, block);
    this.#bytes += payload.length;
    this.#push(block);
  }

  close(): void {
    this.#link?.close('done');
  }

  #push(block: Block): void {
    if (this.#link?.trySend({ kind: 'push-blocks', blocks: [block] }) !== true)
      this.failure ??= 'a Block could not be sent';
  }

  #take(frame: Frame): void {
    if (frame.kind === 'ack' || frame.kind === 'nack') this.#answered(frame);
    else this.failure ??= `the server said ${JSON.stringify(frame)}`;
  }

  #answered({ answers }: Ack | Nack): void {
    for (const { bucket, answer } of answers) {
      const block = this.#open.get(bucket)!;
      if (answer.kind === 'busy') {
        void sleep(answer.retryAfterMs).then(() => this.#push(block));
      } else if (answer.kind === 'acknowledged') {
        this.#open.delete(bucket);
        this.#bytes -= block.payload.length;
        this.rejected += answer.rejected.length;
      } else {
        this.failure ??= `bucket ${bucket}: ${answer.kind}`;
      }
    }
  }
}

async function sendRounds({ url, traffic, rounds }: SenderOrder): Promise<Sent> {
  const registry = builtinHandlers();
  const sender = new BlockSender();
  const { bucketCount = 1000 } = await sender.connect(url);
  const buckets = bucketsOf(traffic, bucketCount);
  const until = async (holds: () => boolean) => {
    while (!holds() && sender.failure === undefined) await nextTurn();
    if (sender.failure !== undefined) throw new Error(sender.failure);
  };
  const begun = performance.now();
  for (let round = 1; round <= rounds; round++) {
    const payloadOf = roundOf(traffic, registry, Math.floor(Date.now() / 1000));
    for (const [bucket, tabs] of buckets) {
      const payload = payloadOf(tabs);
      await until(() => sender.hasRoomFor(bucket as BucketIndex));
      const events = tabs.length * traffic.clients * traffic.eventsPerPart;
      sender.send(bucket as BucketIndex, round as Seq, { payload, events });
    }
  }
  await until(() => sender.isIdle);
  const seconds = (performance.now() - begun) / 1000;
  sender.close();
  return { parts: rounds * traffic.tabs * traffic.clients, rejected: sender.rejected, seconds };
}

if (import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(await sendRounds(JSON.parse(process.argv[2]!) as SenderOrder)));
}
