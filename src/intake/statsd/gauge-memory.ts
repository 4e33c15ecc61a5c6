import type { TabName } from '../../core/ids.js';

/** What a gauge was set to last, and what of it waits to be folded. */
export interface GaugeCell {
  readonly tab: TabName;
  value: number;
  timestampSec: number;
  /** Orders values of one timestamp. */
  sequence: number;
  /** Events since it was folded last. */
  waiting: number;
  usedAtMs: number;
}

/** As long as a Gauge itself is remembered. */
const rememberedMs = 48 * 3_600_000;
const sweepEveryMs = 3_600_000;
/** Gauges that are looked at for one that may go, when another comes: several, so that after many were in use there are as few again. */
const looksForRoom = 4;

/**
 * The last value of each gauge, which a signed value changes. What has changed since it was asked last is written to the
 * spool. A gauge that was not used for 48 h begins at 0 again, as does the oldest of more than there may be.
 */
export class GaugeMemory {
  readonly #maxTabs: number;
  readonly #cells = new Map<TabName, GaugeCell>();
  #changed = new Set<GaugeCell>();
  /** Goes over all gauges in turn, from the oldest on: asked for the first one each time, a Map passes over all that are gone. */
  #hand = this.#cells.values();
  #sweepAtMs = 0;

  /** @param restored last values as a spool kept them */
  constructor(maxTabs: number, restored: Iterable<readonly [TabName, number]>, nowMs: number) {
    this.#maxTabs = maxTabs;
    this.#sweepAtMs = nowMs + sweepEveryMs;
    for (const [tab, value] of restored) this.cell(tab, nowMs).value = value;
  }

  get size(): number {
    return this.#cells.size;
  }

  cell(tab: TabName, nowMs: number): GaugeCell {
    let cell = this.#cells.get(tab);
    if (cell === undefined) {
      if (this.#cells.size >= this.#maxTabs) this.#makeRoom();
      cell = { tab, value: 0, timestampSec: 0, sequence: 0, waiting: 0, usedAtMs: nowMs };
      this.#cells.set(tab, cell);
    }
    return cell;
  }

  #makeRoom(): void {
    for (let looks = 0; looks < looksForRoom && this.#cells.size >= this.#maxTabs; looks++) {
      let next = this.#hand.next();
      if (next.done) {
        this.#hand = this.#cells.values();
        next = this.#hand.next();
      }
      if (!next.done && next.value.waiting === 0) this.forget(next.value.tab);
    }
  }

  /** The gauge has another value now. */
  changed(cell: GaugeCell, nowMs: number): void {
    cell.usedAtMs = nowMs;
    this.#changed.add(cell);
  }

  /** What has changed since `recorded` was called last. */
  *changes(): IterableIterator<readonly [TabName, number]> {
    for (const { tab, value } of this.#changed) yield [tab, value];
  }

  recorded(): void {
    this.#changed.clear();
  }

  *all(): IterableIterator<readonly [TabName, number]> {
    for (const { tab, value } of this.#cells.values()) yield [tab, value];
  }

  /** Of a tab that is not taken. */
  forget(tab: TabName): void {
    const cell = this.#cells.get(tab);
    if (cell === undefined) return;
    this.#cells.delete(tab);
    this.#changed.delete(cell);
  }

  /** Forgets what was not used for long; does nothing most of the time. */
  sweep(nowMs: number): void {
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + sweepEveryMs;
    for (const { tab, usedAtMs, waiting } of [...this.#cells.values()]) {
      if (waiting === 0 && nowMs - usedAtMs >= rememberedMs) this.forget(tab);
    }
  }
}
