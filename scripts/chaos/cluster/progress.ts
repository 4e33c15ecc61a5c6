import { setTimeout as pause } from 'node:timers/promises';

const pollPeriodMs = 1000;
const answerDeadlineMs = 1500;

interface Gap {
  fromMs: number;
  toMs: number;
}

/** The longest time that one bucket went without progress. */
export interface BucketGap {
  readonly bucket: number;
  readonly lengthSec: number;
  /** Seconds after the beginning of the watch. */
  readonly fromSec: number;
  readonly toSec: number;
}

/**
 * Watches a probe tab in every bucket, into which producers record all the time, as a user would: by asking the
 * servers. A bucket makes progress when the count that is answered rises, so its gaps include everything: agents, the
 * way to the owner, the take-over, the store, and the query.
 *
 * All servers are asked, each by itself, for partial answers: what one of them cannot say, another may.
 */
export class ProgressWatch {
  readonly #probes: readonly string[];
  readonly #servers: readonly string[];
  readonly #beganAtMs = performance.now();
  readonly #counts: Float64Array;
  readonly #advancedAtMs: Float64Array;
  readonly #longest: (Gap | undefined)[];
  readonly #loops: Promise<void>[];
  readonly #ended = new AbortController();
  #answers = 0;

  /** @param probes names of the tabs, by bucket; @param servers URLs */
  constructor(probes: readonly string[], servers: readonly string[]) {
    this.#probes = probes;
    this.#servers = servers;
    this.#counts = new Float64Array(probes.length);
    // A bucket is watched from its first event on.
    this.#advancedAtMs = new Float64Array(probes.length).fill(Number.NaN);
    this.#longest = new Array(probes.length);
    this.#loops = this.#servers.map((server) => this.#poll(server));
  }

  /** Buckets that have been seen to make progress. */
  get begun(): number {
    return this.#advancedAtMs.reduce((sum, atMs) => sum + (Number.isNaN(atMs) ? 0 : 1), 0);
  }

  /** Answers of servers so far: without any, no gap means anything. */
  get answers(): number {
    return this.#answers;
  }

  /** Seconds since the beginning. */
  get nowSec(): number {
    return (performance.now() - this.#beganAtMs) / 1000;
  }

  /** Ends the watch. @returns the longest gap of each bucket, longest first */
  async end(): Promise<BucketGap[]> {
    this.#ended.abort();
    await Promise.all(this.#loops);
    const endMs = performance.now();
    return this.#probes
      .map((_, bucket) => {
        this.#close(bucket, endMs);
        const { fromMs, toMs } = this.#longest[bucket] ?? { fromMs: this.#beganAtMs, toMs: endMs };
        const [fromSec, toSec] = [(fromMs - this.#beganAtMs) / 1000, (toMs - this.#beganAtMs) / 1000];
        return { bucket, lengthSec: toSec - fromSec, fromSec, toSec };
      })
      .sort((a, b) => b.lengthSec - a.lengthSec);
  }

  async #poll(server: string): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#ask(server).catch(() => {});
      await pause(pollPeriodMs, undefined, { signal }).catch(() => {});
    }
  }

  async #ask(server: string): Promise<void> {
    const answer = await fetch(`${server}/tabs?name=chaos%5C.probe&re=true&partial=true`, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(answerDeadlineMs)]),
    });
    if (!answer.ok) return;
    const tabs = (await answer.json()) as Readonly<Record<string, { readonly count?: number }>>;
    this.#answers++;
    const nowMs = performance.now();
    this.#probes.forEach((name, bucket) => {
      const count = tabs[name]?.count ?? 0;
      if (count <= this.#counts[bucket]!) return;
      this.#counts[bucket] = count;
      this.#close(bucket, nowMs);
      this.#advancedAtMs[bucket] = nowMs;
    });
  }

  #close(bucket: number, toMs: number): void {
    const fromMs = this.#advancedAtMs[bucket]!;
    if (Number.isNaN(fromMs)) return;
    const longest = this.#longest[bucket];
    if (longest === undefined || toMs - fromMs > longest.toMs - longest.fromMs) {
      this.#longest[bucket] = { fromMs, toMs };
    }
  }
}

const bucketsPerLine = 25;

/** Every bucket's longest gap in seconds, as a table, below a summary. */
export function gapsText(gaps: readonly BucketGap[]): string[] {
  const byBucket = [...gaps].sort((a, b) => a.bucket - b.bucket);
  const lengths = gaps.map(({ lengthSec }) => lengthSec);
  const at = (share: number): string => lengths[Math.floor((lengths.length - 1) * share)]!.toFixed(1);
  const worst = gaps
    .slice(0, 3)
    .map(
      ({ bucket, fromSec, toSec }) =>
        `bucket ${bucket} from +${fromSec.toFixed(1)} to +${toSec.toFixed(1)} s`,
    );
  const lines = [
    `longest time without progress: ${at(0)} s; half of the buckets at most ${at(0.5)} s (${worst.join(', ')})`,
    'by bucket, s:',
  ];
  for (let first = 0; first < byBucket.length; first += bucketsPerLine) {
    const row = byBucket.slice(first, first + bucketsPerLine);
    const cells = row.map(({ lengthSec }) => lengthSec.toFixed(1).padStart(5));
    lines.push(`  ${String(first).padStart(4)}: ${cells.join('')}`);
  }
  return lines;
}
