import type { MemberId } from '../../core/ids.js';
import type { Member } from '../../storage/coordination.js';
import type { Peers } from './peers.js';

/** A server that is its whole cluster: every bucket is its own, and nobody is there to be asked. */
export function alone(self: MemberId, describe: () => Member): Peers {
  const nobody = (): never => {
    throw new Error('there are no other servers');
  };
  return {
    self,
    members: () => [describe()],
    holderOf: () => self,
    notHeldBy() {},
    push: async () => nobody(),
    ask: async () => nobody(),
  };
}
