import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * What of the youngest objects may lie there before V8 looks which of them live; V8 itself goes up to 16 MiB. A process
 * stands still while the living are copied, so twice as much makes twice as long a pause, half as often. Smaller spaces
 * find more objects alive that would have died a moment later.
 */
const maxSemiSpaceBytes = 2 * 2 ** 20;
/** When more than this share of the time goes into such pauses, having less of them matters more than having short ones. */
const maxPausedShare = 0.05;
const windowMs = 1000;

/** What the types of Node say of a later version only. */
type GcEntry = PerformanceEntry & { readonly detail?: { readonly kind?: number } };

/** Both halves, of which one is in use. */
export function youngSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/**
 * Keeps the pauses short that collecting young garbage makes, for processes that are asked while they work, until there is so much to do
 * that these take too much of the time. V8 takes the limit only when a process begins, by a flag in front of it; so the space
 * is stopped from growing when it has come so far, and let go on later.
 */
export function boundYoungSpace(mayPause = maxPausedShare): void {
  let isBound = false;
  let windowBeganMs = 0;
  let pausedMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { startTime, duration, detail } = entry as GcEntry;
      if (detail?.kind !== constants.NODE_PERFORMANCE_GC_MINOR) continue;
      if (startTime - windowBeganMs > windowMs) {
        windowBeganMs = startTime;
        pausedMs = 0;
      }
      pausedMs += duration;
    }
    if (pausedMs > windowMs * mayPause) {
      observer.disconnect();
      if (isBound) setFlagsFromString('--semi-space-growth-factor=2');
    } else if (!isBound && youngSpaceBytes() >= 2 * maxSemiSpaceBytes) {
      isBound = true;
      setFlagsFromString('--semi-space-growth-factor=1');
    }
  });
  observer.observe({ entryTypes: ['gc'] });
}
