import { totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** What the process holds on the V8 heap and in buffers beside it, garbage included; bytes. */
export function usedMemoryBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/**
 * Tells what is really in use, again and again: right after a full garbage collection is the one moment at which that can be
 * known. They come by themselves whenever the heap has grown by about half or more.
 *
 * @returns what ends it
 */
export function watchLiveMemory(measured: (liveBytes: number) => void): () => void {
  const observer = new PerformanceObserver((list) => {
    const isFull = list.getEntries().some((entry) => {
      const { kind } = (entry as { detail?: { kind?: number } }).detail ?? {};
      return kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    });
    if (isFull) measured(usedMemoryBytes());
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
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
