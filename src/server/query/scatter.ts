import { TabaError } from '../../core/errors.js';
import type { BucketIndex, MemberId } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Peers } from '../cluster/peers.js';

export interface ScatterOptions {
  readonly peers: Peers;
  readonly clock: Clock;
  /** For how long buckets that nobody serves are asked for again. Default: 3,000 ms, about the time that a take-over needs. */
  readonly patienceMs?: number;
}

/**
 * Puts a question about some buckets to one holder, and takes in what it says.
 *
 * @returns the buckets that it does not serve
 */
export type AskHolder = (
  holder: MemberId,
  buckets: readonly BucketIndex[],
) => Promise<readonly BucketIndex[]>;

/** Pause before a bucket is asked for again: long enough for a hand-over to go on, short enough not to be felt. */
const firstPauseMs = 20;
const maxPauseMs = 250;

/** Takes questions to those who hold the buckets, as far as is known, and to the next where that was wrong. */
export class Scatter {
  readonly #peers: Peers;
  readonly #clock: Clock;
  readonly #patienceMs: number;

  constructor({ peers, clock, patienceMs = 3_000 }: ScatterOptions) {
    this.#peers = peers;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /**
   * Asks for every bucket until somebody has answered for it, or patience is over. What one holder answered counts: no
   * bucket is taken in twice.
   *
   * @param ask rejects with `unavailable` for a holder that cannot be reached; anything else that it throws ends it all
   * @returns the buckets for which nobody answered
   */
  async ask(buckets: readonly BucketIndex[], ask: AskHolder): Promise<BucketIndex[]> {
    const untilMs = this.#clock.monotonicMs() + this.#patienceMs;
    return this.#ask(buckets, ask, { untilMs, pauseMs: firstPauseMs });
  }

  async #ask(
    buckets: readonly BucketIndex[],
    ask: AskHolder,
    { untilMs, pauseMs }: { readonly untilMs: number; readonly pauseMs: number },
  ): Promise<BucketIndex[]> {
    const byHolder = this.#byHolder(buckets);
    const missing = await Promise.all(
      [...byHolder].map(async ([holder, its]) => {
        const left = holder === undefined ? its : await this.#askOne(holder, its, ask);
        if (left.length === 0 || this.#clock.monotonicMs() + pauseMs > untilMs) return left;
        await this.#pause(pauseMs);
        // Each by itself: who answers soon need not wait for who does not answer.
        return this.#ask(left, ask, { untilMs, pauseMs: Math.min(pauseMs * 2, maxPauseMs) });
      }),
    );
    return missing.flat();
  }

  #byHolder(buckets: readonly BucketIndex[]): Map<MemberId | undefined, BucketIndex[]> {
    const byHolder = new Map<MemberId | undefined, BucketIndex[]>();
    for (const bucket of buckets) {
      const holder = this.#peers.holderOf(bucket);
      const its = byHolder.get(holder);
      if (its === undefined) byHolder.set(holder, [bucket]);
      else its.push(bucket);
    }
    return byHolder;
  }

  async #askOne(
    holder: MemberId,
    buckets: readonly BucketIndex[],
    ask: AskHolder,
  ): Promise<readonly BucketIndex[]> {
    let missing: readonly BucketIndex[];
    try {
      missing = await ask(holder, buckets);
    } catch (error) {
      if (!(error instanceof TabaError) || error.code !== 'unavailable') throw error;
      missing = buckets;
    }
    for (const bucket of missing) this.#peers.notHeldBy(bucket, holder);
    return missing;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}

/** How often it is looked whether somebody who is being asked is still there. */
const watchMs = 250;

/**
 * Asks a server for something that may take long, for as long as it is alive: one that others take for dead is given up.
 *
 * @throws TabaError `unavailable`, and what the other side says
 */
export function askWhileAlive(
  { peers, clock }: Pick<ScatterOptions, 'peers' | 'clock'>,
  member: MemberId,
  { name, body, timeoutMs }: { readonly name: string; readonly body: Uint8Array; readonly timeoutMs: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let callOff = (): void => {};
    const watch = (): void => {
      callOff = clock.after(watchMs, () => {
        if (peers.members().some(({ id }) => id === member)) watch();
        else reject(new TabaError('unavailable', `server ${member} is gone`));
      });
    };
    watch();
    peers
      .ask(member, name, body, timeoutMs)
      .then(resolve, reject)
      .finally(() => callOff());
  });
}
