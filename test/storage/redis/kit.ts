import { systemClock } from '../../../src/runtime/system-clock.js';
import type { RedisStoreOptions } from '../../../src/storage/redis/options.js';
import { openRedisStore, type SharedStore } from '../../../src/storage/redis/redis-store.js';
import { LogKeeper } from '../fixture.js';

let prefixes = 0;

/** A prefix that no other test on the same Redis uses. */
export function freshPrefix(): string {
  return `taba${++prefixes}:`;
}

export function optionsFor(
  topology: RedisStoreOptions['topology'],
  more: Partial<RedisStoreOptions> = {},
): RedisStoreOptions {
  return {
    topology,
    prefix: freshPrefix(),
    waitReplicas: topology.kind === 'sentinel' ? 1 : 0,
    bucketCount: 4,
    leaseMs: 3000,
    clock: systemClock(),
    log: new LogKeeper(),
    ...more,
  };
}

export function openFor(
  topology: RedisStoreOptions['topology'],
  more: Partial<RedisStoreOptions> = {},
): Promise<SharedStore> {
  return openRedisStore(optionsFor(topology, more));
}
