import type { Counts } from '../intake/counts.js';

/** Where the events handed to one cluster are; received equals the sum of all others. */
export interface ClusterAccount {
  readonly received: number;
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: Counts;
  readonly dropped: Counts;
}
