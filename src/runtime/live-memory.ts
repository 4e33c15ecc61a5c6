import { totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** What the process holds on the V8 heap and in buffers beside it, garbage included; bytes. */
export function usedMemoryBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/**
 * Tells what is really in use, again and again: right after a full garbage collection is the one moment at which that can be
 * known. They come by themselves when the heap has grown; near `maxBytes` they come sooner.
 *
 * @param maxBytes what live data and garbage may take together; undefined: whatever V8 takes
 * @returns what ends it
 */
export function watchLiveMemory(
  maxBytes: number | undefined,
  measured: (liveBytes: number) => void,
): () => void {
  const observer = new PerformanceObserver((list) => {
    const isFull = list.getEntries().some((entry) => {
      const { kind } = (entry as { detail?: { kind?: number } }).detail ?? {};
      return kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    });
    if (!isFull) return;
    const liveBytes = usedMemoryBytes();
    if (maxBytes !== undefined) boundGarbage(liveBytes, maxBytes);
    measured(liveBytes);
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** By how much the heap may grow before V8 collects again, percent of what is live: what it does by itself at most, and the least that is sensible. */
const [mostGrowth, leastGrowth] = [300, 25];

/**
 * Makes V8 collect garbage before live data and garbage together exceed `maxBytes`; left alone, it lets a heap grow to four
 * times of what is live. Costs nothing while `liveBytes` is small beside it.
 */
function boundGarbage(liveBytes: number, maxBytes: number): void {
  const room = (maxBytes / Math.max(liveBytes, 1) - 1) * 100;
  const percent = Math.round(Math.min(mostGrowth, Math.max(leastGrowth, room)));
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/** Memory that this process may use: that of the container, where it has a limit, else that of the host. */
export function availableMemoryBytes(): number {
  const host = totalmem();
  const container = process.constrainedMemory();
  return container > 0 && container < host ? container : host;
}

/** Where V8 gives up, bytes; `--max-old-space-size` (in NODE_OPTIONS) moves it. */
export function heapLimitBytes(): number {
  return getHeapStatistics().heap_size_limit;
}
