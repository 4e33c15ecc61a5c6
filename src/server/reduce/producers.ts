import type { Answer, Block, BlockRejection } from '../../core/block.js';
import type { ProducerId, Seq } from '../../core/ids.js';
import { type ProducerRow, retiredSeq } from '../../storage/store.js';

/** One producer as the owner of a bucket knows it. Each bucket has one for each: there are no Maps in most. */
export interface KnownProducer {
  readonly producer: ProducerId;
  readonly birthMs: number;
  /** Last number in the journal, durably. */
  lastSeq: Seq;
  /** Last number handed to the store. */
  issuedSeq: Seq;
  lastAtMs: number;
  /** What becomes of the numbers handed to the store that are not durable yet: those after `lastSeq`, in their order; undefined for none. */
  pending: Promise<Answer>[] | undefined;
  /** The append that retires it, as long as that is not durable. */
  retiring: Promise<Answer> | undefined;
  /** What was rejected of the last few Blocks, to be said again with a repeated acknowledgement; undefined for nothing. */
  rejections: Map<Seq, readonly BlockRejection[]> | undefined;
}

export type Verdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** Nothing may be said before that is durable (R2). */
  | { readonly kind: 'after'; readonly pending: Promise<Answer> };

const keptRejections = 16;

/** The last numbers of a bucket's producers: what makes repeats harmless (R2, R10, R11). */
export class Producers {
  readonly #known = new Map<ProducerId, KnownProducer>();
  #horizonMs: number;

  constructor(rows: readonly ProducerRow[], forgetHorizonMs: number) {
    this.#horizonMs = forgetHorizonMs;
    for (const { producer, birthMs, lastSeq, lastAtMs } of rows) {
      this.#add({ producer, birthMs, lastSeq, lastAtMs });
    }
  }

  get size(): number {
    return this.#known.size;
  }

  #add({ producer, birthMs, lastSeq, lastAtMs }: ProducerRow): KnownProducer {
    const known: KnownProducer = {
      producer,
      birthMs,
      lastSeq,
      issuedSeq: lastSeq,
      lastAtMs,
      pending: undefined,
      retiring: undefined,
      rejections: undefined,
    };
    this.#known.set(producer, known);
    return known;
  }

  judge({ producer, birthMs, seq }: Block): Verdict {
    const known = this.#known.get(producer);
    if (known === undefined) {
      // Forgotten, or never seen: the horizon tells, because forgetting raises it above every birth forgotten.
      if (birthMs <= this.#horizonMs) return answer({ kind: 'unknown_producer' });
      return seq === 1 ? { kind: 'append' } : answer({ kind: 'expects', seq: 1 as Seq });
    }
    if (known.lastSeq === retiredSeq) return answer({ kind: 'unknown_producer' });
    if (known.retiring !== undefined) return { kind: 'after', pending: known.retiring };
    if (seq <= known.lastSeq) {
      return answer({ kind: 'acknowledged', repeat: true, rejected: known.rejections?.get(seq) ?? [] });
    }
    if (seq <= known.issuedSeq) return { kind: 'after', pending: known.pending![seq - known.lastSeq - 1]! };
    if (seq === known.issuedSeq + 1) return { kind: 'append' };
    const last = known.pending?.at(-1);
    if (last !== undefined) return { kind: 'after', pending: last };
    return answer({ kind: 'expects', seq: (known.lastSeq + 1) as Seq });
  }

  issued({ producer, birthMs, seq, retires }: Block, atMs: number, pending: Promise<Answer>): void {
    const fresh = (of: ProducerId) => this.#add({ producer: of, birthMs, lastSeq: 0 as Seq, lastAtMs: atMs });
    const known = this.#known.get(producer) ?? fresh(producer);
    known.issuedSeq = seq;
    if (known.pending === undefined) known.pending = [pending];
    else known.pending.push(pending);
    if (retires === undefined) return;
    // One that the store has lost is named as well: a late copy of its first Block must not begin it anew meanwhile.
    const retired = this.#known.get(retires) ?? fresh(retires);
    retired.retiring = pending;
  }

  durable({ producer, seq, retires }: Block, atMs: number, rejected: readonly BlockRejection[]): void {
    const known = this.#known.get(producer);
    if (known === undefined) return;
    known.lastSeq = seq;
    known.lastAtMs = atMs;
    known.pending?.shift();
    if (known.pending?.length === 0) known.pending = undefined;
    if (rejected.length > 0) {
      known.rejections ??= new Map();
      known.rejections.set(seq, rejected);
    }
    known.rejections?.delete((seq - keptRejections) as Seq);
    if (known.rejections?.size === 0) known.rejections = undefined;
    if (retires !== undefined) this.#retire(retires, known.birthMs, atMs);
  }

  #retire(producer: ProducerId, birthMs: number, lastAtMs: number): void {
    const retired =
      this.#known.get(producer) ?? this.#add({ producer, birthMs, lastSeq: retiredSeq, lastAtMs });
    retired.retiring = undefined;
    retired.lastSeq = retiredSeq;
    retired.issuedSeq = retiredSeq;
    retired.lastAtMs = lastAtMs;
  }

  /** Producers whose last Block is older than `beforeMs`, and the horizon that must be raised with forgetting them. */
  stale(beforeMs: number): { readonly producers: readonly ProducerId[]; readonly horizonMs: number } {
    const producers: ProducerId[] = [];
    let horizonMs = beforeMs;
    for (const { producer, birthMs, lastAtMs, pending } of this.#known.values()) {
      if (lastAtMs >= beforeMs || pending !== undefined) continue;
      producers.push(producer);
      horizonMs = Math.max(horizonMs, birthMs);
    }
    return { producers, horizonMs };
  }

  /** Forgetting is durable. A producer that sent again meanwhile stays known: its row was written anew behind the forgetting. */
  forgotten(producers: readonly ProducerId[], horizonMs: number, beforeMs: number): void {
    this.#horizonMs = Math.max(this.#horizonMs, horizonMs);
    for (const producer of producers) {
      const known = this.#known.get(producer);
      if (known !== undefined && known.pending === undefined && known.lastAtMs < beforeMs)
        this.#known.delete(producer);
    }
  }
}

function answer(given: Answer): Verdict {
  return { kind: 'answer', answer: given };
}
