import { setTimeout as pause } from 'node:timers/promises';
import { ScenarioFailure } from '../scenario.js';

export interface SightOptions {
  /** Servers that are asked in turn. */
  readonly urls: readonly string[];
  /** A tab of each bucket. */
  readonly probes: readonly string[];
  /** The count of each probe that is waited for; NaN: none. */
  readonly targets: Float64Array;
  readonly deadlineMs: number;
}

/**
 * A question waits up to three seconds for buckets that nobody serves, and then tells what it has: so questions overlap,
 * and what comes back is seen with the next one that ends.
 */
const periodMs = 200;
const answerDeadlineMs = 5000;

/**
 * Asks for the probes of all buckets, again and again, until each has the count that is waited for.
 *
 * @returns when that was, by bucket, as of `performance.now()`; NaN where nothing was waited for
 * @throws ScenarioFailure at the deadline, naming how many are missing
 */
export async function seenAll({ urls, probes, targets, deadlineMs }: SightOptions): Promise<Float64Array> {
  const seenAtMs = new Float64Array(probes.length).fill(Number.NaN);
  const waiting = new Set([...targets.keys()].filter((bucket) => !Number.isNaN(targets[bucket]!)));
  const endMs = performance.now() + deadlineMs;
  const look = async (url: string): Promise<void> => {
    const tabs = await countsOf(
      url,
      [...waiting].map((bucket) => probes[bucket]!),
    ).catch(() => undefined);
    const nowMs = performance.now();
    for (const bucket of tabs === undefined ? [] : [...waiting]) {
      if ((tabs![probes[bucket]!]?.count ?? 0) < targets[bucket]!) continue;
      seenAtMs[bucket] = nowMs;
      waiting.delete(bucket);
    }
  };
  for (let turn = 0; waiting.size > 0; turn++) {
    if (performance.now() > endMs) {
      const missing = [...waiting].slice(0, 10).join(', ');
      throw new ScenarioFailure(
        `new events of ${waiting.size} buckets are not to be seen after ${deadlineMs / 1000} s: ${missing}`,
      );
    }
    void look(urls[turn % urls.length]!);
    await pause(periodMs);
  }
  return seenAtMs;
}

type Counts = Readonly<Record<string, { readonly count?: number } | undefined>>;

async function countsOf(url: string, names: readonly string[]): Promise<Counts> {
  const answer = await fetch(`${url}/tabs`, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({ name: names.join(','), partial: 'true' }),
    signal: AbortSignal.timeout(answerDeadlineMs),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Counts;
}

/** The largest, the median and the smallest of some figures in ms, as text in seconds. */
export function spread(figuresMs: Iterable<number>): string {
  const sorted = [...figuresMs].filter((figure) => !Number.isNaN(figure)).sort((left, right) => left - right);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)]! / 1000).toFixed(2);
  return `first ${at(0)} s, half ${at(0.5)} s, 99 of 100 ${at(0.99)} s, last ${at(1)} s`;
}
