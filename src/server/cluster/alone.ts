import type { Member } from '../../storage/coordination.js';
import type { Peers } from './peers.js';

/** A server that is its whole cluster: every bucket is its own, and nobody is there to be asked. */
export function alone(self: () => Member): Peers {
  const nobody = (): never => {
    throw new Error('there are no other servers');
  };
  return {
    get self() {
      return self().id;
    },
    members: () => [self()],
    holderOf: () => self().id,
    notHeldBy() {},
    push: async () => nobody(),
    ask: async () => nobody(),
  };
}
