import type { Block } from '../../src/core/block.js';
import { bucketOf } from '../../src/core/buckets.js';
import type { BucketIndex, ProducerId, Seq } from '../../src/core/ids.js';
import { PartMap } from '../../src/core/parts.js';
import type { Producer } from '../../src/core/producer/producer.js';
import type { ProducerRecord } from '../../src/core/producer/record.js';
import type { FlushSession } from '../../src/core/producer/sessions.js';
import { bucketCount, decodeParts, encode, registry } from './payload.js';
import type { Rule } from './rules.js';

/** The process died here. */
export class SimCrash extends Error {}

type SpoolRecord =
  | { readonly kind: 'flush'; readonly payload: Uint8Array; readonly session: FlushSession | undefined }
  | { readonly kind: 'session'; readonly session: FlushSession }
  | { readonly kind: 'open'; readonly block: Block }
  | { readonly kind: 'sealed'; readonly block: Block; readonly left: PartMap | undefined }
  | { readonly kind: 'discarded'; readonly bucket: BucketIndex }
  | {
      readonly kind: 'settled';
      readonly bucket: BucketIndex;
      readonly producer: ProducerId;
      readonly seq: Seq;
    };

/** What a spool is to a producer: records that survive the process, each whole or not at all (R8). */
export class SpoolModel implements ProducerRecord {
  #records: SpoolRecord[] = [];
  readonly #without: ReadonlySet<Rule>;
  /** Asked before and after each write: whether the process dies there. */
  dies: () => boolean = () => false;

  constructor(without: ReadonlySet<Rule>) {
    this.#without = without;
  }

  #write(record: SpoolRecord): void {
    if (this.dies()) throw new SimCrash();
    this.#records.push(record);
    if (this.dies()) throw new SimCrash();
  }

  /** One record: Parts, session and number (R8). */
  flush(payload: Uint8Array, session: FlushSession): void {
    this.#write({ kind: 'flush', payload, session: this.#without.has('R8') ? undefined : session });
  }

  sealed(block: Block, left: PartMap | undefined): void {
    if (this.#without.has('R7')) return;
    this.#write({ kind: 'sealed', block, left: left === undefined ? undefined : copyOf(left) });
  }

  settled(bucket: BucketIndex, producer: ProducerId, seq: Seq): void {
    this.#write({ kind: 'settled', bucket, producer, seq });
  }

  requeued(): void {
    throw new Error('buckets do not move in the simulation');
  }

  discarded(bucket: BucketIndex): void {
    this.#write({ kind: 'discarded', bucket });
  }

  /** A new file with what the memory holds takes the place of the old one, by a rename: before it the old one counts. */
  compact(producer: Producer, sessions: Iterable<FlushSession>): void {
    const live: SpoolRecord[] = [];
    if (!this.#without.has('R8')) for (const session of sessions) live.push({ kind: 'session', session });
    for (const bucket of producer.openBuckets()) {
      for (const block of producer.open(bucket)) live.push({ kind: 'open', block });
    }
    for (const parts of producer.unnumbered()) {
      live.push({ kind: 'flush', payload: encode(parts), session: undefined });
    }
    if (this.dies()) throw new SimCrash();
    this.#records = live;
    if (this.dies()) throw new SimCrash();
  }

  /** Somebody removed the folder: the next process is a new instance. */
  remove(): void {
    this.#records = [];
  }

  /** What a new process finds. */
  read(): { blocks: Block[]; parts: PartMap; sessions: FlushSession[] } {
    const waiting = new Map<BucketIndex, PartMap>();
    const sessions = new Map<string, FlushSession>();
    let blocks: Block[] = [];
    for (const record of this.#records) {
      if (record.kind === 'flush') {
        if (record.session !== undefined) sessions.set(record.session.session, record.session);
        for (const { tab, type, client, state, events } of decodeParts(record.payload).entries()) {
          const bucket = bucketOf(tab, bucketCount);
          const parts = waiting.get(bucket) ?? new PartMap(registry);
          parts.reduce(tab, type, client, state, events);
          waiting.set(bucket, parts);
        }
      } else if (record.kind === 'session') {
        sessions.set(record.session.session, record.session);
      } else if (record.kind === 'open') {
        blocks.push(record.block);
      } else if (record.kind === 'sealed') {
        blocks.push(record.block);
        if (record.left === undefined) waiting.delete(record.block.bucket);
        else waiting.set(record.block.bucket, copyOf(record.left));
      } else if (record.kind === 'discarded') {
        waiting.delete(record.bucket);
      } else {
        const { bucket, producer, seq } = record;
        blocks = blocks.filter((b) => b.bucket !== bucket || b.producer !== producer || b.seq !== seq);
      }
    }
    const parts = new PartMap(registry);
    for (const some of waiting.values()) parts.reduceAll(some);
    return { blocks, parts, sessions: [...sessions.values()] };
  }
}

function copyOf(parts: PartMap): PartMap {
  const copy = new PartMap(registry);
  copy.reduceAll(parts);
  return copy;
}
