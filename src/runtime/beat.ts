/** Moments that come again and again, by everybody's clock: `offsetMs` after the multiples of `intervalMs` since 1970. */
export interface Beat {
  readonly intervalMs: number;
  readonly offsetMs: number;
}

/**
 * How long it is until the next moment of a beat, ms.
 * @param nowMs UTC @param leastMs one that comes sooner is left out
 */
export function untilBeat({ intervalMs, offsetMs }: Beat, nowMs: number, leastMs = 0): number {
  const leftMs = intervalMs - ((nowMs - offsetMs) % intervalMs);
  return leftMs < leastMs ? leftMs + intervalMs : leftMs;
}
