import type { Block } from '../../core/block.js';
import { bucketOf } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { TabName } from '../../core/ids.js';
import { PartMap } from '../../core/parts.js';
import { decodePart, readParts } from '../../wire/parts.js';
import {
  type BlockKey,
  emptyTally,
  findRecord,
  type KeyedBody,
  readRecord,
  type SpoolRecord,
  type Tally,
  tallied,
} from './record.js';

/** What a spool held when it was opened. */
export interface Replayed {
  /** Id of the agent's spool; undefined in a folder that is new. */
  readonly instance: string | undefined;
  /** 0: not known yet. */
  readonly bucketCount: number;
  /** Parts that no Block has consumed. */
  readonly parts: PartMap;
  /** Numbered Blocks that were not acknowledged, in the order of their numbers per producer and bucket. */
  readonly open: readonly Block[];
  /** The last flush taken, per SDK session. */
  readonly sessions: ReadonlyMap<string, number>;
  readonly gauges: ReadonlyMap<TabName, number>;
  /** Bodies under an Idempotency-Key that were taken, the oldest first. */
  readonly bodies: readonly KeyedBody[];
  /** One line per damage, naming what was lost. */
  readonly damage: readonly string[];
  /** Events that were in the spool and cannot be counted any more, by reason. */
  readonly lost: ReadonlyMap<string, number>;
  /** Bytes of whole records; what follows is the torn end of a last write. */
  readonly length: number;
  readonly tornBytes: number;
  readonly tally: Tally;
}

/** Un-numbered Parts are kept per bucket, because sealing consumes a bucket's; before N is known, all are under this key. */
const unknownBucket = -1;

/** Reads a whole spool file; see record.ts for what it means. @throws TabaError `store_mismatch` for a newer format */
export function replay(file: Uint8Array, registry: HandlerRegistry): Replayed {
  const state = new SpoolState(registry);
  let tally: Tally = emptyTally;
  let offset = 0;
  let first = true;
  while (offset < file.length) {
    const found = readRecord(file, offset);
    if (found === undefined) {
      const next = findRecord(file, offset + 1);
      if (next === undefined) break;
      const after = readRecord(file, next)!.tally;
      state.damaged(offset, next, first ? undefined : tally, after);
      tally = after;
      offset = next;
      continue;
    }
    // A file that compaction wrote begins with the tally of the one before it.
    if (first) tally = found.tally;
    first = false;
    state.apply(found.record);
    tally = tallied(tally, found.record);
    offset = found.end;
  }
  return state.result(offset, file.length - offset, tally);
}

class SpoolState {
  readonly #registry: HandlerRegistry;
  readonly #open = new Map<string, Block>();
  readonly #sessions = new Map<string, number>();
  readonly #gauges = new Map<TabName, number>();
  readonly #bodies: KeyedBody[] = [];
  readonly #damage: string[] = [];
  readonly #lost = new Map<string, number>();
  #parts = new Map<number, PartMap>();
  #instance: string | undefined;
  #bucketCount = 0;

  constructor(registry: HandlerRegistry) {
    this.#registry = registry;
  }

  apply(record: SpoolRecord): void {
    switch (record.kind) {
      case 'begin':
        this.#instance = record.instance;
        // Not known when it was written, or written behind damage: then a later record says it, or an earlier one said it.
        if (record.bucketCount > 0) this.#setBucketCount(record.bucketCount);
        return;
      case 'accepted':
        if (record.session !== '') this.#sessions.set(record.session, record.flush);
        this.#add(record.parts);
        return;
      case 'sealed':
        // A Block needs a bucket count; without one, damage took the record that had it.
        if (this.#bucketCount === 0) this.#loseUnsure();
        this.#parts.delete(record.block.bucket);
        if (record.rest.length > 0) this.#add(record.rest);
        this.#open.set(keyOf(record.block), record.block);
        return;
      case 'settled':
        this.#open.delete(keyOf(record));
        return;
      case 'requeued': {
        const block = this.#open.get(keyOf(record));
        this.#open.delete(keyOf(record));
        if (block !== undefined) this.#add(block.payload);
        return;
      }
      case 'buckets':
        this.#setBucketCount(record.bucketCount);
        return;
      case 'session':
        this.#sessions.set(record.session, record.flush);
        return;
      case 'open':
        this.#open.set(keyOf(record.block), record.block);
        return;
      case 'discarded':
        this.#parts.delete(record.bucket);
        return;
      case 'gauges':
        for (const [tab, value] of record.gauges) this.#gauges.set(tab, value);
        return;
      case 'keyed':
        this.#bodies.push(record.body);
        this.#add(record.parts);
        return;
      case 'keys':
        this.#bodies.push(...record.bodies);
        return;
    }
  }

  #setBucketCount(bucketCount: number): void {
    if (bucketCount === this.#bucketCount) return;
    const before = this.#parts;
    this.#parts = new Map();
    this.#bucketCount = bucketCount;
    for (const parts of before.values()) {
      for (const { tab, type, client, state, events } of parts.entries()) {
        this.#bucket(this.#bucketOf(tab)).reduce(tab, type, client, state, events);
      }
    }
  }

  #bucketOf(tab: Parameters<typeof bucketOf>[0]): number {
    return this.#bucketCount === 0 ? unknownBucket : bucketOf(tab, this.#bucketCount);
  }

  #bucket(bucket: number): PartMap {
    const found = this.#parts.get(bucket);
    if (found !== undefined) return found;
    const made = new PartMap(this.#registry);
    this.#parts.set(bucket, made);
    return made;
  }

  /** One Part that cannot be read (its handler is not loaded any more, say) must not keep the others from being sent. */
  #add(encoded: Uint8Array): void {
    for (const record of readParts(encoded)) {
      try {
        const state = decodePart(record, this.#registry);
        this.#bucket(this.#bucketOf(record.tab)).reduce(
          record.tab,
          record.type,
          record.client,
          state,
          record.events,
        );
      } catch (error) {
        if (!(error instanceof TabaError)) throw error;
        this.#lose(error.code, record.events);
      }
    }
  }

  #lose(reason: string, events: number): void {
    if (events > 0) this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + events);
  }

  /**
   * Bytes `from` to `to` are damaged; the tallies around them say what they held. Was a sealed record among it, then its
   * Block may have been counted already while its Parts still look un-numbered: of those, nobody can say any more
   * whether they were counted. They are dropped, by reason: counting them twice would be worse, and silent.
   */
  damaged(from: number, to: number, before: Tally | undefined, after: Tally): void {
    const known = before ?? after;
    const events = after.events - known.events;
    const seals = after.seals - known.seals;
    this.#lose('spool_damaged', events);
    const unsure = seals > 0 ? this.#loseUnsure() : 0;
    this.#damage.push(
      before === undefined
        ? `bytes ${from} to ${to}, from the beginning on, are damaged; what they held is not known`
        : `bytes ${from} to ${to} are damaged: ${after.records - known.records} records with ${events} accepted events and ` +
            `${seals} sealed Blocks are lost${unsure > 0 ? `, and ${unsure} events whose fate is unknown with them` : ''}`,
    );
  }

  /** Drops all un-numbered Parts, because a Block that nobody knows of may hold them. @returns their events */
  #loseUnsure(): number {
    let events = 0;
    for (const parts of this.#parts.values()) events += parts.events;
    this.#parts.clear();
    this.#lose('spool_damaged', events);
    return events;
  }

  result(length: number, tornBytes: number, tally: Tally): Replayed {
    const parts = new PartMap(this.#registry);
    for (const bucket of this.#parts.values()) {
      for (const { tab, type, client, state, events } of bucket.entries())
        parts.reduce(tab, type, client, state, events);
    }
    return {
      instance: this.#instance,
      bucketCount: this.#bucketCount,
      parts,
      open: [...this.#open.values()],
      sessions: this.#sessions,
      gauges: this.#gauges,
      bodies: this.#bodies,
      damage: this.#damage,
      lost: this.#lost,
      length,
      tornBytes,
      tally,
    };
  }
}

function keyOf(block: BlockKey): string {
  return `${block.producer} ${block.bucket} ${block.seq}`;
}
