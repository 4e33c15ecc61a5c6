import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * What of the youngest objects may lie there before V8 looks which of them live; V8 itself goes up to 16 MiB. A process
 * stands still while the living are copied, so twice as much makes twice as long a pause, half as often. Smaller spaces
 * find more objects alive that would have died a moment later.
 */
const maxSemiSpaceBytes = 2 * 2 ** 20;

/** Both halves, of which one is in use. */
export function youngSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/**
 * Keeps the pauses short that collecting young garbage makes, for processes that are asked while they work. V8 takes the limit
 * only when a process begins, by a flag in front of it; so the space is stopped from growing when it has come so far.
 */
export function boundYoungSpace(): void {
  const observer = new PerformanceObserver(() => {
    if (youngSpaceBytes() < 2 * maxSemiSpaceBytes) return;
    observer.disconnect();
    setFlagsFromString('--semi-space-growth-factor=1');
  });
  observer.observe({ entryTypes: ['gc'] });
}
