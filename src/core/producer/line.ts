import type { Block } from '../block.js';
import type { ProducerId, Seq } from '../ids.js';
import type { PartMap } from '../parts.js';
import type { ProducerOptions } from './options.js';
import type { Waiter } from './waiter.js';

/** A numbered Block that waits for its acknowledgement. */
export interface OpenBlock {
  readonly block: Block;
  readonly waiters: readonly Waiter[];
  /** Highest number of this producer id that was acknowledged before the Block was first sent: see `Line.judgeExpected`. */
  readonly ackedBefore: number;
}

/** One producer id in one bucket. */
export interface Numbering {
  readonly producer: ProducerId;
  readonly birthMs: number;
  nextSeq: number;
  /** Highest number acknowledged. */
  acked: number;
  /** When it was last acknowledged, or made. */
  usedAtMs: number;
  /** What the last few acknowledged Blocks delivered: all that is known of what a store lost afterwards. */
  readonly recent: { seq: number; events: number }[];
}

const recentBlocks = 32;

export type Expectation = 'resend' | 'probe' | 'lost' | 'absurd';

/** What a producer keeps for one bucket: un-numbered Parts, and open Blocks in the order of their numbers. */
export class Line {
  parts: PartMap | undefined;
  waiters: Waiter[] = [];
  /** Blocks of one or more producer ids; those of one id are in the order of their numbers. */
  open: OpenBlock[] = [];
  current: Numbering | undefined;
  /** The process's own producer id has been used up here: the next id is a new one. */
  idSpent = false;
  /** Retired by the next Block, the first of a new id. */
  retires: ProducerId | undefined;
  /** Ids from a spool that still have open Blocks here. */
  readonly restored = new Map<ProducerId, Numbering>();

  numbering(producer: ProducerId): Numbering | undefined {
    return this.current?.producer === producer ? this.current : this.restored.get(producer);
  }

  /** The numbering under which the next Block goes out. */
  nextNumbering(options: ProducerOptions, nowMs: number): Numbering {
    const { id, birthMs, newId, storeAheadMs = 0, renewAfterMs = 24 * 3_600_000 } = options;
    const storeMs = nowMs + storeAheadMs;
    const { current } = this;
    if (current !== undefined) {
      const idle = nowMs - current.usedAtMs > renewAfterMs;
      if (!idle || this.open.some(({ block }) => block.producer === current.producer)) return current;
    }
    const begin = { nextSeq: 1, acked: 0, usedAtMs: nowMs, recent: [] };
    const first = current === undefined && !this.idSpent && storeMs - birthMs <= renewAfterMs;
    return first ? { producer: id, birthMs, ...begin } : { producer: newId(), birthMs: storeMs, ...begin };
  }

  find(producer: ProducerId, seq: Seq): OpenBlock | undefined {
    return this.open.find(({ block }) => block.producer === producer && block.seq === seq);
  }

  remove(found: OpenBlock): void {
    this.open.splice(this.open.indexOf(found), 1);
    this.#tidy(found.block.producer);
  }

  /** Takes all open Blocks of one producer id. */
  removeAll(producer: ProducerId): OpenBlock[] {
    const removed = this.open.filter(({ block }) => block.producer === producer);
    this.open = this.open.filter(({ block }) => block.producer !== producer);
    this.#tidy(producer);
    return removed;
  }

  #tidy(producer: ProducerId): void {
    if (!this.restored.has(producer)) return;
    if (!this.open.some(({ block }) => block.producer === producer)) this.restored.delete(producer);
  }

  acknowledged(numbering: Numbering, seq: Seq, events: number, nowMs: number): void {
    numbering.acked = Math.max(numbering.acked, seq);
    numbering.usedAtMs = nowMs;
    numbering.recent.push({ seq, events });
    if (numbering.recent.length > recentBlocks) numbering.recent.shift();
  }

  /**
   * The owner got `answered` and says that it waits for number `expected`.
   *
   * Normally that number is held, and all are sent again from the oldest on. A number that was acknowledged means that
   * the store lost it - unless the answer is older than the acknowledgement, having come another way. It cannot be older
   * when the Block that it answers was first sent after that acknowledgement. Where no such Block is open, an empty one
   * is sent to find out: the probe.
   */
  judgeExpected(numbering: Numbering, answered: OpenBlock, expected: Seq): Expectation {
    if (expected >= numbering.nextSeq || expected < 1) return 'absurd';
    if (this.find(numbering.producer, expected) !== undefined) return 'resend';
    if (expected > numbering.acked) return 'absurd';
    if (answered.ackedBefore >= expected) return 'lost';
    const proofUnderWay = this.open.some(
      ({ block, ackedBefore }) => block.producer === numbering.producer && ackedBefore >= expected,
    );
    return proofUnderWay ? 'resend' : 'probe';
  }

  /** What the store lost of what it had acknowledged from number `from` on, as far as it is known. */
  forgetDelivered(numbering: Numbering, from: Seq): number {
    let lost = 0;
    for (const { seq, events } of numbering.recent) if (seq >= from) lost += events;
    numbering.recent.length = 0;
    return lost;
  }
}
