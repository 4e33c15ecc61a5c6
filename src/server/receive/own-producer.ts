import type { Answer, Block } from '../../core/block.js';
import type { BucketIndex, ProducerId } from '../../core/ids.js';
import type { PartMap } from '../../core/parts.js';
import type { DropReason, ProducerAccount } from '../../core/producer/books.js';
import { Producer, type ProducerOptions } from '../../core/producer/producer.js';
import type { SettledParts } from '../../core/producer/waiter.js';
import type { Clock } from '../../runtime/clock.js';

export interface OwnProducerOptions extends Omit<ProducerOptions, 'id' | 'birthMs'> {
  /** Takes a Block to whoever holds its bucket. Never rejects. */
  deliver(block: Block): Promise<Answer>;
  readonly clock: Clock;
}

/** Raw events are gathered for so long before they are sealed. Higher values merge more at the cost of latency. */
const gatherMs = 5;
/** How long to wait before a bucket is tried again that has no owner, or whose owner waits for another number. */
const resendMs = 100;

/** The server as a producer of its own: raw events become numbered Blocks here, and stay until they are acknowledged. */
export class OwnProducer {
  readonly #options: OwnProducerOptions;
  readonly #producer: Producer;
  /** Buckets whose open Blocks will be sent again: one pause for all of them. */
  readonly #retrying = new Set<BucketIndex>();
  #gathering = false;
  #idle: (() => void) | undefined;

  constructor(options: OwnProducerOptions) {
    this.#options = options;
    const birthMs = options.clock.nowMs();
    this.#producer = new Producer({ ...options, id: options.newId() as ProducerId, birthMs });
  }

  /** Takes `parts` over, and resolves when every bucket has acknowledged what came from them, or has given it up (R12). */
  deliver(parts: PartMap): Promise<SettledParts> {
    return new Promise((resolve) => {
      this.#producer.add(parts, resolve);
      this.#gather();
    });
  }

  get account(): ProducerAccount {
    return this.#producer.books();
  }

  get bufferedEvents(): number {
    return this.#producer.bufferedEvents;
  }

  get openBlocks(): number {
    return this.#producer.openBlocks;
  }

  /** How long the oldest sealed Block has been waiting to be acknowledged; 0 for none. */
  get oldestOpenMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const bucket of this.#producer.openBuckets()) {
      oldestMs = Math.min(oldestMs, this.#producer.open(bucket)[0]?.sealedAtMs ?? oldestMs);
    }
    return Math.max(0, this.#options.clock.nowMs() - oldestMs);
  }

  get pairs(): number {
    return this.#producer.pairs;
  }

  /** Gives up what waits, all or of some buckets, and counts it. @returns events */
  discard(reason: DropReason, buckets?: Iterable<BucketIndex>): number {
    const events = this.#producer.discard(reason, buckets);
    if (this.bufferedEvents === 0) this.#idle?.();
    return events;
  }

  /** Resolves when nothing is held any more. */
  async empty(): Promise<void> {
    if (this.bufferedEvents === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#options.clock.after(gatherMs, () => {
      this.#gathering = false;
      for (const bucket of [...this.#producer.readyBuckets()]) this.#sealAll(bucket);
    });
  }

  #sealAll(bucket: BucketIndex): void {
    const nowMs = this.#options.clock.nowMs();
    for (let block = this.#producer.seal(bucket, nowMs); block !== undefined; ) {
      this.#send(block);
      block = this.#producer.seal(bucket, nowMs);
    }
  }

  #send(block: Block): void {
    void this.#options.deliver(block).then((answer) => this.#answered(block, answer));
  }

  #answered({ bucket, producer, seq }: Block, answer: Answer): void {
    const outcome = this.#producer.take({ bucket, producer, seq, answer }, this.#options.clock.nowMs());
    switch (outcome.kind) {
      case 'settled':
      case 'abandoned':
        this.#sealAll(bucket);
        break;
      case 'wait':
        this.#retry(bucket, outcome.retryAfterMs);
        break;
      case 'resend':
      case 'reroute':
        // Sent again at once, all Blocks behind one that waits would be answered "expects", each time, and nothing else would run.
        this.#retry(bucket, resendMs);
        break;
      case 'stale':
        break;
    }
    if (this.bufferedEvents === 0) this.#idle?.();
  }

  #retry(bucket: BucketIndex, pauseMs: number): void {
    if (this.#retrying.has(bucket)) return;
    this.#retrying.add(bucket);
    this.#options.clock.after(pauseMs, () => {
      this.#retrying.delete(bucket);
      this.#sendOpen(bucket);
    });
  }

  #sendOpen(bucket: BucketIndex): void {
    for (const block of this.#producer.open(bucket)) this.#send(block);
  }
}
