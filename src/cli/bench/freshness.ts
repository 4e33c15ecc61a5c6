import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '../../client/client.js';
import { createReader } from '../../client/reader.js';

/** Between two events, and between two questions: what is measured is late by up to the latter. */
const recordEveryMs = 20;
const askEveryMs = 10;
const settleMs = 5_000;

/** How long events took from their recording until a server showed them, ms, in ascending order. */
export type Freshness = readonly number[];

export interface FreshnessOptions {
  readonly tab: string;
  /** Takes events. */
  readonly url: string;
  /** Answers questions. */
  readonly server: string;
  /** Events of so many seconds in the beginning are not told of, s. */
  readonly warmUpSec: number;
}

/** Records into a tab of its own beside a load, and asks for it again and again. */
export class FreshnessProbe {
  readonly #tab: string;
  readonly #warmUpMs: number;
  readonly #client;
  readonly #reader;
  readonly #recordedAtMs: number[] = [];
  readonly #tookMs: number[] = [];
  #isRecording = true;
  #isStopped = false;
  readonly #recording: Promise<void>;
  readonly #asking: Promise<void>;

  constructor({ tab, url, server, warmUpSec }: FreshnessOptions) {
    this.#tab = tab;
    this.#warmUpMs = warmUpSec * 1000;
    this.#client = createClient({ clientId: 'bench-probe', url });
    this.#reader = createReader({ url: server });
    this.#recording = this.#record();
    this.#asking = this.#ask();
  }

  async #record(): Promise<void> {
    const probe = this.#client.totals(this.#tab);
    while (this.#isRecording) {
      probe.record(1);
      this.#recordedAtMs.push(performance.now());
      await pause(recordEveryMs);
    }
  }

  async #ask(): Promise<void> {
    let endMs = Number.POSITIVE_INFINITY;
    while (this.#tookMs.length < this.#recordedAtMs.length || this.#isRecording) {
      if (!this.#isRecording) endMs = Math.min(endMs, performance.now() + settleMs);
      if (performance.now() > endMs || this.#isStopped) return;
      const shown = await this.#reader.tabs({ names: [this.#tab] }).catch(() => ({}));
      const { count = 0 } = (Object.values(shown)[0] ?? {}) as { count?: number };
      const nowMs = performance.now();
      while (this.#tookMs.length < count) {
        this.#tookMs.push(nowMs - this.#recordedAtMs[this.#tookMs.length]!);
      }
      await pause(askEveryMs);
    }
  }

  /** Records no more, and waits until what was recorded is shown, at most five seconds. */
  async end(): Promise<Freshness> {
    this.#isRecording = false;
    await Promise.all([this.#recording, this.#asking]);
    return afterWarmUp(this.#tookMs, this.#recordedAtMs, this.#warmUpMs).sort((a, b) => a - b);
  }

  /** Lets go at once. */
  async stop(): Promise<void> {
    this.#isRecording = false;
    this.#isStopped = true;
    await Promise.all([this.#recording, this.#asking]);
    await this.#client.close();
  }
}

/** What events took that were recorded so long after the first one, or later. */
export function afterWarmUp(
  tookMs: readonly number[],
  recordedAtMs: readonly number[],
  warmUpMs: number,
): number[] {
  return tookMs.filter((_, event) => recordedAtMs[event]! - recordedAtMs[0]! >= warmUpMs);
}
