import type { Producer } from '../../core/producer/producer.js';
import type { Routes } from './routes.js';

/** A Block that is under way for longer does not travel, it waits: what is sealed behind it would only wait as well, and merge no more. */
const waitsAfterMs = 1000;

/** Seals a Block of every bucket that can be sent at once. @returns how many buckets had something, and how many were sealed */
export function sealDue(
  producer: Producer,
  routes: Routes,
  nowMs: number,
): { readonly due: number; readonly sealed: number } {
  const due = [...producer.unnumbered()].length;
  let sealed = 0;
  for (const bucket of [...producer.readyBuckets()]) {
    const [oldest] = producer.open(bucket);
    if (oldest !== undefined && nowMs - oldest.sealedAtMs > waitsAfterMs) continue;
    if (!routes.ready(bucket) || producer.seal(bucket, nowMs) === undefined) continue;
    routes.sealed(bucket);
    sealed++;
  }
  return { due, sealed };
}
