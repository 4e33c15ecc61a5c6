import t from 'tap';
import type { Recorder } from '../../src/client/engine.js';
import { FoldBuffer } from '../../src/client/fold-buffer.js';
import { type ClientFault, Tally } from '../../src/client/tally.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../src/core/ids.js';
import { PartMap } from '../../src/core/parts.js';
import { decodePart, encodeParts, readParts } from '../../src/wire/parts.js';
import { FakeClock } from '../support/fake-clock.js';

const registry = builtinHandlers();
const client = 'c' as ClientId;
const types = ['CounterGroup', 'PercentileGroup', 'PercentileCounter', 'TotalsCounter', 'UniqueCounter'];

function newBuffer(maxBytes = 1e9, onError?: (fault: ClientFault) => void) {
  const clock = new FakeClock();
  const tally = new Tally(onError);
  const buffer = new FoldBuffer({
    registry,
    client,
    maxBytes,
    clock,
    tally,
    filled() {},
    turned() {},
  });
  return { buffer, clock, tally };
}

/** Records in the buffer, and folds the same events one by one. */
function recorder(buffer: FoldBuffer, clock: FakeClock) {
  const expected = new PartMap(registry);
  const held = new Map<string, Recorder>();
  const record = (name: string, type: string, payload: unknown) => {
    const tab = held.get(name) ?? buffer.tab(name, type);
    held.set(name, tab);
    tab.record(payload);
    const value = registry.get(type)!.parse(payload);
    const meta = { timestampSec: clock.nowMs() / 1000, sequence: 0 };
    expected.fold(name as TabName, type as TabType, client, value, meta);
  };
  return { expected, record };
}

function reduceInto(parts: PartMap, payload: Uint8Array): void {
  for (const record of readParts(payload)) {
    parts.reduce(record.tab, record.type, record.client, decodePart(record, registry), record.events);
  }
}

t.test('what is taken is what folding event by event gives', async (t) => {
  const { buffer, clock } = newBuffer();
  for (let flush = 0; flush < 3; flush++) {
    const { expected, record } = recorder(buffer, clock);
    for (let event = 0; event < 300; event++) {
      const number = event % 7;
      for (const type of types) {
        const payload = (value: number) => (type === 'UniqueCounter' ? `user${value}` : value);
        record(`wide.${type}`, type, payload((event * 31) % 400));
        if (number < 3) record(`${type}.${number}`, type, payload(number - 1));
      }
      // Two turns of the second: some tabs have a State already, others only what is in the columns.
      if (event === 100 || event === 200) clock.advance(1000);
      if (event === 250) record('late', 'CounterGroup', 0.5);
    }
    const taken = buffer.take(1e9)!;
    t.equal(taken.events, expected.events);
    t.notOk(taken.isPartial);
    t.strictSame(Buffer.from(taken.payload), Buffer.from(encodeParts(expected, registry)));
    t.ok(buffer.isEmpty);
    t.same([buffer.events, buffer.bytes], [0, 0]);
  }
});

t.test('what did not fit goes on counting, and is counted in its size', async (t) => {
  const { buffer, clock } = newBuffer();
  const { expected, record } = recorder(buffer, clock);
  const sum = new PartMap(registry);
  for (let round = 0; round < 5; round++) {
    for (let tab = 0; tab < 40; tab++) {
      for (let event = 0; event < 50; event++) record(`tab${tab}`, 'CounterGroup', event + tab + 1);
    }
    const taken = buffer.take(1500)!;
    t.ok(taken.isPartial);
    t.ok(taken.payload.length <= 1500);
    t.ok(buffer.bytes > 30 * 4 * 50, 'the encoded size of what is left, times four');
    t.equal(buffer.events, expected.events - sum.events - taken.events);
    reduceInto(sum, taken.payload);
    if (round === 2) clock.advance(1000);
  }
  for (let taken = buffer.take(1500); taken !== undefined; taken = buffer.take(1500)) {
    reduceInto(sum, taken.payload);
  }
  t.strictSame(Buffer.from(encodeParts(sum, registry)), Buffer.from(encodeParts(expected, registry)));
  t.same([buffer.events, buffer.bytes], [0, 0]);
});

t.test('a tab that alone is too large for a payload is lost, and counted; the others are not', async (t) => {
  const { buffer, clock, tally } = newBuffer();
  const { record } = recorder(buffer, clock);
  for (let event = 0; event < 300; event++) record('wide', 'CounterGroup', 1.07 ** event);
  record('narrow', 'CounterGroup', 1);
  const events: number[] = [];
  for (let taken = buffer.take(200); taken !== undefined; taken = buffer.take(200)) events.push(taken.events);
  t.same(events, [1]);
  t.same([...tally.lostByReason], [['too_large', 300]]);
  t.same([buffer.events, buffer.bytes], [0, 0]);
});

t.test('what is discarded is counted', async (t) => {
  const { buffer, clock } = newBuffer();
  const { record } = recorder(buffer, clock);
  for (let event = 0; event < 10; event++) record('tab', 'CounterGroup', event);
  record('other', 'Gauge', 'up');
  t.equal(buffer.discard(), 11);
  t.equal(buffer.take(1000), undefined);
  t.same([buffer.events, buffer.bytes], [0, 0]);
});

t.test('events are of the second in which they came, however many come together', async (t) => {
  const { buffer, clock } = newBuffer();
  const { expected, record } = recorder(buffer, clock);
  let recorded = 0;
  for (const size of [3, 200, 1, 128, 127, 129, 5]) {
    for (let event = 0; event < size; event++) record(`tab${event % 3}`, 'CounterGroup', event);
    recorded += size;
    t.same([buffer.events, buffer.untold, buffer.isEmpty], [recorded, recorded, false], `${size} more`);
    clock.advance(1000);
  }
  const taken = buffer.take(1e9)!;
  t.equal(taken.events, recorded);
  t.strictSame(Buffer.from(taken.payload), Buffer.from(encodeParts(expected, registry)));
});

t.test(
  'what there is no room for is counted, whatever the application does when it hears of it',
  async (t) => {
    const faults: string[] = [];
    let taken = 0;
    const roomForTwoTabs = 1500;
    const { buffer, tally } = newBuffer(roomForTwoTabs, ({ code }) => {
      faults.push(code);
      for (const tab of tabs) tab.record(1);
      taken += buffer.take(1e9)!.events;
      for (const tab of tabs) tab.record(1);
    });
    const tabs = ['a', 'b', 'c', 'd'].map((name) => buffer.tab(name, 'CounterGroup'));
    for (const tab of tabs) {
      for (const value of [1, 2, 3]) tab.record(value);
      taken += buffer.take(1e9)!.events;
    }
    for (let event = 0; event < 400; event++) tabs[event % 4]!.record(event);
    taken += buffer.take(1e9)!.events;
    t.same(faults, ['buffer_full'], 'told once');
    t.equal(tally.recorded, 12 + 400 + 8);
    t.equal(taken + tally.lost, tally.recorded);
    t.ok(tally.lost > 100);
    t.same([buffer.events, buffer.untold, buffer.bytes, buffer.isEmpty], [0, 0, 0, true]);
  },
);

t.test('names that are made up while there is no room leave nothing behind', async (t) => {
  const { buffer, tally } = newBuffer(700);
  buffer.tab('first', 'CounterGroup').record(1);
  for (let name = 0; name < 1000; name++) buffer.tab(`name${name}`, 'CounterGroup').record(1);
  t.same([...tally.lostByReason], [['buffer_full', 1000]]);
  t.equal(tally.rejected, 0);
  buffer.take(1e9);
  t.equal(buffer.cellOf('later', 'CounterGroup')?.row, 1);
});

t.test('what came before the end is not lost, what comes later is', async (t) => {
  const { buffer, tally } = newBuffer();
  const [first, second] = ['a', 'b'].map((name) => buffer.tab(name, 'CounterGroup'));
  for (const tab of [first, second]) for (const value of [1, 2]) tab!.record(value);
  buffer.take(1e9);
  // The first makes something wait, so that the second is staged.
  first!.record(1);
  second!.record(2);
  buffer.close();
  t.equal(buffer.take(1e9)!.events, 2);
  second!.record(3);
  t.same([...tally.lostByReason], [['closed', 1]]);
});

t.test('tabs that were forgotten give their rows to others, and find new ones', async (t) => {
  const { buffer, clock } = newBuffer();
  const held = buffer.tab('held', 'CounterGroup');
  const sum = new PartMap(registry);
  const flush = () => {
    const taken = buffer.take(1e9);
    if (taken !== undefined) reduceInto(sum, taken.payload);
  };
  for (const value of [1, 2, 3]) held.record(value);
  for (let flushes = 0; flushes < 70; flushes++) {
    for (let tab = 0; tab < 300; tab++) buffer.tab(`round${flushes}.${tab}`, 'CounterGroup').record(tab);
    flush();
  }
  clock.advance(1000);
  for (const value of [4, 5, 6]) held.record(value);
  buffer.tab('late', 'CounterGroup').record(100);
  flush();
  const view = { nowSec: clock.nowMs() / 1000 };
  const shown = new Map<string, unknown>();
  for (const { tab, type, state } of sum.entries()) {
    shown.set(tab, registry.get(type)!.render(state, 'json', view));
  }
  t.equal(shown.size, 21_002);
  t.match(shown.get('held'), { pct: { count: 6, total: 21 } });
  t.match(shown.get('late'), { pct: { count: 1, total: 100 } });
  t.match(shown.get('round3.7'), { pct: { count: 1, total: 7 } });
  t.equal(sum.events, 21_007);
});

t.test(
  'what waits for long counts in its own seconds: over a minute, and for longer than columns tell seconds apart',
  async (t) => {
    const { buffer, clock } = newBuffer();
    const { expected, record } = recorder(buffer, clock);
    for (let second = 0; second < 75; second++) {
      for (const type of types.slice(0, 4)) {
        record(`steady.${type}`, type, second % 5);
        if (second % 30 === 0) record(`rare.${type}`, type, 0.25);
      }
      clock.advance(second === 40 ? 3000 : 1000);
    }
    const taken = buffer.take(1e9)!;
    t.equal(taken.events, expected.events);
    t.strictSame(Buffer.from(taken.payload), Buffer.from(encodeParts(expected, registry)));
  },
);

t.test('a wall clock that goes back', async (t) => {
  const { buffer, clock } = newBuffer();
  const { expected, record } = recorder(buffer, clock);
  for (const ms of [0, 5000, -3000, 1000]) {
    clock.jumpTo(clock.nowMs() + ms);
    // The buffer looks at the clock every 50 ms.
    clock.advance(100);
    for (let value = 1; value < 4; value++) record('tab', 'CounterGroup', value);
  }
  const taken = buffer.take(1e9)!;
  t.strictSame(Buffer.from(taken.payload), Buffer.from(encodeParts(expected, registry)));
});

t.test('where not everything fits, the next payload goes on behind the last one', async (t) => {
  const { buffer, clock } = newBuffer();
  const { record } = recorder(buffer, clock);
  const sent = new Set<string>();
  for (let flush = 0; flush < 30; flush++) {
    for (let tab = 10; tab < 40; tab++) record(`tab${tab}`, 'CounterGroup', 1);
    const taken = buffer.take(300)!;
    t.ok(taken.isPartial);
    for (const { tab } of readParts(taken.payload)) sent.add(tab);
  }
  t.equal(sent.size, 30);
});
