/** Events by reason. */
export type Counts = Readonly<Record<string, number>>;

export function addCounts(...all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [reason, events] of Object.entries(counts)) sum[reason] = (sum[reason] ?? 0) + events;
  }
  return sum;
}

export function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((total, events) => total + events, 0);
}
