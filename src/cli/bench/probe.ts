import type { Client } from '../../client/client.js';
import type { Recorder } from '../../client/engine.js';

/** Between two events. */
const recordEveryMs = 20;

/** Records one event after the other through a client that has other things to do, and remembers when. */
export class Probe {
  /** Of each event, ms since 1970. */
  readonly recordedAtMs: number[] = [];
  readonly #recorder: Recorder;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(client: Client, tab: string) {
    this.#recorder = client.totals(tab);
  }

  /** Records, if it is time to. */
  tick(): void {
    const nowMs = performance.now();
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + recordEveryMs;
    this.#recorder.record(1);
    this.recordedAtMs.push(epochMs());
  }
}

/** One clock for all processes of a machine, which nobody sets meanwhile. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
