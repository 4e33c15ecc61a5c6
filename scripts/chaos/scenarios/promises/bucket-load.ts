import { probeNames } from '../../cluster/fleet.js';
import type { ClientReport } from '../../load.js';
import { tabName, tabType } from '../../load.js';
import { SeededRandom } from '../../random.js';
import { ScenarioFailure } from '../scenario.js';
import type { Stage } from '../stage.js';
import { BlockLine, Connections } from './block-line.js';
import { defaultBuckets } from './cluster.js';
import { tabsByBucket } from './fill.js';
import { Recorder } from './parts-of.js';

export interface BucketLoadOptions {
  readonly urls: readonly string[];
  /** How often each bucket gets an event of its probe and some of other tabs. */
  readonly periodMs?: number;
  /** See `BlockLine`. */
  readonly mayLose?: boolean;
  readonly client?: string;
  /** Tabs beside the probes. */
  readonly tabs?: number;
}

/** The longest wait for an acknowledgement in one bucket. */
export interface BucketWait {
  readonly bucket: number;
  readonly ms: number;
}

const tickMs = 10;
const defaultPeriodMs = 1000;
const otherTabsAtOnce = 4;

/**
 * A producer that has something for every bucket all the time, and measures how long its Blocks wait. Each bucket has a
 * probe tab, whose count says how much of the bucket's events is to be seen.
 */
export class BucketLoad {
  readonly probes = probeNames(defaultBuckets);
  /** Events that the probe of each bucket was given. */
  readonly probed = new Float64Array(defaultBuckets);
  readonly #stage: Stage;
  readonly #connections: Connections;
  readonly #lines: readonly BlockLine[];
  readonly #recorder: Recorder;
  readonly #random: SeededRandom;
  readonly #tabs: readonly (readonly number[])[];
  readonly #waits = new Float64Array(defaultBuckets);
  readonly #timer: NodeJS.Timeout;
  #blocks = 0;
  #events = 0;
  #failure: Error | undefined;

  constructor(stage: Stage, options: BucketLoadOptions) {
    const { urls, periodMs = defaultPeriodMs, mayLose = false, client = 'load', tabs } = options;
    this.#stage = stage;
    this.#random = new SeededRandom(stage.seed);
    this.#tabs = tabsByBucket(tabs);
    this.#recorder = new Recorder(client);
    this.#connections = new Connections(urls, defaultBuckets);
    this.#lines = Array.from({ length: defaultBuckets }, (_, bucket) => {
      return new BlockLine({
        ...{ bucket, connections: this.#connections, mayLose },
        acknowledged: (bucket, waitedMs) => this.#acknowledged(bucket, waitedMs),
        failed: (error) => {
          this.#failure ??= error;
        },
      });
    });
    const beganMs = performance.now();
    let turns = 0;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - beganMs) / periodMs) * defaultBuckets;
      while (turns < due) this.#recordInto(turns++ % defaultBuckets);
    }, tickMs);
    stage.defer(() => {
      clearInterval(this.#timer);
      return this.#connections.close();
    });
  }

  get report(): ClientReport {
    return this.#recorder.report;
  }

  /** Blocks acknowledged, and events recorded. */
  get figures(): { readonly blocks: number; readonly events: number } {
    return { blocks: this.#blocks, events: this.#events };
  }

  #recordInto(bucket: number): void {
    this.#lines[bucket]!.record((parts) => {
      this.#recorder.record(this.probes[bucket]!, 'TotalsCounter', 1, parts);
      const tabs = this.#tabs[bucket]!;
      for (let count = 0; count < otherTabsAtOnce && tabs.length > 0; count++) {
        const tab = this.#random.pick(tabs);
        this.#recorder.record(tabName(tab), tabType(tab), this.#random.integer(-5, 1000), parts);
      }
    });
    this.probed[bucket]!++;
    this.#events += 1 + (this.#tabs[bucket]!.length > 0 ? otherTabsAtOnce : 0);
  }

  #acknowledged(bucket: number, waitedMs: number): void {
    this.#blocks++;
    this.#waits[bucket] = Math.max(this.#waits[bucket]!, waitedMs);
  }

  /** Forgets the waits so far. */
  measure(): void {
    this.#waits.fill(0);
  }

  /** The longest wait of each bucket since `measure`, longest first. */
  get waits(): BucketWait[] {
    return [...this.#waits].map((ms, bucket) => ({ bucket, ms })).sort((left, right) => right.ms - left.ms);
  }

  /** No more events; waits until all are acknowledged. @throws ScenarioFailure */
  async end(deadlineMs = 60_000): Promise<void> {
    clearInterval(this.#timer);
    await this.#stage.until(
      'every Block to be acknowledged',
      () => this.#failure !== undefined || this.#lines.every(({ isEmpty }) => isEmpty),
      deadlineMs,
    );
    if (this.#failure !== undefined) throw new ScenarioFailure(this.#failure.message);
  }
}
