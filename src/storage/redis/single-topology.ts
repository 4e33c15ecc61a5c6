import type { HostAndPort } from './options.js';
import type { Topology } from './topology.js';

/** One Redis that holds every bucket. */
export function singleTopology(at: HostAndPort, bucketCount: number): Topology {
  const name = 'redis';
  return {
    shards: [name],
    hasSlots: false,
    controlShard: name,
    keepsMeta: () => true,
    bucketsOf: () => `0-${bucketCount - 1}`,
    shardOf: () => name,
    locate: async () => at,
    onMove: () => {},
    close: () => {},
  };
}
