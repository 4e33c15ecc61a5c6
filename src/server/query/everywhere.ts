import type { BucketIndex, MemberId } from '../../core/ids.js';
import { addCounts } from '../../intake/counts.js';
import type { Clock } from '../../runtime/clock.js';
import type { Peers } from '../cluster/peers.js';
import type { Administration, Undone } from '../reduce/administration.js';
import { type Chore, type ChoreDone, doChore } from './chore.js';
import { decodeChoreDone, decodeDiscarded, encodeChore, encodeDiscard } from './chore-codec.js';
import { askWhileAlive, type Scatter } from './scatter.js';
import { bucketsOf, tabsWithin } from './selecting.js';

export interface EverywhereOptions {
  readonly bucketCount: number;
  readonly administration: Administration;
  readonly peers: Peers;
  readonly scatter: Scatter;
  readonly clock: Clock;
  /** Discards what waits here of the buckets, or of all, and counts it as dropped. @returns events */
  discardPending(buckets: readonly BucketIndex[] | undefined): number;
}

export interface Discarded {
  /** Events. */
  readonly dropped: number;
  /** Servers that were not reached, and why. */
  readonly unreached: readonly string[];
}

/** Names of the questions under which servers ask each other, see `Questions`. */
export const choreQuestion = 'chore';
export const discardQuestion = 'discard';
/** Reading every State of a large bucket takes its time; a server that dies meanwhile is noticed by its heartbeat. */
const choreTimeoutMs = 600_000;
const discardTimeoutMs = 10_000;
/** Bytes of names in one question: there may be more than a frame has room for. */
const namesBytes = 2 ** 15;

/** Administration of the whole cluster: each bucket by whoever holds it. */
export class Everywhere {
  readonly #options: EverywhereOptions;

  constructor(options: EverywhereOptions) {
    this.#options = options;
  }

  /** Has work done in all buckets, or in those of `tabs`. @returns sums, findings, and where it could not be done */
  async work(chore: Pick<Chore, 'work'> & Partial<Pick<Chore, 'tabs' | 'repair'>>): Promise<ChoreDone> {
    const { work, tabs, repair = false } = chore;
    const { bucketCount, scatter } = this.#options;
    const parts: ChoreDone[] = [];
    const reasons = new Map<BucketIndex, string>();
    const tabsIn = tabsWithin(tabs ?? [], bucketCount);
    const missing = await scatter.ask(bucketsOf(tabs ?? 'all', bucketCount), async (holder, buckets) => {
      const left = new Set<BucketIndex>();
      for (const some of tabs === undefined ? [undefined] : pieces(tabsIn(buckets))) {
        const its = some === undefined ? buckets : bucketsOf(some, bucketCount);
        const part = await this.#askHolder(holder, { work, buckets: its, tabs: some, repair });
        parts.push(part);
        for (const { bucket, reason } of part.undone) {
          reasons.set(bucket, reason);
          left.add(bucket);
        }
      }
      return [...left];
    });
    const undone = missing.map((bucket): Undone => {
      return { bucket, reason: reasons.get(bucket) ?? 'whoever holds it was not reached' };
    });
    return {
      undone,
      counts: addCounts(...parts.map(({ counts }) => counts)),
      findings: parts.flatMap(({ findings }) => findings),
      setAside: parts.flatMap(({ setAside }) => setAside),
    };
  }

  async #askHolder(member: MemberId, chore: Chore): Promise<ChoreDone> {
    const { administration, peers, clock } = this.#options;
    if (member === peers.self) return doChore(administration, chore);
    const question = { name: choreQuestion, body: encodeChore(chore), timeoutMs: choreTimeoutMs };
    return decodeChoreDone(await askWhileAlive({ peers, clock }, member, question));
  }

  /** Discards what waits in any server. */
  async discard(buckets: readonly BucketIndex[] | undefined): Promise<Discarded> {
    const { peers, clock } = this.#options;
    const question = { name: discardQuestion, body: encodeDiscard(buckets), timeoutMs: discardTimeoutMs };
    const unreached: string[] = [];
    let dropped = 0;
    await Promise.all(
      peers.members().map(async ({ id, address }) => {
        if (id === peers.self) {
          dropped += this.#options.discardPending(buckets);
          return;
        }
        try {
          const events = decodeDiscarded(await askWhileAlive({ peers, clock }, id, question));
          dropped += events;
        } catch (error) {
          unreached.push(`${address}: ${error instanceof Error ? error.message : error}`);
        }
      }),
    );
    return { dropped, unreached };
  }
}

/** Names in their order, as many together as make one question. */
function* pieces(names: readonly string[]): Iterable<readonly string[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, name] of names.entries()) {
    bytes += name.length + 4;
    if (bytes < namesBytes && index < names.length - 1) continue;
    yield names.slice(start, index + 1);
    start = index + 1;
    bytes = 0;
  }
}
