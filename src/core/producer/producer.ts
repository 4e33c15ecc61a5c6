import type { AddressedAnswer, Block, BlockRejection } from '../block.js';
import { bucketOf } from '../buckets.js';
import type { BucketIndex, ClientId, Seq, TabName, TabType } from '../ids.js';
import { PartMap } from '../parts.js';
import { type DropReason, type ProducerAccount, ProducerBooks } from './books.js';
import { encodeWithin } from './encode-within.js';
import { Line, type Numbering, type OpenBlock } from './line.js';
import { defaultBlockBytes, type Outcome, type ProducerOptions, type Restored } from './options.js';
import { type SettledParts, Waiter } from './waiter.js';

/**
 * The sending half of exactly once (rules R7, R10, R11, R12): a pure state machine. It merges Parts that have no number,
 * seals them into numbered Blocks whose bytes never change again, keeps each until its owner acknowledged it, and
 * knows at any moment where every event is.
 *
 * The caller owns time, connections and retries: it sends what `seal` returns, hands every answer to `take`, and sends
 * `open(bucket)` again, from the oldest on, whenever the route to the bucket changes or an answer stays out.
 */
export class Producer {
  readonly #options: ProducerOptions;
  readonly #lines = new Map<BucketIndex, Line>();
  readonly #books = new ProducerBooks();
  readonly #filled = new Set<BucketIndex>();
  /** Buckets that hold un-numbered Parts, in the order in which they were filled. */
  readonly filledBuckets: ReadonlySet<BucketIndex> = this.#filled;
  #unnumberedEvents = 0;
  #openEvents = 0;
  #openBlocks = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  get bufferedEvents(): number {
    return this.#unnumberedEvents + this.#openEvents;
  }

  get openBlocks(): number {
    return this.#openBlocks;
  }

  /** (tab, client) pairs that hold un-numbered Parts: what bounds the memory. */
  get pairs(): number {
    let pairs = 0;
    for (const bucket of this.#filled) pairs += this.#lines.get(bucket)?.parts?.pairs ?? 0;
    return pairs;
  }

  /** The type of the un-numbered Parts of `tab`. */
  typeOf(tab: TabName): TabType | undefined {
    return this.#lines.get(bucketOf(tab, this.#options.bucketCount))?.parts?.typeOf(tab);
  }

  /** Whether there are un-numbered Parts of (tab, client): more of them need no more room. */
  holds(tab: TabName, client: ClientId): boolean {
    return this.#lines.get(bucketOf(tab, this.#options.bucketCount))?.parts?.has(tab, client) ?? false;
  }

  books(): ProducerAccount {
    const books = this.#books;
    const where = books.delivered + books.rejectedEvents + books.droppedEvents + this.bufferedEvents;
    return {
      received: books.received,
      unnumbered: this.#unnumberedEvents,
      open: this.#openEvents,
      delivered: books.delivered,
      rejected: Object.fromEntries(books.rejected),
      dropped: Object.fromEntries(books.dropped),
      balance: books.received - where,
    };
  }

  /**
   * Takes Parts over, merging them with those of the same bucket that have no number yet; `parts` is empty afterwards. A Part whose type is another than
   * that of what waits for the same tab is not taken, and counted as rejected.
   *
   * @param settled called once, when every bucket acknowledged or gave up what it took of `parts`; at once for no Parts
   * @returns the Parts that were not taken
   */
  add(parts: PartMap, settled?: (outcome: SettledParts) => void): readonly BlockRejection[] {
    this.#books.received += parts.events;
    const { taken, rejections } = this.#spread(parts);
    for (const rejection of rejections) this.#books.reject(rejection.code, rejection.events);
    if (settled !== undefined) {
      const waiter = new Waiter(taken.size + 1, settled);
      for (const bucket of taken) this.#line(bucket).waiters.push(waiter);
      waiter.settle(rejections);
    }
    return rejections;
  }

  /** Takes what a spool held, before anything else: Blocks keep their producer ids, numbers and bytes. */
  restore({ blocks, parts }: Restored): void {
    for (const block of blocks) {
      const line = this.#line(block.bucket);
      const known = line.restored.get(block.producer);
      // What lies between two Blocks of the spool was settled before: its acknowledgement is older than any answer to come.
      const gap = known === undefined || block.seq > known.nextSeq;
      const acked = gap ? block.seq - 1 : known.acked;
      if (known === undefined) {
        const { producer, birthMs, seq, sealedAtMs } = block;
        const nextSeq = seq + 1;
        line.restored.set(producer, { producer, birthMs, nextSeq, acked, usedAtMs: sealedAtMs, recent: [] });
      } else {
        known.nextSeq = Math.max(known.nextSeq, block.seq + 1);
        known.acked = acked;
      }
      line.open.push({ block, waiters: [], ackedBefore: acked });
      this.#books.received += block.events;
      this.#openEvents += block.events;
      this.#openBlocks++;
    }
    if (parts !== undefined) this.add(parts);
  }

  /** Buckets for which `seal` would return a Block. */
  *readyBuckets(): Iterable<BucketIndex> {
    for (const bucket of this.#filled) {
      const line = this.#lines.get(bucket);
      if (line !== undefined && this.hasRoom(line)) yield bucket;
    }
  }

  /** Buckets with open Blocks: what must be sent again when nothing is known about the way there. */
  *openBuckets(): Iterable<BucketIndex> {
    for (const [bucket, line] of this.#lines) if (line.open.length > 0) yield bucket;
  }

  /** Un-numbered Parts, a PartMap per bucket: what a compacted spool keeps beside open Blocks. Not to be changed. */
  *unnumbered(): Iterable<PartMap> {
    for (const bucket of this.#filled) {
      const parts = this.#lines.get(bucket)?.parts;
      if (parts !== undefined) yield parts;
    }
  }

  /** Unacknowledged Blocks of the bucket, in the order in which they must be sent. */
  open(bucket: BucketIndex): readonly Block[] {
    return this.#lines.get(bucket)?.open.map(({ block }) => block) ?? [];
  }

  /**
   * Numbers and freezes the un-numbered Parts of the bucket (R7), and records that, before the caller may send the Block.
   *
   * @returns undefined when there is nothing to send, or too many Blocks are open
   * @throws what `record.sealed` throws; nothing has changed then
   */
  seal(bucket: BucketIndex, nowMs: number): Block | undefined {
    const line = this.#lines.get(bucket);
    if (line?.parts === undefined || !this.hasRoom(line)) return undefined;
    const { parts } = line;
    const { registry, encode, maxBlockBytes = defaultBlockBytes } = this.#options;
    const { payload, events, left } = encodeWithin(parts, registry, encode, maxBlockBytes);
    const block = this.#number(bucket, line, nowMs, { payload, events }, left);
    line.parts = left;
    if (left === undefined) this.#filled.delete(bucket);
    else for (const waiter of line.waiters) waiter.split();
    const { waiters } = line;
    line.waiters = left === undefined ? [] : [...waiters];
    this.#unnumberedEvents -= block.events;
    this.opened(line, block, waiters);
    return block;
  }

  /** Takes an answer (R10, R11, R13). Answers may be late, repeated and out of order. */
  take({ bucket, producer, seq, answer }: AddressedAnswer, nowMs: number): Outcome {
    const line = this.#lines.get(bucket);
    const numbering = line?.numbering(producer);
    const found = line?.find(producer, seq);
    if (line === undefined || numbering === undefined || found === undefined) return { kind: 'stale' };
    switch (answer.kind) {
      case 'acknowledged':
        this.acknowledge(line, numbering, found, answer.rejected, nowMs);
        return { kind: 'settled' };
      case 'expects':
        return this.#expected(bucket, line, numbering, found, answer.seq, nowMs);
      case 'not_owner':
        return { kind: 'reroute' };
      case 'busy':
        return { kind: 'wait', retryAfterMs: answer.retryAfterMs };
      case 'unknown_producer':
        return this.unknown(bucket, line, numbering);
      case 'closed':
        return this.#closed(bucket, line, numbering, answer.seq, nowMs);
    }
  }

  /** Gives up numbered Blocks that were sealed before `beforeMs` (R11), with all of the same id behind them. */
  expire(beforeMs: number): number {
    let events = 0;
    for (const [bucket, line] of this.#lines) {
      const old = new Set(
        line.open.filter(({ block }) => block.sealedAtMs < beforeMs).map((o) => o.block.producer),
      );
      for (const producer of old) {
        const numbering = line.numbering(producer);
        if (numbering !== undefined) events += this.#abandon(bucket, line, numbering, 'too_old');
      }
    }
    return events;
  }

  /** Gives up everything that is held, or what is held for `buckets`, and counts it. @returns how many events */
  discard(reason: DropReason, buckets: Iterable<BucketIndex> = [...this.#lines.keys()]): number {
    let events = 0;
    for (const bucket of buckets) {
      const line = this.#lines.get(bucket);
      if (line === undefined) continue;
      for (const numbering of [...line.restored.values(), line.current]) {
        if (numbering === undefined) continue;
        if (!line.open.some(({ block }) => block.producer === numbering.producer)) continue;
        events += this.#abandon(bucket, line, numbering, reason);
      }
      const { parts, waiters } = line;
      if (parts === undefined) continue;
      this.#options.record?.discarded(bucket);
      line.parts = undefined;
      line.waiters = [];
      this.#filled.delete(bucket);
      this.#unnumberedEvents -= parts.events;
      this.#books.drop(reason, parts.events);
      events += parts.events;
      for (const waiter of waiters) waiter.settle([], reason);
    }
    return events;
  }

  /** Whether another Block of the bucket may be numbered (R7). */
  protected hasRoom(line: Line): boolean {
    return line.open.length < this.#options.limits.maxOpenBlocksPerBucket;
  }

  /** A Block was numbered: it is held until it is settled. */
  protected opened(line: Line, block: Block, waiters: readonly Waiter[]): void {
    const ackedBefore = line.numbering(block.producer)?.acked ?? 0;
    line.open.push({ block, waiters, ackedBefore });
    this.#openEvents += block.events;
    this.#openBlocks++;
  }

  protected acknowledge(
    line: Line,
    numbering: Numbering,
    found: OpenBlock,
    rejected: readonly BlockRejection[],
    nowMs: number,
  ): void {
    const { block, waiters } = found;
    this.#options.record?.settled(block.bucket, block.producer, block.seq);
    line.remove(found);
    let rejectedEvents = 0;
    for (const { code, events } of rejected) {
      this.#books.reject(code, events);
      rejectedEvents += events;
    }
    line.acknowledged(numbering, block.seq, block.events - rejectedEvents, nowMs);
    this.#books.delivered += block.events - rejectedEvents;
    this.#closeBlock(block);
    for (const waiter of waiters) waiter.settle(rejected);
  }

  #expected(
    bucket: BucketIndex,
    line: Line,
    numbering: Numbering,
    found: OpenBlock,
    seq: Seq,
    nowMs: number,
  ): Outcome {
    switch (line.judgeExpected(numbering, found, seq)) {
      case 'absurd':
        return { kind: 'stale' };
      case 'resend':
        return { kind: 'resend' };
      case 'probe': {
        const payload = this.#options.encode(new PartMap(this.#options.registry));
        const probe = this.#number(bucket, line, nowMs, { payload, events: 0 }, line.parts, numbering);
        this.opened(line, probe, []);
        return { kind: 'resend' };
      }
      case 'lost': {
        const delivered = line.forgetDelivered(numbering, seq);
        this.#books.delivered -= delivered;
        this.#books.drop('store_lost', delivered);
        const events = delivered + this.#abandon(bucket, line, numbering, 'store_lost');
        line.retires = numbering.producer;
        return { kind: 'abandoned', reason: 'store_lost', events };
      }
    }
  }

  protected unknown(bucket: BucketIndex, line: Line, numbering: Numbering): Outcome {
    const events = this.#abandon(bucket, line, numbering, 'fate_unknown');
    return { kind: 'abandoned', reason: 'fate_unknown', events };
  }

  /** The old place counted up to `seq`, and will never count what comes after: that is un-numbered again (R13). */
  #closed(bucket: BucketIndex, line: Line, numbering: Numbering, seq: Seq, nowMs: number): Outcome {
    const { decode } = this.#options;
    for (const found of line.open.filter(({ block }) => block.producer === numbering.producer)) {
      if (found.block.seq <= seq) this.acknowledge(line, numbering, found, [], nowMs);
      else if (decode !== undefined) this.#requeue(line, found, decode(found.block.payload));
    }
    this.#abandon(bucket, line, numbering, 'fate_unknown');
    return { kind: 'resend' };
  }

  #requeue(line: Line, found: OpenBlock, parts: PartMap): void {
    this.#options.record?.requeued(found.block);
    line.remove(found);
    this.#closeBlock(found.block);
    const { taken, rejections } = this.#spread(parts);
    for (const { code, events } of rejections) this.#books.reject(code, events);
    for (const waiter of found.waiters) {
      for (const bucket of taken) {
        waiter.split();
        this.#line(bucket).waiters.push(waiter);
      }
      waiter.settle(rejections);
    }
  }

  /** Counts all open Blocks of one id as dropped; a current id is at its end, and the next Block begins another. */
  #abandon(bucket: BucketIndex, line: Line, numbering: Numbering, reason: DropReason): number {
    const given = line.removeAll(numbering.producer);
    let events = 0;
    for (const { block, waiters } of given) {
      this.#options.record?.settled(bucket, block.producer, block.seq);
      this.#closeBlock(block);
      this.#books.drop(reason, block.events);
      events += block.events;
      line.retires ??= block.retires;
      for (const waiter of waiters) waiter.settle([], reason);
    }
    if (line.current === numbering) line.current = undefined;
    line.idSpent = true;
    return events;
  }

  #closeBlock(block: Block): void {
    this.#openEvents -= block.events;
    this.#openBlocks--;
  }

  #line(bucket: BucketIndex): Line {
    let line = this.#lines.get(bucket);
    if (line === undefined) {
      line = new Line();
      this.#lines.set(bucket, line);
    }
    return line;
  }

  /** Moves Parts to those that have no number, bucket by bucket. */
  #spread(parts: PartMap): { taken: Set<BucketIndex>; rejections: BlockRejection[] } {
    const { bucketCount, registry } = this.#options;
    const taken = new Set<BucketIndex>();
    const rejections: BlockRejection[] = [];
    this.#unnumberedEvents += parts.events;
    parts.giveAway(({ name, handler, clients }) => {
      const bucket = bucketOf(name, bucketCount);
      const line = this.#line(bucket);
      line.parts ??= new PartMap(registry);
      const waiting = line.parts.typeOf(name);
      if (waiting !== undefined && waiting !== handler.type) {
        const message = `${name} waits to be sent as ${waiting}, not as ${handler.type}`;
        for (const [client, { events }] of clients) {
          rejections.push({ tab: name, client, events, code: 'type_conflict', message });
          this.#unnumberedEvents -= events;
        }
        return undefined;
      }
      this.#filled.add(bucket);
      taken.add(bucket);
      return line.parts;
    });
    return { taken, rejections };
  }

  #number(
    bucket: BucketIndex,
    line: Line,
    sealedAtMs: number,
    content: Pick<Block, 'payload' | 'events'>,
    left: PartMap | undefined,
    numbering: Numbering = line.nextNumbering(this.#options, sealedAtMs),
  ): Block {
    const { producer, birthMs, nextSeq } = numbering;
    const plain = { bucket, producer, birthMs, seq: nextSeq as Seq, sealedAtMs, ...content };
    const begins = line.retires !== undefined && nextSeq === 1;
    const block: Block = begins ? { ...plain, retires: line.retires! } : plain;
    this.#options.record?.sealed(block, left);
    if (begins) line.retires = undefined;
    numbering.nextSeq++;
    if (numbering !== line.current && !line.restored.has(producer)) line.current = numbering;
    return block;
  }
}

export type { Outcome, ProducerOptions, Restored } from './options.js';
