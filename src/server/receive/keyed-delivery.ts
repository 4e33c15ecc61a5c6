import type { Answer, Block, BlockRejection } from '../../core/block.js';
import { bucketOf } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, ProducerId, Seq } from '../../core/ids.js';
import { PartMap } from '../../core/parts.js';
import { digestUnder, usedForAnother } from '../../intake/idempotency-key.js';
import type { Clock } from '../../runtime/clock.js';
import { encodeParts } from '../../wire/parts.js';

export interface KeyedDeliveryOptions {
  readonly registry: HandlerRegistry;
  readonly bucketCount: number;
  readonly clock: Clock;
  /** Takes a Block to whoever holds its bucket. Never rejects. */
  deliver(block: Block): Promise<Answer>;
}

type Acknowledged = Extract<Answer, { kind: 'acknowledged' }>;

export interface KeyedOutcome {
  /** What owners did not count, now or when the body came first. */
  readonly rejected: readonly BlockRejection[];
  /** Of these, what they refused just now. */
  readonly newlyRejected: readonly BlockRejection[];
  /** Events of Blocks that were counted, or rejected, when the body came first. */
  readonly repeatedEvents: number;
}

/** How many keys are remembered to tell that one was used for another body. */
const rememberedKeys = 10_000;
const rerouteMs = 100;

/**
 * Bodies under an Idempotency-Key (R12): key and body make the producer id, and each bucket gets one Block with number 1,
 * so that owners know a repeat from their journals, whichever server it comes to and whatever was killed in between.
 */
export class KeyedDelivery {
  readonly #options: KeyedDeliveryOptions;
  /** key -> digest of its body, in the order of first use. */
  readonly #bodies = new Map<string, string>();

  constructor(options: KeyedDeliveryOptions) {
    this.#options = options;
  }

  /** @throws TabaError `idempotency_mismatch` if the key was used for another body, as far as that is remembered */
  producerOf(key: string, body: Uint8Array): ProducerId {
    const digest = digestUnder(key, body);
    const known = this.#bodies.get(key);
    if (known !== undefined && known !== digest) throw usedForAnother(key);
    this.#bodies.set(key, digest);
    if (this.#bodies.size > rememberedKeys) this.#bodies.delete(this.#bodies.keys().next().value!);
    return digest as ProducerId;
  }

  /**
   * Resolves when every bucket has acknowledged.
   *
   * @param withinMs after that nothing is sent any more, not even by a process that stood still meanwhile: owners know a key
   *   for as long as they know producers, and would take what comes later for another body
   * @throws TabaError `counted_in_part` when one did not acknowledge in that time
   */
  async deliver(producer: ProducerId, parts: PartMap, withinMs: number): Promise<KeyedOutcome> {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const untilMs = clock.monotonicMs() + withinMs;
    const blocks = [...this.#split(parts)].map(
      ([bucket, its]): Block => ({
        bucket,
        producer,
        birthMs: nowMs,
        seq: 1 as Seq,
        sealedAtMs: nowMs,
        events: its.events,
        payload: encodeParts(its, this.#options.registry),
      }),
    );
    const answers = await Promise.all(blocks.map((block) => this.#deliverBlock(block, untilMs)));
    let repeatedEvents = 0;
    answers.forEach(({ repeat }, index) => {
      if (repeat) repeatedEvents += blocks[index]!.events;
    });
    return {
      rejected: answers.flatMap((answer) => answer.rejected),
      newlyRejected: answers.filter(({ repeat }) => !repeat).flatMap((answer) => answer.rejected),
      repeatedEvents,
    };
  }

  #split(parts: PartMap): Map<BucketIndex, PartMap> {
    const byBucket = new Map<BucketIndex, PartMap>();
    parts.giveAway(({ name }) => {
      const bucket = bucketOf(name, this.#options.bucketCount);
      const its = byBucket.get(bucket) ?? new PartMap(this.#options.registry);
      byBucket.set(bucket, its);
      return its;
    });
    return byBucket;
  }

  async #deliverBlock(block: Block, untilMs: number): Promise<Acknowledged> {
    const { clock, deliver } = this.#options;
    for (;;) {
      const answer = await deliver(block);
      if (answer.kind === 'acknowledged') return answer;
      if (answer.kind !== 'unknown_producer' && answer.kind !== 'closed') {
        await this.#pause(answer.kind === 'busy' ? answer.retryAfterMs : rerouteMs);
        if (clock.monotonicMs() < untilMs) continue;
      }
      throw new TabaError('counted_in_part', `bucket ${block.bucket} did not acknowledge (${answer.kind})`);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(delayMs, resolve));
  }
}
