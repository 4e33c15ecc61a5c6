import type { AddressedAnswer, Answer, Block } from '../../src/core/block.js';
import type { BucketIndex, ProducerId } from '../../src/core/ids.js';
import type { Outcome, Producer, ProducerOptions } from '../../src/core/producer/producer.js';
import { type Cluster, describe } from './cluster.js';
import { makeProducer } from './mutants.js';
import { bucketCount, encode, registry } from './payload.js';
import type { SimServer } from './sim-server.js';
import { epochMs, type SimNode } from './world.js';

/** A producer with a way to its owners: seals, sends, sends again. */
export class BlockSender {
  readonly producer: Producer;
  readonly #cluster: Cluster;
  readonly #node: SimNode;
  #endpoint: SimServer;
  /** Runs what may end the process. */
  readonly #guard: (action: () => void) => void;

  constructor(
    cluster: Cluster,
    node: SimNode,
    guard: (action: () => void) => void,
    options: Partial<ProducerOptions> = {},
  ) {
    this.#cluster = cluster;
    this.#node = node;
    this.#guard = guard;
    this.#endpoint = cluster.someServer();
    const { world } = cluster;
    const newId = (): ProducerId => world.id() as ProducerId;
    this.producer = makeProducer(cluster.without, {
      ...{ id: newId(), birthMs: epochMs + world.nowMs, registry, bucketCount, encode, newId },
      limits: { maxOpenBlocksPerBucket: 3 },
      renewAfterMs: 1500,
      ...options,
    });
  }

  /** Seals and sends what there is. */
  flush(): void {
    for (const bucket of [...this.producer.readyBuckets()]) this.#seal(bucket);
  }

  #seal(bucket: BucketIndex): void {
    const block = this.producer.seal(bucket, epochMs + this.#cluster.world.nowMs);
    if (block !== undefined) this.#send(block);
  }

  /** Sends everything again that is not acknowledged, perhaps another way. */
  resend(): void {
    if (this.#cluster.world.chance(0.2)) this.#endpoint = this.#cluster.someServer();
    for (const bucket of [...this.producer.openBuckets()]) this.#resend(bucket);
  }

  #resend(bucket: BucketIndex): void {
    for (const block of this.producer.open(bucket)) this.#send(block);
  }

  #send(block: Block): void {
    this.#cluster.world.log(() => `${this.#node.name}: sends ${describe(block)}`);
    const { world } = this.#cluster;
    const server = world.chance(0.9) ? this.#endpoint : this.#cluster.someServer();
    this.#cluster.send(this.#node, server, block, (answer) => {
      this.#guard(() => this.#answered(block, answer));
    });
  }

  #take(addressed: AddressedAnswer): Outcome {
    const { bucket, producer, answer } = addressed;
    const its = this.producer.open(bucket).filter((block) => block.producer === producer);
    try {
      return this.producer.take(addressed, epochMs + this.#cluster.world.nowMs);
    } catch (error) {
      // It died while it gave them up: some are in the spool no more, and nobody was left to say so.
      if (answer.kind === 'unknown_producer') {
        for (const { events } of its) this.#cluster.ledger.gaveUp('died while giving up', events);
      }
      throw error;
    }
  }

  #answered(block: Block, answer: Answer): void {
    const { world, ledger, profile } = this.#cluster;
    const { bucket, producer, seq } = block;
    const outcome = this.#take({ bucket, producer, seq, answer });
    if (outcome.kind === 'settled' && profile.queries > 0) ledger.acknowledged(block.payload);
    if (outcome.kind === 'abandoned') {
      ledger.gaveUp(outcome.reason, outcome.events);
      world.log(() => `${this.#node.name}: gives up ${outcome.events} events, ${outcome.reason}`);
    }
    if (outcome.kind === 'resend' && world.chance(0.5)) this.#resend(bucket);
    if (outcome.kind === 'settled' || outcome.kind === 'abandoned') this.#seal(bucket);
  }
}
