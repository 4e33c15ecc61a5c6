import type { Traffic } from './traffic.js';

/** What a program says of the traffic, once all of it is in. */
export interface Shown {
  readonly events: number;
  /** Names with another count or amount than was sent; 0 is not to be expected where packets were lost. */
  readonly wrongNames: number;
  /** Datagrams that the kernel threw away, where the program knows. */
  readonly dropped: number | undefined;
  /** Datagrams that came in, where the program knows. */
  readonly received: number | undefined;
}

/** A program that takes StatsD, running. */
export interface StatsdProgram {
  readonly name: string;
  readonly port: number;
  /** Its processes; the one that takes StatsD first. */
  readonly pids: Readonly<Record<string, number>>;
  /** Events that it has counted so far. */
  counted(): Promise<number>;
  shown(traffic: Traffic): Promise<Shown>;
  stop(): Promise<void>;
}
