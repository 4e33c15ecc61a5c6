import fc from 'fast-check';
import t from 'tap';
import { EncodedState, reduceState } from '../../../src/core/handlers/encoded-state.js';
import type { Handler } from '../../../src/core/handlers/handler.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../../src/core/ids.js';
import { Slot, TabSlots } from '../../../src/server/reduce/slot.js';
import { StateMemory } from '../../../src/server/reduce/state-memory.js';
import { decodeState, encodeState } from '../../../src/wire/state.js';
import { bytesOf, epochSec, eventsOf, stateOf, type TestEvent } from '../../core/handlers/state-kit.js';

const registry = builtinHandlers();
const handlerOf = (type: string): Handler => registry.get(type as TabType)!;

function newSlot(handler: Handler): Slot {
  return new Slot(new TabSlots('tab' as TabName, handler.type, handler), 'client' as ClientId);
}

function encoded(handler: Handler, state: unknown): EncodedState {
  return EncodedState.copyOf(Buffer.from(bytesOf(handler, state), 'hex'));
}

/** As a Part is applied. */
function add(memory: StateMemory, slot: Slot, handler: Handler, state: unknown): void {
  if (memory.add(slot, handler, encoded(handler, state))) return;
  if (!slot.isInMemory) memory.keep(slot, handler.newState());
  handler.reduce(memory.writable(slot), state);
}

const counterGroup = handlerOf('CounterGroup');
const few: TestEvent[] = [{ payload: 1.5, meta: { timestampSec: epochSec, sequence: 0 } }];
/** Of so many different buckets that it is never small. */
const many: TestEvent[] = Array.from({ length: 1500 }, (_, at) => ({
  ...{ payload: 1.01 ** at, meta: { timestampSec: epochSec - at * 3, sequence: 0 } },
}));

for (const type of registry.types()) {
  const handler = handlerOf(type);
  t.test(`${type}: a State holds the same, however it is kept`, async () => {
    const one = fc.record({
      events: eventsOf(type),
      next: fc.constantFrom('nothing', 'look', 'page', 'reload'),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20, size: 'max' }), (list) => {
        const memory = new StateMemory();
        const slot = newSlot(handler);
        const expected = handler.newState();
        const isRight = list.every(({ events, next }) => {
          const part = stateOf(handler, events);
          handler.reduce(expected, part);
          add(memory, slot, handler, part);
          const due = bytesOf(handler, expected);
          if (next === 'look') return bytesOf(handler, memory.stateOf(slot)) === due;
          if (next === 'nothing') return true;
          const page = memory.pageOf(slot, handler);
          if (next === 'reload') {
            memory.drop(slot);
            memory.keepPage(slot, handler, page);
          }
          return bytesOf(handler, decodeState(handler, page)) === due;
        });
        if (list.length === 0 || !isRight) return isRight;
        const atLast = bytesOf(handler, memory.writable(slot)) === bytesOf(handler, expected);
        return atLast && typeof slot.kept === 'object';
      }),
    );
  });
}

t.test('a small State stays encoded, and becomes an object when it has grown', async (t) => {
  const memory = new StateMemory();
  const slot = newSlot(counterGroup);
  add(memory, slot, counterGroup, stateOf(counterGroup, few));
  add(memory, slot, counterGroup, stateOf(counterGroup, few));
  t.type(slot.kept, 'number');
  const looked = memory.stateOf(slot);
  t.not(memory.stateOf(slot), looked, 'what is looked at is a copy');
  add(memory, slot, counterGroup, stateOf(counterGroup, many));
  t.type(slot.kept, 'object');
  const expected = stateOf(counterGroup, [...few, ...few, ...many]);
  t.equal(bytesOf(counterGroup, memory.stateOf(slot)), bytesOf(counterGroup, expected));
});

t.test('many small Parts make an object in the end, and nothing is lost on the way', async (t) => {
  const memory = new StateMemory();
  const slot = newSlot(counterGroup);
  const kinds = new Set<string>();
  for (const event of many) {
    add(memory, slot, counterGroup, stateOf(counterGroup, [event]));
    kinds.add(typeof slot.kept);
  }
  t.same([...kinds], ['number', 'object']);
  t.equal(bytesOf(counterGroup, memory.stateOf(slot)), bytesOf(counterGroup, stateOf(counterGroup, many)));
});

t.test('a State to which large Parts come is an object as soon as it has no room for one more', async (t) => {
  const memory = new StateMemory();
  const slot = newSlot(counterGroup);
  const large = stateOf(counterGroup, many.slice(0, 20));
  const { length } = bytesOf(counterGroup, large);
  const kinds = Array.from({ length: 8 }, () => {
    add(memory, slot, counterGroup, large);
    return typeof slot.kept;
  });
  t.ok(length / 2 < 512, 'it is small enough to begin encoded');
  t.equal(kinds[0], 'number');
  t.ok(kinds.indexOf('object') > 0 && kinds.indexOf('object') < 6, `${kinds}`);
  t.match(memory.stateOf(slot), { all: { count: 20 * 8 } });
});

t.test('an object that turns out to be small is kept encoded from its next page on', async (t) => {
  const memory = new StateMemory();
  const slot = newSlot(counterGroup);
  memory.keep(slot, stateOf(counterGroup, few));
  const page = memory.pageOf(slot, counterGroup);
  t.type(slot.kept, 'number');
  t.equal(
    bytesOf(counterGroup, memory.stateOf(slot)),
    bytesOf(counterGroup, decodeState(counterGroup, page)),
  );
});

t.test('what its Handler cannot add up encoded is an object from the beginning', async (t) => {
  const memory = new StateMemory();
  const gauge = handlerOf('Gauge');
  const slot = newSlot(gauge);
  t.notOk(memory.add(slot, gauge, encoded(gauge, gauge.newState())));
  t.notOk(slot.isInMemory);
  memory.keepPage(slot, gauge, encodeState(gauge, gauge.newState()));
  t.type(slot.kept, 'object');
});

t.test(
  'a State that remembers streams which add up themselves is an object: they have to be settled',
  async (t) => {
    const memory = new StateMemory();
    const slot = newSlot(counterGroup);
    const state = stateOf(counterGroup, few);
    const point = { stream: 7, startSec: epochSec, monotonic: true, timeSec: epochSec + 1, value: 3 };
    counterGroup.foldCumulative!(state, point);
    memory.keepPage(slot, counterGroup, encodeState(counterGroup, state));
    t.type(slot.kept, 'object');
    t.equal(bytesOf(counterGroup, memory.stateOf(slot)), bytesOf(counterGroup, state));
  },
);

t.test('a damaged page is corrupt, and leaves the slot as it was', async (t) => {
  const memory = new StateMemory();
  const slot = newSlot(counterGroup);
  const page = Buffer.from(encodeState(counterGroup, stateOf(counterGroup, few)));
  page[5]! ^= 1;
  t.throws(() => memory.keepPage(slot, counterGroup, page), { code: 'corrupt' });
  t.notOk(slot.isInMemory);
});

t.test('what is dropped leaves its memory to others', async (t) => {
  const memory = new StateMemory();
  const slots = Array.from({ length: 100 }, () => newSlot(counterGroup));
  for (const slot of slots) add(memory, slot, counterGroup, stateOf(counterGroup, few));
  const { freeBytes } = memory;
  for (const slot of slots) memory.drop(slot);
  t.ok(memory.freeBytes > freeBytes);
  for (const slot of slots) add(memory, slot, counterGroup, stateOf(counterGroup, few));
  t.equal(memory.freeBytes, freeBytes);
});

t.test('what States leave behind that all grow into objects is given back', async (t) => {
  const memory = new StateMemory();
  const slots = Array.from({ length: 400 }, () => newSlot(counterGroup));
  const parts = many.slice(0, 150).map((event) => encoded(counterGroup, stateOf(counterGroup, [event])));
  for (const part of parts) {
    for (const slot of slots) {
      if (!memory.add(slot, counterGroup, part)) reduceState(counterGroup, memory.writable(slot), part);
    }
  }
  t.ok(slots.every(({ kept }) => typeof kept === 'object'));
  t.ok(memory.freeBytes > 400 * 2 ** 10);
  memory.giveBack();
  t.ok(memory.freeBytes < 2 ** 19, 'but for the newest pieces');
});
