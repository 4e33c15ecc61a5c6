import fc from 'fast-check';
import t from 'tap';
import { ByteWriter } from '../../src/core/bytes.js';
import type { PartEntry } from '../../src/core/parts.js';
import { PartMap } from '../../src/core/parts.js';
import { xxHash32 } from '../../src/core/xxhash32.js';
import { decodePart, encodeParts, readParts } from '../../src/wire/parts.js';
import {
  clientId,
  hexOf,
  probeHandler,
  registryOf,
  tabName,
  tabType,
  withBitFlipped,
} from './probe-handler.js';

const registry = registryOf(probeHandler('Probe'), probeHandler('Other', 1));

function entry(tab: string, client: string, sum: number, events = 1, type = 'Probe'): PartEntry {
  return { tab: tabName(tab), type: tabType(type), client: clientId(client), state: { sum }, events };
}

const example = [
  entry('b', 'host-2', 7, 3),
  entry('a', 'host-2', -1, 1, 'Other'),
  entry('b', 'host-1', 2 ** 40, 200),
];

function sealed(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter();
  write(out);
  out.u32(xxHash32(out.peek()));
  return out.finish();
}

/** A payload of one Part, with one thing replaced. */
function payloadWith(part: {
  format?: number;
  clients?: number | string[];
  types?: number | string[];
  version?: number;
  tabs?: number | string[];
  type?: number;
  parts?: number;
  client?: number[];
  events?: number;
  length?: number;
  more?: number;
}): Uint8Array {
  const { clients = ['c'], types = ['Probe'], tabs = ['t'], client = [0] } = part;
  return sealed((out) => {
    const table = (values: number | string[], each: (value: string) => void) => {
      out.varint(typeof values === 'number' ? values : values.length);
      for (const value of typeof values === 'number' ? [] : values) each(value);
    };
    out.u8(part.format ?? 1);
    table(clients, (text) => out.string(text));
    table(types, (text) => {
      out.string(text);
      out.u8(part.version ?? 2);
    });
    table(tabs, (text) => {
      out.string(text);
      out.varint(part.type ?? 0);
      out.varint(part.parts ?? client.length);
      for (const index of client) {
        out.varint(index);
        out.count(part.events ?? 1);
        out.varint(part.length ?? 1);
        out.u8(4);
      }
    });
    for (let more = part.more ?? 0; more > 0; more--) out.u8(0);
  });
}

t.test('golden bytes', (t) => {
  t.equal(
    hexOf(encodeParts(example, registry)),
    '0102' +
      '06686f73742d3106686f73742d32' +
      '02054f746865720105' +
      '50726f626502' +
      '02' +
      '01610001' +
      '01020101' +
      '01620102' +
      '0090030680808080' +
      '8040' +
      '0106010e' +
      '8f866b84',
  );
  t.end();
});

t.test('lists what was encoded, sorted by tab and client', (t) => {
  const records = readParts(encodeParts(example, registry));
  t.same(
    records.map((record) => {
      const { payload, start, end, ...rest } = record;
      return { ...rest, state: decodePart(record, registry) };
    }),
    [
      { ...entry('a', 'host-2', -1, 1, 'Other'), version: 1 },
      { ...entry('b', 'host-1', 2 ** 40, 200), version: 2 },
      { ...entry('b', 'host-2', 7, 3), version: 2 },
    ],
  );
  t.end();
});

t.test('no Parts at all are a payload, too', (t) => {
  t.same(readParts(encodeParts([], registry)), []);
  t.end();
});

t.test('equal Parts give equal bytes in any order, and come back as they were', (t) => {
  const name = fc.stringMatching(/^[A-Za-z0-9._~:/?@!$()*+;=-]{1,12}$/);
  const events = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const parts = fc.uniqueArray(fc.tuple(name, name, fc.integer(), events), {
    selector: ([tab, client]) => `${tab} ${client}`,
    maxLength: 30,
  });
  const typeFor = (tab: string) => (tab.length % 2 === 0 ? 'Probe' : 'Other');
  fc.assert(
    fc.property(parts, fc.infiniteStream(fc.nat()), (rows, random) => {
      const entries = rows.map(([tab, client, sum, events]) => entry(tab, client, sum, events, typeFor(tab)));
      const map = new PartMap(registry);
      for (const { tab, type, client, state, events } of entries)
        map.reduce(tab, type, client, state, events);
      const bytes = encodeParts(map, registry);
      const shuffled = entries
        .map((one) => ({ one, key: random.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one);
      t.equal(hexOf(encodeParts(shuffled, registry)), hexOf(bytes));
      const back = readParts(bytes).map((record) => ({
        tab: record.tab,
        type: record.type,
        client: record.client,
        events: record.events,
        state: decodePart(record, registry),
      }));
      const key = (one: PartEntry) => `${one.tab} ${one.client}`;
      // A space sorts before every byte of the name set, so keys sort as (tab, client) do.
      const expected = [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
      t.same(back, expected);
    }),
    { numRuns: 60, seed: 2 },
  );
  t.end();
});

t.test('the encoder refuses what it could not read back', (t) => {
  t.throws(() => encodeParts([entry('a', 'c', 1, 1, 'Nope')], registry), { code: 'unknown_type' });
  t.throws(() => encodeParts([entry('a', 'c', 1), entry('a', 'c', 2)], registry), RangeError);
  t.throws(() => encodeParts([entry('a', 'c', 1), entry('a', 'd', 2, 1, 'Other')], registry), RangeError);
  t.end();
});

t.test('any flipped bit and any truncation is corrupt', (t) => {
  const bytes = encodeParts(example, registry);
  let detected = 0;
  const refused = (damaged: Uint8Array, what: string) => {
    try {
      readParts(damaged);
      t.fail(`${what} went unnoticed`);
    } catch (error) {
      if ((error as { code?: string }).code === 'corrupt') detected++;
      else t.fail(`${what} threw ${error}`);
    }
  };
  for (let bit = 0; bit < bytes.length * 8; bit++) refused(withBitFlipped(bytes, bit), `bit ${bit}`);
  for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length), `${length} bytes`);
  refused(new Uint8Array([...bytes, 0]), 'one byte more');
  t.equal(detected, bytes.length * 9 + 1);
  t.end();
});

t.test('a right checksum over a wrong layout is corrupt all the same', (t) => {
  t.equal(readParts(payloadWith({})).length, 1, 'the payload that the cases vary is right');
  const huge = 2 ** 50;
  const cases: [string, Parameters<typeof payloadWith>[0], RegExp][] = [
    ['another format', { format: 2 }, /format version 2/],
    ['more clients than bytes', { clients: huge }, /1125899906842624 entries/],
    ['more types than bytes', { types: huge }, /1125899906842624 entries/],
    ['more tabs than bytes', { tabs: huge }, /1125899906842624 entries/],
    ['more Parts than bytes', { parts: huge }, /1125899906842624 entries/],
    ['a Part longer than the payload', { length: huge }, /more bytes are due/],
    ['a client twice', { clients: ['c', 'c'] }, /c after c/],
    ['clients out of order', { clients: ['d', 'c'] }, /c after d/],
    ['types out of order', { types: ['Probe', 'Other'] }, /Other after Probe/],
    ['tabs out of order', { tabs: ['u', 't'] }, /tab t after u/],
    ['a tab twice', { tabs: ['t', 't'] }, /tab t after t/],
    ['an illegal tab name', { tabs: ['t t'] }, /illegal tab name/],
    ['an empty tab name', { tabs: ['', 't'] }, /illegal tab name/],
    ['an illegal client id', { clients: ['c\n'] }, /illegal client id/],
    ['an empty type', { types: [''] }, /tab type of this length/],
    ['a type of 300 bytes', { types: ['x'.repeat(300)] }, /tab type of this length/],
    ['version 0', { version: 0 }, /Handler version 0/],
    ['a type beyond the table', { type: 1 }, /type 1 of 1/],
    ['a client beyond the table', { client: [1] }, /client 1 of 1/],
    ['a pair twice', { clients: ['c', 'd'], client: [1, 1] }, /client 1 after 1/],
    ['a tab without Parts', { client: [], more: 9 }, /without Parts/],
    ['negative events', { events: -1 }, /-1 events/],
    ['NaN events', { events: Number.NaN }, /NaN events/],
    ['infinitely many events', { events: Number.POSITIVE_INFINITY }, /Infinity events/],
    ['bytes left over', { more: 1 }, /1 bytes left over/],
  ];
  for (const [what, change, message] of cases) {
    t.throws(() => readParts(payloadWith(change)), { code: 'corrupt', message }, what);
  }
  t.end();
});

t.test('a Part that does not decode is a fault of its own', (t) => {
  const [unknown] = readParts(payloadWith({ types: ['Nope'] }));
  t.throws(() => decodePart(unknown!, registry), { code: 'unknown_type', message: /"Nope"/ });
  const [newer] = readParts(payloadWith({ version: 3 }));
  t.throws(() => decodePart(newer!, registry), { code: 'corrupt', message: /version 3 of Probe/ });
  const [empty] = readParts(
    sealed((out) => {
      for (const byte of [1, 1, 1, 0x63, 1, 1, 0x50, 2, 1, 1, 0x74, 0, 1, 0, 2, 0]) out.u8(byte);
    }),
  );
  t.throws(() => decodePart(empty!, registryOf(probeHandler('P'))), {
    code: 'corrupt',
    message: /more bytes/,
  });
  const [older] = readParts(payloadWith({ version: 1 }));
  t.same(decodePart(older!, registry), { sum: 1 }, 'an older version is upgraded');
  t.end();
});
