import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Block } from '../../../../src/core/block.js';
import type { BucketIndex, ProducerId, Seq } from '../../../../src/core/ids.js';
import type { PartMap } from '../../../../src/core/parts.js';
import { ScenarioFailure } from '../scenario.js';
import { type Outcome, ServerLink } from '../server-link.js';
import { emptyParts, encoded } from './parts-of.js';

/** Connections of one producer, made when they are needed. */
export class Connections {
  readonly #id: string;
  readonly #buckets: number;
  readonly #urls: readonly string[];
  readonly #links = new Map<string, Promise<ServerLink>>();
  #next = 0;

  constructor(urls: readonly string[], buckets: number) {
    this.#urls = urls;
    this.#buckets = buckets;
    this.#id = randomBytes(16).toString('hex');
  }

  /** Where to begin: producers spread their buckets over the servers. */
  turn(): number {
    return this.#next++;
  }

  /** Sends a Block once, to the server whose turn it is. Never rejects. */
  async push(block: Block, turn: number): Promise<Outcome> {
    const url = this.#urls[turn % this.#urls.length]!;
    try {
      let link = await this.#links.get(url)?.catch(() => undefined);
      if (link === undefined || link.closed) {
        const connecting = ServerLink.connect(url, this.#id, this.#buckets);
        this.#links.set(url, connecting);
        link = await connecting;
      }
      return await link.push(block);
    } catch {
      return { kind: 'lost' };
    }
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) {
      await link.then(
        (open) => open.close(),
        () => {},
      );
    }
  }
}

export interface BlockLineOptions {
  readonly bucket: number;
  readonly connections: Connections;
  /** A Block was acknowledged, so long after it was first sent; or the store has lost what it was numbered after. */
  acknowledged(bucket: number, waitedMs: number): void;
  failed(error: Error): void;
  /**
   * Whether the store may lose what it has acknowledged, as it does with `--redis-wait 0`: the producer then goes on under
   * another id.
   */
  readonly mayLose: boolean;
}

const afterLostMs = 50;

/**
 * One bucket of a producer: one Block is under way, until it is acknowledged; what is recorded meanwhile merges and goes
 * into the next one, as in an agent.
 */
export class BlockLine {
  readonly #options: BlockLineOptions;
  #parts: PartMap = emptyParts();
  #producer = newProducer();
  #birthMs = Date.now();
  #seq = 0;
  #turn: number;
  #sending = false;

  constructor(options: BlockLineOptions) {
    this.#options = options;
    this.#turn = options.connections.turn();
  }

  /** Whether everything was acknowledged. */
  get isEmpty(): boolean {
    return !this.#sending && this.#parts.events === 0;
  }

  /** Records what `add` puts into the Parts, and sees to it that it is sent. */
  record(add: (parts: PartMap) => void): void {
    add(this.#parts);
    if (this.#sending) return;
    this.#sending = true;
    this.#sendAll().catch((error: Error) => this.#options.failed(error));
  }

  async #sendAll(): Promise<void> {
    while (this.#parts.events > 0) {
      const parts = this.#parts;
      this.#parts = emptyParts();
      const beganMs = performance.now();
      await this.#untilAcknowledged(parts);
      this.#options.acknowledged(this.#options.bucket, performance.now() - beganMs);
    }
    this.#sending = false;
  }

  async #untilAcknowledged(parts: PartMap): Promise<void> {
    const { bucket, connections, mayLose } = this.#options;
    let block = this.#sealed(parts);
    for (;;) {
      const outcome = await connections.push(block, this.#turn);
      switch (outcome.kind) {
        case 'acknowledged':
          if (outcome.rejected.length > 0) throw new ScenarioFailure(JSON.stringify(outcome.rejected));
          return;
        case 'busy':
          await pause(outcome.retryAfterMs);
          break;
        case 'lost':
          this.#turn++;
          await pause(afterLostMs);
          break;
        default:
          if (!mayLose || (outcome.kind !== 'expects' && outcome.kind !== 'unknown_producer')) {
            throw new ScenarioFailure(
              `bucket ${bucket} answers ${JSON.stringify(outcome)} to Block ${block.seq}`,
            );
          }
          this.#producer = newProducer();
          this.#birthMs = Date.now();
          this.#seq = 0;
          block = this.#sealed(parts);
      }
    }
  }

  #sealed(parts: PartMap): Block {
    return {
      bucket: this.#options.bucket as BucketIndex,
      producer: this.#producer,
      birthMs: this.#birthMs,
      seq: ++this.#seq as Seq,
      sealedAtMs: Date.now(),
      events: parts.events,
      payload: encoded(parts),
    };
  }
}

function newProducer(): ProducerId {
  return randomBytes(16).toString('hex') as ProducerId;
}
