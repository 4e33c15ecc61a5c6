import { digestUnder, idempotencyKeyOf, usedForAnother } from '../intake/idempotency-key.js';
import type { IntakeRequest } from '../intake/protocol.js';
import type { Clock } from '../runtime/clock.js';
import type { KeyedBody } from './spool/record.js';

export interface KeyedBodiesOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What a spool remembers, the oldest first. */
  readonly restored: Iterable<KeyedBody>;
  /** Higher values know repeats of busier senders, at the cost of some 200 bytes each, in memory and in the spool. */
  readonly maxBodies?: number;
}

/** At 100 bodies/s more than `taba record` may take until it gives one up: 6 attempts of a minute, and pauses. */
const defaultMaxBodies = 50_000;
/** Whoever repeats a body has given up by then. */
const forgottenAfterMs = 86_400_000;

/**
 * The bodies under an Idempotency-Key that were taken last. Unlike owners, who know a body by its numbers (R12), an agent merges
 * what it takes with what waits already: so it has to know the repeat of a body before it takes it.
 */
export class KeyedBodies {
  readonly #options: KeyedBodiesOptions;
  /** By key, in the order in which they were taken. */
  readonly #bodies = new Map<string, KeyedBody>();

  constructor(options: KeyedBodiesOptions) {
    this.#options = options;
    for (const body of options.restored) this.#add(body);
  }

  get size(): number {
    return this.#bodies.size;
  }

  /** The key and the body of a request; undefined without a key. @throws TabaError `bad_parameter` */
  of(request: IntakeRequest): KeyedBody | undefined {
    const key = idempotencyKeyOf(request);
    if (key === undefined) return undefined;
    return { key, digest: digestUnder(key, request.body), takenAtMs: this.#options.clock.nowMs() };
  }

  /** Whether it was taken before. @throws TabaError `idempotency_mismatch` if the key was used for another one */
  knows({ key, digest }: KeyedBody): boolean {
    const known = this.#bodies.get(key);
    if (known !== undefined && known.digest !== digest) throw usedForAnother(key);
    return known !== undefined;
  }

  /** It was taken; to be called in the same turn, before it is answered. */
  taken(body: KeyedBody): void {
    this.#add(body);
    this.#forget();
  }

  /** For a spool that is written anew, the oldest first. */
  entries(): Iterable<KeyedBody> {
    return this.#bodies.values();
  }

  #add(body: KeyedBody): void {
    this.#bodies.delete(body.key);
    this.#bodies.set(body.key, body);
  }

  #forget(): void {
    const { clock, maxBodies = defaultMaxBodies } = this.#options;
    const horizonMs = clock.nowMs() - forgottenAfterMs;
    for (const { key, takenAtMs } of this.#bodies.values()) {
      if (this.#bodies.size <= maxBodies && takenAtMs >= horizonMs) break;
      this.#bodies.delete(key);
    }
  }
}
