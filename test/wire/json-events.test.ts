import fc from 'fast-check';
import t from 'tap';
import { TabaError } from '../../src/core/errors.js';
import { parseJsonEvents } from '../../src/wire/json-events.js';
import { type Item, itemsOf, utf8 } from './collector.js';

const parse = (text: string): Item[] => itemsOf((sink) => parseJsonEvents(utf8(text), sink));

const plainEvent = {
  client: undefined,
  tab: 'a',
  type: 'CounterGroup',
  timestampSec: undefined,
  payload: 1,
};
const plain = '{"name": "a", "value": 1}';

t.test('one object, an array, NDJSON', (t) => {
  const cases: [string, string, Item[]][] = [
    ['an object', plain, [plainEvent]],
    ['an object over several lines', '\n{\n  "name": "a",\n  "value": 1\n}\n', [plainEvent]],
    ['an array', `[${plain}, ${plain}]`, [plainEvent, plainEvent]],
    ['an array over several lines', `[\n${plain},\n${plain}\n]\n`, [plainEvent, plainEvent]],
    ['an empty array', '[]', []],
    ['NDJSON', `${plain}\n${plain}\n`, [plainEvent, plainEvent]],
    ['NDJSON without the last line end', `${plain}\n${plain}`, [plainEvent, plainEvent]],
    ['NDJSON with blank lines and \\r\\n', `\r\n${plain}\r\n\r\n${plain}\r\n`, [plainEvent, plainEvent]],
    [
      'every field',
      '{"name": "a", "value": "x", "type": "Gauge", "client": "c", "timestamp": 1.5}',
      [{ client: 'c', tab: 'a', type: 'Gauge', timestampSec: 1.5, payload: 'x' }],
    ],
    [
      'an expiry',
      '{"name": "a", "value": "x", "type": "ExpiryGauge", "expiry": 60}',
      [{ ...plainEvent, type: 'ExpiryGauge', payload: ['x', 60] }],
    ],
    [
      'an expiry of a Buffer',
      '{"name": "a", "value": 0, "type": "Buffer", "expiry": 60}',
      [{ ...plainEvent, type: 'Buffer', payload: [0, 60] }],
    ],
    [
      'a null value is for the type to judge',
      '{"name": "a", "value": null}',
      [{ ...plainEvent, payload: null }],
    ],
    [
      'so is a timestamp',
      '{"name": "a", "value": 1, "timestamp": "x"}',
      [{ ...plainEvent, timestampSec: 'x' }],
    ],
  ];
  for (const [what, body, items] of cases) t.strictSame(parse(body), items, what);
  t.end();
});

t.test('a broken item is a fault of its own', (t) => {
  const cases: [string, string, RegExp][] = [
    ['1', 'bad_event', /not an object/],
    ['null', 'bad_event', /not an object/],
    ['[1]', 'bad_event', /not an object/],
    ['{}', 'bad_event', /field name is missing/],
    ['{"value": 1}', 'bad_event', /field name is missing/],
    ['{"name": "a"}', 'bad_event', /field value is missing/],
    [
      '{"name": "a", "value": 1, "tpye": "Gauge"}',
      'bad_event',
      /unknown field "tpye"; there are name, value, type/,
    ],
    ['{"name": "a", "value": 1, "__proto__": {}}', 'bad_event', /unknown field "__proto__"/],
    ['{"name": 1, "value": 1}', 'bad_name', /name is 1/],
    ['{"name": "a", "value": 1, "type": 1}', 'unknown_type', /type is 1/],
    ['{"name": "a", "value": 1, "client": 1}', 'bad_client', /client is 1/],
    ['{"name": "a", "value": 1, "timestamp": null}', 'bad_timestamp', /timestamp is null/],
    ['{"name": "a", "value": 1, "expiry": 1}', 'bad_value', /CounterGroup has no expiry/],
    [
      '{"name": "a", "value": 1, "type": "ExpiryGauge"}',
      'bad_value',
      /field expiry is missing: a ExpiryGauge/,
    ],
    ['{"name": "a", "value": 1, "type": "Buffer"}', 'bad_value', /field expiry is missing: a Buffer/],
  ];
  for (const [item, code, message] of cases) {
    t.match(parse(`[${plain}, ${item}, ${plain}]`), [plainEvent, { code, message }, plainEvent], item);
  }
  t.end();
});

t.test('what is nested too deeply to be shown is a fault of its own as well', (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  for (const field of ['name', 'type', 'client']) {
    const event = `{"name": "b", "value": 1, "${field}": ${deep}}`;
    const [first, fault, last] = parse(`[${plain}, ${event}, ${plain}]`);
    t.same([first, last], [plainEvent, plainEvent]);
    t.match(fault, { message: `${field} is nested too deeply, not a string` });
  }
  t.end();
});

t.test('a broken line of NDJSON is named', (t) => {
  t.strictSame(parse(`${plain}\n\n{"name": \n${plain}\n`), [
    plainEvent,
    { code: 'bad_event', message: 'line 3: not JSON' },
    plainEvent,
  ]);
  t.match(parse(`${plain}\n{"name": "b"}\n`), [
    plainEvent,
    { message: 'line 2: the field value is missing' },
  ]);
  t.match(parse(`${plain}\nnot json`), [plainEvent, { message: 'line 2: not JSON' }]);
  t.match(parse(`${plain}\n{"name": "a", "value": }`), [plainEvent, { message: 'line 2: not JSON' }]);
  t.match(parse(`garbage\n${plain}\n`), [{ message: 'line 1: not JSON' }, plainEvent]);
  t.end();
});

t.test('bodies that must not parse', (t) => {
  const cases: [string, string, RegExp][] = [
    ['nothing', '', /empty/],
    ['blanks', ' \n\t\r\n', /empty/],
    ['a broken object', '{"name": "a", "value": }', /not JSON, or cut off/],
    ['a cut-off object', plain.slice(0, -1), /not JSON, or cut off/],
    ['text', 'name=a&value=1', /not JSON, or cut off/],
    ['a broken array', `[${plain}, oops]`, /the array is not JSON/],
    ['a cut-off array', `[${plain}, ${plain}`, /the array is not JSON/],
    ['an array and more', `[${plain}]\n[${plain}]`, /the array is not JSON/],
    ['a cut-off last line', `${plain}\n${plain.slice(0, -1)}`, /line 2 is cut off/],
    ['a last line cut off in a string', `${plain}\n{"name": "a`, /line 2 is cut off/],
  ];
  for (const [what, body, message] of cases) {
    t.throws(() => parse(body), { code: 'bad_framing', message }, what);
  }
  t.throws(() => itemsOf((sink) => parseJsonEvents(new Uint8Array([0x7b, 0xff]), sink)), {
    code: 'bad_framing',
    message: /UTF-8/,
  });
  t.end();
});

t.test('cut off anywhere, NDJSON either keeps whole lines or is refused', (t) => {
  const body = `${plain}\n${plain}\n`;
  for (let length = 1; length < body.length; length++) {
    let items: Item[] | undefined;
    try {
      items = parse(body.slice(0, length));
    } catch (error) {
      t.match(error, { code: 'bad_framing' }, `${length}`);
    }
    if (items !== undefined)
      t.ok(length >= plain.length && items.every((item) => !('code' in item)), `${length}`);
  }
  t.end();
});

t.test('any JSON gives items or bad_framing', (t) => {
  let items = 0;
  const text = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.string(),
    fc.array(fc.json()).map((lines) => lines.join('\n')),
  );
  fc.assert(
    fc.property(text, (body) => {
      try {
        items += parse(body).length;
      } catch (error) {
        if (!(error instanceof TabaError && error.code === 'bad_framing')) throw error;
      }
    }),
    { seed: 8, numRuns: 1000 },
  );
  t.ok(items > 100);
  t.end();
});
