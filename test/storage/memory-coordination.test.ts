import t from 'tap';
import { MemoryCoordination } from '../../src/storage/memory/memory-coordination.js';
import { coordinationSuite } from './coordination.js';

coordinationSuite(t, async () => {
  let nowMs = 1_000_000;
  return {
    coordination: new MemoryCoordination({ leaseMs: 3000, nowMs: () => nowMs }),
    pass: async (ms) => {
      nowMs += ms;
    },
    close: async () => {},
  };
});
