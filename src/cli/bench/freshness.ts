import { setTimeout as pause } from 'node:timers/promises';
import { createReader } from '../../client/reader.js';
import { epochMs } from './probe.js';

/** Between two questions: what is measured is late by up to that. */
const askEveryMs = 10;
const settleMs = 5_000;

/** How long events took from their recording until a server showed them, ms, in ascending order. */
export type Freshness = readonly number[];

export interface FreshnessOptions {
  /** Of the probes: tabs that count one event after the other. */
  readonly tabs: readonly string[];
  /** Answers questions. */
  readonly server: string;
  /** Events of so many seconds in the beginning are not told of, s. */
  readonly warmUpSec: number;
}

/** Asks again and again for what the processes of a run record into tabs of their own, see `Probe`, among all that they record. */
export class FreshnessWatch {
  readonly #tabs: readonly string[];
  readonly #warmUpMs: number;
  readonly #reader;
  /** By tab, when each of its events was shown. */
  readonly #shownAtMs: number[][];
  #isStopped = false;
  readonly #asking: Promise<void>;

  constructor({ tabs, server, warmUpSec }: FreshnessOptions) {
    this.#tabs = tabs;
    this.#warmUpMs = warmUpSec * 1000;
    this.#shownAtMs = tabs.map(() => []);
    this.#reader = createReader({ url: server });
    this.#asking = this.#ask();
  }

  async #ask(): Promise<void> {
    while (!this.#isStopped) {
      // A tab that is not known yet fails a question for all that it asks for.
      const isKnown = (_: string, at: number): boolean => this.#shownAtMs[at]!.length > 0;
      const unknown = this.#tabs.filter((tab, at) => !isKnown(tab, at));
      await Promise.all([this.#look(this.#tabs.filter(isKnown)), ...unknown.map((tab) => this.#look([tab]))]);
      await pause(askEveryMs);
    }
  }

  async #look(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const shown = (await this.#reader.tabs({ names }).catch(() => ({}))) as Record<
      string,
      { count?: number }
    >;
    const nowMs = epochMs();
    for (const [at, tab] of this.#tabs.entries()) {
      const { count = 0 } = shown[tab] ?? {};
      const times = this.#shownAtMs[at]!;
      while (times.length < count) times.push(nowMs);
    }
  }

  /** Waits until everything is shown, at most five seconds. @param recordedAtMs by tab, ms since 1970 */
  async end(recordedAtMs: readonly (readonly number[])[]): Promise<Freshness> {
    const endMs = performance.now() + settleMs;
    const isShown = () => recordedAtMs.every(({ length }, at) => this.#shownAtMs[at]!.length >= length);
    while (!isShown() && performance.now() < endMs) await pause(askEveryMs);
    await this.stop();
    return latenesses(recordedAtMs, this.#shownAtMs, this.#warmUpMs);
  }

  /** Lets go at once. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#asking;
  }
}

/** What events took that were shown, and recorded so long after the first of all, or later; by tab, ms since 1970. */
export function latenesses(
  recordedAtMs: readonly (readonly number[])[],
  shownAtMs: readonly (readonly number[])[],
  warmUpMs: number,
): Freshness {
  const begunMs = Math.min(...recordedAtMs.map(([first]) => first ?? Number.POSITIVE_INFINITY));
  return recordedAtMs
    .flatMap((times, tab) =>
      times.flatMap((atMs, event) => {
        const shownMs = shownAtMs[tab]![event];
        return shownMs === undefined || atMs - begunMs < warmUpMs ? [] : [shownMs - atMs];
      }),
    )
    .sort((a, b) => a - b);
}
