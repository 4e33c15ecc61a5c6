import type { MemberId } from '../../core/ids.js';
import type { Member } from '../../storage/coordination.js';
import type { Owners } from '../reduce/owners.js';
import { alone } from './alone.js';
import type { Cluster } from './cluster.js';

/** A server on a store of its own: every bucket is its, from the start to the end. */
export function soleCluster(owners: Owners, self: MemberId, describe: () => Member): Cluster {
  return {
    peers: alone(self, describe),
    questions: {},
    deliver: (block) => owners.take(block),
    mayRead: true,
    isCurrent: true,
    assignedPlace: async () => 'here',
    start: () => owners.start(),
    waitingFor: undefined,
    get trouble() {
      const { serving } = owners.stats().buckets;
      return serving < owners.bucketCount
        ? `${serving} of ${owners.bucketCount} buckets are served`
        : undefined;
    },
    handOver: async () => {},
    leave: async () => {},
    close: () => {},
  };
}
