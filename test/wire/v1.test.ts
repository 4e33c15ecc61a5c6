import fc from 'fast-check';
import t from 'tap';
import { TabaError } from '../../src/core/errors.js';
import type { RawEvent } from '../../src/wire/item-sink.js';
import { encodeV1, parseV1, type V1Event } from '../../src/wire/v1.js';
import { type Item, itemsOf, utf8 } from './collector.js';

const parse = (text: string): Item[] => itemsOf((sink) => parseV1(utf8(text), sink));

/** A body of one client and one tab, with these event lines. */
const bodyOf = (...lines: string[]) => `1\n\nhost\n\ntab\n${lines.map((line) => `${line}\n`).join('')}\n\n`;

function event(
  timestampSec: unknown,
  payload: unknown,
  type = 'CounterGroup',
  tab = 'tab',
  client = 'host',
): RawEvent {
  return { client, tab, type, timestampSec, payload };
}

const seconds = 1396980134.25;
const line = '["CounterGroup", 1396980134.25, "1.5"]';

t.test('bodies that must parse', (t) => {
  const one = event(seconds, 1.5);
  const cases: [string, string, Item[]][] = [
    ['the version alone', '1\n', []],
    ['no clients', '1\n\n', []],
    ['blank lines at the end', '1\n\n\n\n\n', []],
    ['a client without tabs', '1\n\nhost\n\n\n', []],
    ['one event', bodyOf(line), [one]],
    ['without the last blank line', `1\n\nhost\n\ntab\n${line}\n\n`, [one]],
    ['without both', `1\n\nhost\n\ntab\n${line}\n`, [one]],
    ['without the last line end', `1\n\nhost\n\ntab\n${line}`, [one]],
    ['with more blank lines', `${bodyOf(line)}\n\n`, [one]],
    [
      'two tabs and two clients',
      `1\n\nhost\n\ntab\n${line}\n${line}\n\nb\n${line}\n\n\nhost2\n\ntab\n${line}\n\n\n`,
      [one, one, { ...one, tab: 'b' }, { ...one, client: 'host2' }],
    ],
    [
      'another type on each line',
      bodyOf('["A", 1, "1"]', '["AB", 1, "1"]', '["A", 1, "1"]'),
      [event(1, 1, 'A'), event(1, 1, 'AB'), event(1, 1, 'A')],
    ],
    ['a type with an escape', bodyOf('["\\u0041", 1, "1"]'), [event(1, 1, 'A')]],
    ['names are not judged here', `1\n\nhöst\n\nt b\n${line}\n`, [{ ...one, client: 'höst', tab: 't b' }]],
  ];
  for (const [what, body, items] of cases) t.strictSame(parse(body), items, what);
  t.end();
});

t.test('event lines that must parse', (t) => {
  const cases: [string, RawEvent][] = [
    ['["CounterGroup", 1396980134, "1.5"]', event(1396980134, 1.5)],
    ['["CounterGroup",1396980134,"1.5"]', event(1396980134, 1.5)],
    [' [ "CounterGroup" ,\t1396980134 , "1.5" ] ', event(1396980134, 1.5)],
    ['["CounterGroup", 1, "[1.5]"]', event(1, 1.5)],
    ['["CounterGroup", 1, " [ 1.5 ] "]', event(1, 1.5)],
    ['["CounterGroup", 1, "[1.5, 2]"]', event(1, [1.5, 2])],
    ['["CounterGroup", 1, "[[1]]"]', event(1, [[1]])],
    ['["CounterGroup", 1, "-0"]', event(1, -0)],
    ['["CounterGroup", 1, "-12.034"]', event(1, -12.034)],
    ['["CounterGroup", 1, "1e3"]', event(1, 1000)],
    ['["CounterGroup", 1, "1E-3"]', event(1, 0.001)],
    ['["CounterGroup", 1, "1e999"]', event(1, Number.POSITIVE_INFINITY)],
    ['["CounterGroup", 1, "9007199254740993"]', event(1, 9007199254740992)],
    ['["CounterGroup", 1, "0.1234567890123456789"]', event(1, 0.12345678901234568)],
    [`["CounterGroup", 1, "1.${'0'.repeat(100)}1"]`, event(1, 1)],
    ['["CounterGroup", 1396980134.2501235, "1"]', event(1396980134.2501235, 1)],
    ['["CounterGroup", -1, "1"]', event(-1, 1)],
    ['["CounterGroup", null, "1"]', event(null, 1)],
    ['["CounterGroup", "1", "1"]', event('1', 1)],
    ['["Gauge", 1, "\\"value\\""]', event(1, 'value', 'Gauge')],
    ['["Gauge", 1, "\\"gr\\u00fc\\u00df\\""]', event(1, 'grüß', 'Gauge')],
    ['["Gauge", 1, "\\"grüß\\""]', event(1, 'grüß', 'Gauge')],
    [
      '["ExpiryGauge", 1396980134, "[\\"up\\", 1396980194]"]',
      event(1396980134, ['up', 1396980194], 'ExpiryGauge'),
    ],
    ['["Noop", 1, "null"]', event(1, null, 'Noop')],
  ];
  for (const [text, expected] of cases) t.strictSame(parse(bodyOf(text)), [expected], text);
  t.ok(Object.is((parse(bodyOf('["C", 1, "-0"]'))[0] as RawEvent).payload, -0), '-0 keeps its sign');
  t.end();
});

t.test('a broken event line is a fault of that event alone', (t) => {
  const cases: [string, string][] = [
    ['garbage', 'the line is not JSON; is the blank line missing that ends the tab before?'],
    [
      '{"name": "a"}',
      'not an array [type, seconds, payload]; is the blank line missing that ends the tab before?',
    ],
    ['[]', 'an array of 0 instead of [type, seconds, payload]'],
    ['["CounterGroup", 1]', 'an array of 2 instead of [type, seconds, payload]'],
    ['["CounterGroup", 1, "1", 2]', 'an array of 4 instead of [type, seconds, payload]'],
    ['["CounterGroup", 1, "1"', 'the line is not JSON'],
    ['["CounterGroup", 1, "1"]]', 'the line is not JSON'],
    ['["CounterGroup", 01, "1"]', 'the line is not JSON'],
    ['["CounterGroup", 1., "1"]', 'the line is not JSON'],
    ['["CounterGroup", .5, "1"]', 'the line is not JSON'],
    ['["CounterGroup", +1, "1"]', 'the line is not JSON'],
    ['["CounterGroup", -, "1"]', 'the line is not JSON'],
    ['["CounterGroup", NaN, "1"]', 'the line is not JSON'],
    ['["CounterGroup",  , "1"]', 'the line is not JSON'],
    ['[7, 1, "1"]', 'the tab type is not a string'],
    ['["CounterGroup", 1, 1.5]', 'the payload is not a string of JSON'],
    ['["CounterGroup", 1, ""]', 'the payload is not JSON'],
    ['["CounterGroup", 1, "NaN"]', 'the payload is not JSON'],
    ['["CounterGroup", 1, "01"]', 'the payload is not JSON'],
    ['["CounterGroup", 1, "1."]', 'the payload is not JSON'],
    ['["CounterGroup", 1, "--1"]', 'the payload is not JSON'],
    ['["CounterGroup", 1, "[1.5"]', 'the payload is not JSON'],
    ['["Gauge", 1, "value"]', 'the payload is not JSON'],
  ];
  for (const [broken, message] of cases) {
    const fault = { code: 'bad_event' as const, message: `line 7: ${message}` };
    t.strictSame(
      parse(bodyOf(line, broken, line)),
      [event(seconds, 1.5), fault, event(seconds, 1.5)],
      broken,
    );
  }
  const bytes = utf8(bodyOf('["Gauge", 1, "\\"#\\""]'));
  bytes[bytes.indexOf(0x23)] = 0xff;
  t.strictSame(
    itemsOf((sink) => parseV1(bytes, sink)),
    [{ code: 'bad_event', message: 'line 6: the line is not UTF-8' }],
  );
  t.end();
});

t.test('the line numbers hold over clients, tabs and blank lines', (t) => {
  const body = `1\n\na\n\nt\n${line}\n?\n\nu\n${line}\n\n\nb\n\nt\n${line}\n${line}\n!\n`;
  const faults = parse(body).flatMap((item, index) =>
    'code' in item ? [[index, item.message.split(':')[0]]] : [],
  );
  t.strictSame(faults, [
    [1, 'line 7'],
    [5, 'line 18'],
  ]);
  t.end();
});

t.test('bodies that must not parse', (t) => {
  const cases: [string, string, string, RegExp][] = [
    ['nothing', '', 'bad_framing', /empty/],
    ['version 2', '2\n\nhost\n\n', 'unsupported_version', /line 1 is "2"/],
    ['a version that only begins with 1', '10\n\n', 'unsupported_version', /"10"/],
    ['no version', `host\n\ntab\n${line}\n`, 'unsupported_version', /"host"/],
    ['a blank version', '\n\n', 'unsupported_version', /""/],
    ['JSON', '{"name": "a", "value": 1}', 'unsupported_version', /name/],
    [
      'no blank line behind the version',
      `1\nhost\n\ntab\n${line}\n`,
      'bad_framing',
      /^line 2 follows the version/,
    ],
    ['a blank line too many', `1\n\n\nhost\n\ntab\n${line}\n`, 'bad_framing', /^line 3 is blank/],
    [
      'no blank line behind the client',
      `1\n\nhost\ntab\n${line}\n`,
      'bad_framing',
      /^line 4 follows the client id/,
    ],
    ['an event for a client', `1\n\n${line}\n\n`, 'bad_framing', /^line 3 is an event, where a client/],
    ['an event for a tab', `1\n\nhost\n\n${line}\n`, 'bad_framing', /^line 5 is an event, where a tab/],
    [
      'no blank line between clients',
      `1\n\nhost\n\ntab\n${line}\n\nhost2\n\ntab\n${line}\n`,
      'bad_framing',
      /^line 8 names a tab without events/,
    ],
    ['a cut-off version', '1\n\nho', 'bad_framing', /^line 3 ends the body in the middle of a client id/],
    ['an end behind the client', '1\n\nhost\n', 'bad_framing', /^line 3 ends the body behind the client id/],
    ['a cut-off tab', '1\n\nhost\n\nta', 'bad_framing', /^line 5 ends the body in the middle of a tab name/],
    ['an end behind the tab', '1\n\nhost\n\ntab\n', 'bad_framing', /^line 5 names a tab, and the body ends/],
    [
      'a cut-off event',
      `1\n\nhost\n\ntab\n${line}\n${line.slice(0, 20)}`,
      'bad_framing',
      /^line 7 is cut off/,
    ],
    ['a cut-off payload', `1\n\nhost\n\ntab\n${line.slice(0, -2)}`, 'bad_framing', /^line 6 is cut off/],
    ['\\r\\n', bodyOf(line).replaceAll('\n', '\r\n'), 'bad_framing', /^line 1 ends in \\r\\n/],
    ['\\r\\n behind a name', `1\n\nhost\n\ntab\r\n${line}\n`, 'bad_framing', /^line 5 ends in \\r\\n/],
    ['\\r\\n behind an event', bodyOf(line, `${line}\r`), 'bad_framing', /^line 7 ends in \\r\\n/],
    ['\\r\\n behind a broken event', bodyOf('?\r'), 'bad_framing', /^line 6 ends in \\r\\n/],
  ];
  for (const [what, body, code, message] of cases) t.throws(() => parse(body), { code, message }, what);
  t.end();
});

t.test('a whole last line that is merely wrong is no cut-off body', (t) => {
  for (const last of ['garbage', '["CounterGroup", oops]', '[]']) {
    const items = parse(`1\n\nhost\n\ntab\n${line}\n${last}`);
    t.match(items, [event(seconds, 1.5), { code: 'bad_event' }], last);
  }
  t.end();
});

const nameText = fc.stringMatching(/^[A-Za-z0-9._~:/?@!$()*+;=-]{1,10}$/);
const payload = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 2, arbitrary: fc.integer() },
  fc.string({ unit: 'binary' }),
  fc.tuple(fc.string(), fc.nat()),
);
const v1Event: fc.Arbitrary<V1Event> = fc.record({
  client: nameText,
  tab: nameText,
  type: fc.constantFrom('CounterGroup', 'Gauge', 'My "own" type', 'ünï'),
  timestampSec: fc.oneof(fc.double({ min: 0, max: 2 ** 33, noNaN: true }), fc.nat()),
  payload,
});

t.test('what was encoded parses to the same, byte by byte when encoded again', (t) => {
  fc.assert(
    fc.property(fc.array(v1Event, { maxLength: 12 }), (events) => {
      const body = encodeV1(events);
      const items = itemsOf((sink) => parseV1(body, sink)) as V1Event[];
      // JSON has no -0.
      const key = (one: V1Event) =>
        JSON.stringify([one.client, one.tab, one.type, one.timestampSec, one.payload]);
      t.strictSame(items.map(key).sort(), events.map(key).sort());
      t.strictSame(Buffer.from(encodeV1(items)).toString(), Buffer.from(body).toString());
    }),
    { seed: 5, numRuns: 200 },
  );
  t.end();
});

t.test('the scanner reads a number exactly as JSON.parse does', (t) => {
  const digits = fc.oneof(
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?$/),
    // As clocks write them: more digits than fit into a double, near the middle between two of them.
    fc.stringMatching(/^[1-9][0-9]{8,10}\.[0-9]{5,10}$/),
    fc
      .tuple(fc.integer({ min: 2 ** 29, max: 2 ** 32 }), fc.nat(2 ** 22), fc.integer({ min: 5, max: 10 }))
      .map(([whole, odd, decimals]) => `${whole}${((2 * odd + 1) / 2 ** 23).toFixed(decimals).slice(1)}`),
  );
  fc.assert(
    fc.property(digits, digits, (seconds, value) => {
      const [item] = parse(bodyOf(`["C", ${seconds}, "${value}"]`)) as RawEvent[];
      t.ok(Object.is(item?.timestampSec, JSON.parse(seconds)), seconds);
      t.ok(Object.is(item?.payload, JSON.parse(value)), value);
    }),
    { seed: 6, numRuns: 500 },
  );
  t.end();
});

t.test('damaged bodies give items or an error that names the fault, and never an event for nobody', (t) => {
  const base = `${bodyOf(line, '["Gauge", 1, "\\"x\\""]', line)}host2\n\nother\n${line}\n\n\n`;
  const bytes = fc.oneof(fc.constantFrom(...utf8('\n"[]{},.0a\r\\')), fc.nat(255));
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.array(bytes, { maxLength: 3 }) });
  let parsedBodies = 0;
  let refusedBodies = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let body = [...utf8(base)];
      for (const { at, remove, insert } of edits) body = body.toSpliced(at % body.length, remove, ...insert);
      try {
        for (const item of itemsOf((sink) => parseV1(new Uint8Array(body), sink))) {
          if (!('code' in item) && (item.tab === '' || item.client === '')) t.fail('an event for nobody');
        }
        parsedBodies++;
      } catch (error) {
        if (!(error instanceof TabaError)) throw error;
        if (error.code !== 'bad_framing' && error.code !== 'unsupported_version') t.fail(error.code);
        refusedBodies++;
      }
    }),
    { seed: 7, numRuns: 3000 },
  );
  t.ok(parsedBodies > 100 && refusedBodies > 100, `${parsedBodies} parsed, ${refusedBodies} refused`);
  t.end();
});

t.test('a line nested a million deep is a fault, not a crash', (t) => {
  t.match(parse(bodyOf('['.repeat(1_000_000))), [{ code: 'bad_event' }]);
  t.end();
});
