import type { CumulativeHistogram } from './histogram.js';

/** What a process has counted since it started. */
export type CumulativeValue = number | CumulativeHistogram;

/** A cumulative figure at one moment. */
export interface Reading {
  /** Seconds UTC. */
  readonly timeSec: number;
  readonly value: CumulativeValue;
}

/** A reading as it comes in: of which stream, and since when that one counts. */
export interface CumulativePoint extends Reading {
  /**
   * Which series of which process, start included, as an integer below 2^53: a process that starts again is another stream.
   */
  readonly stream: number;
  /** When the stream began at zero, seconds UTC; 0 where its sender does not say. */
  readonly startSec: number;
  /** Whether it never goes down, so that going down means that it began again at zero. */
  readonly monotonic: boolean;
}
