import { setTimeout as pause } from 'node:timers/promises';
import type { Block } from '../../../src/core/block.js';
import { ScriptedProducer, type ScriptedProducerOptions } from './scripted-producer.js';
import { deliver, type Outcome, ServerLink } from './server-link.js';
import type { Stage } from './stage.js';

/** A scripted producer with its ways to the servers. */
export class ScriptedLoad {
  readonly producer: ScriptedProducer;
  readonly #stage: Stage;
  readonly #buckets: number;

  constructor(stage: Stage, options: Omit<ScriptedProducerOptions, 'seed'>) {
    this.#stage = stage;
    this.#buckets = options.buckets;
    this.producer = new ScriptedProducer({ ...options, seed: stage.seed });
  }

  /** Brings Blocks to the servers as an agent does, until each is acknowledged: the next one of every bucket unless given. */
  deliver(
    urls: readonly string[],
    blocks: readonly Block[] = this.producer.round(),
    deadlineMs?: number,
  ): Promise<void> {
    return deliver(blocks, urls, {
      id: this.producer.id,
      buckets: this.#buckets,
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
  }

  /** Sends Blocks once. @returns what is said to each, as far as anything is said within `ms` */
  async push(url: string, blocks: readonly Block[], ms: number): Promise<Outcome[]> {
    const link = await ServerLink.connect(url, this.producer.id, this.#buckets);
    const outcomes: Outcome[] = [];
    for (const block of blocks) void link.push(block).then((outcome) => outcomes.push(outcome));
    await pause(ms);
    const heard = [...outcomes];
    link.close();
    return heard;
  }

  /** Sends Blocks once, and checks that nobody acknowledges any of them within `ms`. */
  async checkUnacknowledged(url: string, blocks: readonly Block[], ms: number, when: string): Promise<void> {
    const outcomes = await this.push(url, blocks, ms);
    this.#stage.check(
      outcomes.every(({ kind }) => kind !== 'acknowledged'),
      `no acknowledgement ${when}, for ${ms / 1000} s`,
      outcomes,
    );
  }
}
