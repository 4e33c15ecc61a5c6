/** Where the events handed to one cluster are; received equals the sum of all others. */
export interface ClusterAccount {
  readonly received: number;
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: Counts;
  readonly dropped: Counts;
}

/** Events by reason. */
export type Counts = Readonly<Record<string, number>>;

export function addCounts(...counts: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const [reason, events] of counts.flatMap((one) => Object.entries(one))) {
    sum[reason] = (sum[reason] ?? 0) + events;
  }
  return sum;
}

export function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, events) => sum + events, 0);
}
