import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { PartMap } from '../../../src/core/parts.js';
import type { StageContext } from '../../../src/intake/context.js';
import { DenyLists } from '../../../src/intake/deny-lists.js';
import { Gathering } from '../../../src/intake/gathering.js';
import { DictionaryRoom, TabDictionary } from '../../../src/intake/raw/dictionary.js';
import { stageColumns } from '../../../src/intake/raw/stage-columns.js';
import { stage } from '../../../src/intake/stage.js';
import type { PushRaw } from '../../../src/wire/frame.js';
import { encodeParts } from '../../../src/wire/parts.js';
import { writeRawColumns } from '../../../src/wire/raw-columns.js';
import { contextWith, nowSec, registry } from '../node.js';

interface Group {
  readonly id: number;
  readonly sec: number;
  readonly values: readonly number[];
}

/** By id. */
const tabs = [
  ['a', 'CounterGroup'],
  ['b', 'PercentileGroup'],
  ['c', 'TotalsCounter'],
  ['not a name', 'CounterGroup'],
  ['d', 'Nothing'],
  ['a', 'TotalsCounter'],
  ['f', 'Gauge'],
] as const;

function frameOf(groups: readonly Group[], client?: string): PushRaw {
  const columns = writeRawColumns({
    tabs: Uint32Array.from(groups, ({ id }) => id),
    counts: Uint32Array.from(groups, ({ values }) => values.length),
    seconds: Float64Array.from(groups, ({ sec }) => sec),
    values: Float64Array.from(groups.flatMap(({ values }) => values)),
  });
  return {
    kind: 'push-raw',
    session: 's',
    number: 1,
    ...(client === undefined ? {} : { client }),
    ...columns,
  };
}

function dictionaryOf(context: StageContext): TabDictionary {
  const { deny, limits } = context;
  const dictionary = new TabDictionary(new DictionaryRoom(), {
    ...{ registry, deny, limits: { ...limits, maxTabs: 100 } },
  });
  dictionary.define(tabs.map(([name, type], id) => ({ id, name, type })));
  return dictionary;
}

function staged(groups: readonly Group[], change: Partial<StageContext> = {}, client?: string) {
  const context = contextWith(change);
  return stageColumns(frameOf(groups, client), dictionaryOf(context), context);
}

function bytesOf(parts: PartMap): string {
  return Buffer.from(encodeParts(parts, registry)).toString('hex');
}

const group = fc.record({
  id: fc.nat(tabs.length),
  sec: fc.constantFrom(nowSec, nowSec - 1, nowSec + 0.5, nowSec + 60, -1, Number.NaN, ...lately()),
  values: fc.array(fc.constantFrom(1, 1, 2.5, -3, 0, -0, 1e9, Number.NaN, Number.POSITIVE_INFINITY), {
    maxLength: 6,
  }),
});

/** More seconds than there are columns for. */
function lately(): number[] {
  return Array.from({ length: 12 }, (_, age) => nowSec - 100 - age);
}

const groupsOf = fc.array(group, { maxLength: 20 });

t.test('what counts, and what does not, is as it is of other bodies', async () => {
  fc.assert(
    fc.property(groupsOf, (groups) => {
      const raw = staged(groups);
      raw.fold();
      const items = groups.flatMap(({ id, sec, values }) =>
        values.map((payload) => {
          const [tab, type] = tabs[id] ?? ['', 'Noop'];
          return {
            client: undefined,
            tab,
            type,
            timestampSec: sec,
            payload: id === 6 ? Number.NaN : payload,
          };
        }),
      );
      const other = stage((sink) => {
        for (const item of items) sink.event(item);
      }, contextWith());
      deepStrictEqual(raw.received, other.received);
      deepStrictEqual(raw.accepted, other.accepted);
      deepStrictEqual(raw.clamped, other.clamped);
      deepStrictEqual(
        raw.rejections.listed.map(({ index }) => index),
        other.rejections.listed.map(({ index }) => index),
      );
      deepStrictEqual(raw.parts.events, raw.accepted);
      deepStrictEqual(bytesOf(raw.parts), bytesOf(other.parts));
    }),
  );
});

t.test('gathered until a flush it is the same', async () => {
  fc.assert(
    fc.property(fc.array(groupsOf, { maxLength: 3 }), (frames) => {
      const context = contextWith({ typeOf: (tab) => gathering.typeOf(tab) });
      const dictionary = dictionaryOf(context);
      const gathered: PartMap[] = [];
      let sequence = 0;
      const gathering: Gathering = new Gathering({
        registry,
        nextSequence: () => sequence++,
        handOver: (parts) => gathered.push(parts),
        refuse: () => {},
      });
      let accepted = 0;
      let handedOver = 0;
      for (const groups of frames) {
        const raw = stageColumns(frameOf(groups), dictionary, context);
        accepted += raw.accepted;
        raw.gatherInto(gathering);
        handedOver += raw.parts.events;
      }
      deepStrictEqual(
        gathering.waiting + handedOver + gathered.reduce((sum, parts) => sum + parts.events, 0),
        accepted,
      );
      gathering.handOver();
      deepStrictEqual(gathering.waiting, 0);
    }),
  );
});

t.test('what was gathered makes the States that folding makes', async () => {
  fc.assert(
    fc.property(groupsOf, (groups) => {
      const folded = staged(groups);
      folded.fold();
      const merged = new PartMap(registry);
      const gathering = new Gathering({
        registry,
        nextSequence: () => 0,
        handOver: (parts) => merged.reduceAll(parts),
        refuse: () => {},
      });
      const raw = staged(groups);
      raw.gatherInto(gathering);
      gathering.handOver();
      merged.reduceAll(raw.parts);
      deepStrictEqual(bytesOf(merged), bytesOf(folded.parts));
    }),
  );
});

t.test('each fault is said of its events alone', (t) => {
  const groups: Group[] = [
    { id: 0, sec: nowSec, values: [1, Number.NaN, 3] },
    { id: 3, sec: nowSec, values: [1] },
    { id: 4, sec: nowSec, values: [1] },
    { id: 5, sec: nowSec, values: [1] },
    { id: 6, sec: nowSec, values: [1] },
    { id: 1, sec: -5, values: [1] },
    { id: 77, sec: nowSec, values: [1, 2] },
    { id: 2, sec: nowSec + 3600, values: [8, Number.NEGATIVE_INFINITY] },
  ];
  const raw = staged(groups);
  t.same(
    raw.rejections.listed.map(({ index, code }) => [index, code]),
    [
      [1, 'bad_value'],
      [3, 'bad_name'],
      [4, 'unknown_type'],
      [5, 'type_conflict'],
      [6, 'bad_value'],
      [7, 'bad_timestamp'],
      [8, 'bad_event'],
      [9, 'bad_event'],
      [11, 'bad_value'],
    ],
  );
  t.match(raw.rejections.listed[0]!.message, /^a: NaN is not a finite number/);
  t.equal(raw.accepted, 3);
  t.equal(raw.clamped, 1);
  t.same(raw.pairs.map(({ tab }) => tab).sort(), ['a', 'c']);
  t.end();
});

t.test('what the node knows, and has no room for, is asked once for each tab', (t) => {
  const asked: string[] = [];
  const raw = staged(
    [
      { id: 0, sec: nowSec, values: [1] },
      { id: 0, sec: nowSec - 1, values: [1] },
      { id: 1, sec: nowSec, values: [1] },
      { id: 2, sec: nowSec, values: [1, 1] },
    ],
    {
      typeOf: (tab) => (tab === 'b' ? ('Gauge' as never) : undefined),
      admits: (tab) => {
        asked.push(tab);
        return tab === 'c' ? 'too_many_tabs' : undefined;
      },
    },
  );
  t.same(asked, ['a', 'c']);
  t.same(
    [...raw.rejections.byCode],
    [
      ['type_conflict', 1],
      ['too_many_tabs', 2],
    ],
  );
  t.end();
});

t.test('a client that is none is the fault of all events', (t) => {
  for (const [client, code] of [
    ['no client', 'bad_client'],
    ['', 'bad_client'],
    ['x'.repeat(2000), 'bad_client'],
  ] as const) {
    const raw = staged([{ id: 0, sec: nowSec, values: [1, 2] }], {}, client);
    t.same([...raw.rejections.byCode], [[code, 2]]);
  }
  const deny = new DenyLists({ names: [], clients: ['me'], maxExpressionBytes: 100 });
  t.same([...staged([{ id: 0, sec: nowSec, values: [1] }], { deny }).rejections.byCode], [['denied', 1]]);
  t.end();
});

t.test('what is refused later is taken out, each event once', (t) => {
  const raw = staged([
    { id: 0, sec: nowSec + 3600, values: [1, Number.NaN, 3] },
    { id: 1, sec: nowSec, values: [1] },
  ]);
  raw.fold();
  raw.rejectLater([]);
  t.equal(raw.accepted, 3);
  t.equal(raw.clamped, 2);
  const refusal = { tab: 'a', client: '', code: 'too_many_states', message: 'no room' } as const;
  raw.rejectLater([refusal, { ...refusal, tab: 'b', client: 'somebody-else' }]);
  raw.rejectLater([refusal]);
  t.same(
    [...raw.rejections.byCode],
    [
      ['bad_value', 1],
      ['too_many_states', 2],
    ],
  );
  t.equal(raw.accepted, 1);
  t.equal(raw.clamped, 0);
  t.end();
});
