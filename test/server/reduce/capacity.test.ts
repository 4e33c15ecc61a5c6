import t from 'tap';
import type { ClientId } from '../../../src/core/ids.js';
import { Capacity } from '../../../src/server/reduce/capacity.js';

const limits = { maxTabs: 10, maxClients: 2 };
const MiB = 2 ** 20;

/** A capacity that has `states` States in memory, and nothing cold. */
function full(states: number, maxBytes = 100 * MiB): Capacity {
  const capacity = new Capacity(limits, { maxBytes });
  capacity.states = states;
  return capacity;
}

t.test('without a budget nothing bounds the States', (t) => {
  const capacity = new Capacity(limits);
  capacity.states = 1_000_000;
  capacity.slots = 1_000_000_000;
  t.equal(capacity.maxStates, Number.POSITIVE_INFINITY);
  t.ok(capacity.hasRoomForSlot);
  t.notOk(capacity.isOverfull);
  t.end();
});

t.test('how many States fit follows from what the process holds', (t) => {
  const capacity = full(10_000);
  const before = capacity.maxStates;
  capacity.measured(10_000 * 9 * 1024);
  t.equal(capacity.stateBytes, 9 * 1024);
  t.equal(
    capacity.maxStates,
    Math.floor((100 * MiB * 0.6) / (9 * 1024)),
    'the rest of the budget is for garbage',
  );
  t.ok(capacity.maxStates < before);
  capacity.measured(10_000 * 1024);
  t.equal(capacity.stateBytes, 5 * 1024, 'smaller ones are believed by and by');
  capacity.measured(0);
  capacity.measured(0);
  t.ok(capacity.stateBytes >= 64);
  t.end();
});

t.test('base and index are taken off first', (t) => {
  const capacity = new Capacity(limits, { maxBytes: 100 * MiB, baseBytes: 40 * MiB });
  capacity.states = 10_000;
  capacity.measured(40 * MiB + 10_000 * 2048);
  t.equal(capacity.stateBytes, 2048);
  const without = capacity.maxStates;
  capacity.slots = 100_000;
  t.ok(capacity.maxStates < without, 'every (tab, client) costs, cold or not');
  t.end();
});

t.test('a few States tell nothing, and a few are always allowed', (t) => {
  const capacity = full(10);
  const before = capacity.stateBytes;
  capacity.measured(500 * MiB);
  t.equal(capacity.stateBytes, before);
  capacity.states = 5000;
  capacity.measured(1000 * MiB);
  t.equal(capacity.maxStates, 1000);
  t.end();
});

t.test('an explicit number of States wins where it is less', (t) => {
  const capacity = new Capacity(limits, { maxBytes: 100 * MiB, maxStates: 7 });
  t.equal(capacity.maxStates, 7);
  t.equal(new Capacity(limits, { maxStates: 7 }).maxStates, 7);
  t.end();
});

t.test('Blocks wait when States are touched faster than written down', (t) => {
  const capacity = full(0, 10 * MiB);
  capacity.states = capacity.maxStates + 1;
  t.notOk(capacity.hasRoomForState);
  t.notOk(capacity.isOverfull, 'a little more than the bound is what eviction is for');
  capacity.states = capacity.maxStates * 2;
  t.ok(capacity.isOverfull);
  t.end();
});

t.test('an index that takes most of the budget takes nothing new', (t) => {
  const capacity = full(0, 10 * MiB);
  t.ok(capacity.hasRoomForSlot);
  capacity.slots = Math.ceil((10 * MiB * 0.4) / 200);
  t.notOk(capacity.hasRoomForSlot);
  t.end();
});

t.test('a client counts once, in however many tabs it is', (t) => {
  const capacity = new Capacity(limits);
  const [a, b, c] = ['a', 'b', 'c'] as ClientId[] as [ClientId, ClientId, ClientId];
  for (const client of [a, a, b]) capacity.addClient(client);
  t.equal(capacity.clients, 2);
  t.ok(capacity.admitsClient(a));
  t.notOk(capacity.admitsClient(c));
  capacity.removeClient(a);
  t.notOk(capacity.admitsClient(c), 'a is still in another tab');
  capacity.removeClient(a);
  t.ok(capacity.admitsClient(c));
  t.end();
});
