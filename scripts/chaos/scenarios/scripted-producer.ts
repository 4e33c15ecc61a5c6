import type { Block } from '../../../src/core/block.js';
import { bucketOf } from '../../../src/core/buckets.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { BucketIndex, ClientId, ProducerId, Seq, TabName, TabType } from '../../../src/core/ids.js';
import { PartMap } from '../../../src/core/parts.js';
import { encodeParts } from '../../../src/wire/parts.js';
import { type ClientReport, type Ledger, type Tally, tabName, tabType } from '../load.js';
import { SeededRandom } from '../random.js';

export interface ScriptedProducerOptions {
  readonly client: string;
  readonly buckets: number;
  readonly seed: number;
  /** Tabs to choose from: `tabName(0)` and so on. */
  readonly tabs?: number;
  /** Default: now. */
  readonly birthMs?: number;
}

const registry = builtinHandlers();

/** Makes numbered Blocks as an agent does, and knows what is in them. */
export class ScriptedProducer {
  readonly client: string;
  readonly id: ProducerId;
  readonly birthMs: number;
  readonly #ledger: Ledger = new Map();
  readonly #random: SeededRandom;
  readonly #lastSeq = new Map<number, number>();
  readonly #tabsOf = new Map<number, number[]>();

  constructor({ client, buckets, seed, tabs = 64, birthMs = Date.now() }: ScriptedProducerOptions) {
    this.client = client;
    this.birthMs = birthMs;
    this.#random = new SeededRandom(seed);
    this.id = Array.from({ length: 32 }, () => this.#random.integer(0, 15).toString(16)).join(
      '',
    ) as ProducerId;
    for (let index = 0; index < tabs; index++) {
      const bucket = bucketOf(tabName(index) as TabName, buckets);
      const list = this.#tabsOf.get(bucket);
      if (list === undefined) this.#tabsOf.set(bucket, [index]);
      else list.push(index);
    }
  }

  /** Buckets that have tabs. */
  get buckets(): number[] {
    return [...this.#tabsOf.keys()].sort((a, b) => a - b);
  }

  /** What all Blocks made so far hold. */
  get report(): ClientReport {
    return { client: this.client, ledger: [...this.#ledger] };
  }

  get events(): number {
    let events = 0;
    for (const { count } of this.#ledger.values()) events += count;
    return events;
  }

  /** What it has put into one tab so far. */
  tally(tab: string): Tally {
    return this.#ledger.get(tab) ?? { count: 0, total: 0 };
  }

  tabsOf(bucket: number): string[] {
    return (this.#tabsOf.get(bucket) ?? []).map(tabName);
  }

  /** The bucket's next Block: `events` events of its tabs. */
  next(bucket: number, events = 10): Block {
    const tabs = this.#tabsOf.get(bucket);
    if (tabs === undefined) throw new Error(`no tab belongs to bucket ${bucket}`);
    const parts = new PartMap(registry);
    const nowMs = Date.now();
    for (let left = events; left > 0; left--) this.#record(this.#random.pick(tabs), parts, nowMs / 1000);
    const seq = (this.#lastSeq.get(bucket) ?? 0) + 1;
    this.#lastSeq.set(bucket, seq);
    return {
      bucket: bucket as BucketIndex,
      producer: this.id,
      birthMs: this.birthMs,
      seq: seq as Seq,
      sealedAtMs: nowMs,
      events,
      payload: encodeParts(parts, registry),
    };
  }

  /** The next Block of every bucket. */
  round(events?: number): Block[] {
    return this.buckets.map((bucket) => this.next(bucket, events));
  }

  #record(index: number, parts: PartMap, timestampSec: number): void {
    const name = tabName(index);
    const type = tabType(index) as string as TabType;
    const value = this.#random.integer(-5, 1000);
    const handler = registry.get(type)!;
    const meta = { timestampSec, sequence: parts.events };
    parts.fold(name as TabName, type, this.client as ClientId, handler.parse(value), meta);
    const { count, total } = this.tally(name);
    this.#ledger.set(name, { count: count + 1, total: total + value });
  }
}
