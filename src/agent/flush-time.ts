/** What a client needs to notice that the second has turned, and to bring what it has. */
const behindClientsMs = 80;

/**
 * Clients flush when the second turns, and in even parts of it after that (`CoarseClock`, `FoldingEngine`). An agent that flushes shortly
 * after them hands on what they have just brought; at any other moment that would have waited for half an interval on average.
 *
 * @param nowMs UTC @param leastMs not sooner: a flush that was late need not be followed at once @returns how long to wait for the next one
 */
export function untilFlushMs(nowMs: number, intervalMs: number, leastMs: number): number {
  const leftMs = intervalMs - ((nowMs - behindClientsMs) % intervalMs);
  return leftMs < leastMs ? leftMs + intervalMs : leftMs;
}
