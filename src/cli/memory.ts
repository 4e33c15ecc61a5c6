import { availableMemoryBytes, heapLimitBytes, usedMemoryBytes } from '../runtime/live-memory.js';
import type { Log } from '../runtime/log.js';
import type { MemoryBudget } from '../server/reduce/capacity.js';
import type { SettingValues } from './settings/table.js';

/** Part of the memory of host or container that is used unless told: the rest is for garbage, buffers of the system, others. */
const defaultShare = 0.5;
/** Part of V8's heap limit that may be used: at the limit, the process would end. */
const heapShare = 0.9;

/** What each of `workers` processes may hold; bytes. What is used unless told stays within the heap limit. */
export function memoryOfEach(settings: SettingValues, workers: number): number {
  const told = settings['max-memory'];
  const all = told ?? availableMemoryBytes() * defaultShare;
  return Math.floor(
    told === undefined ? Math.min(all / workers, heapLimitBytes() * heapShare) : all / workers,
  );
}

/** What States of this process may take. Warns where the heap limit allows less than was asked for. */
export function memoryBudget(settings: SettingValues, log: Log): MemoryBudget {
  const wanted = memoryOfEach(settings, 1);
  const allowed = Math.floor(heapLimitBytes() * heapShare);
  if (wanted > allowed) {
    log.warn('max_memory_limited', {
      maxMemoryBytes: wanted,
      usedBytes: allowed,
      heapLimitBytes: heapLimitBytes(),
      hint: `NODE_OPTIONS=--max-old-space-size=${Math.ceil(wanted / heapShare / 2 ** 20)} raises the heap limit`,
    });
  }
  const maxStates = settings['max-states-in-memory'];
  return {
    maxBytes: Math.min(wanted, allowed),
    baseBytes: usedMemoryBytes(),
    ...(maxStates !== undefined && { maxStates }),
  };
}
