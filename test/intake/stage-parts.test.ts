import t from 'tap';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { defaultLimits } from '../../src/core/limits.js';
import { PartMap } from '../../src/core/parts.js';
import { DenyLists } from '../../src/intake/deny-lists.js';
import { stageParts } from '../../src/intake/stage-parts.js';
import { encodeParts } from '../../src/wire/parts.js';
import { probeHandler } from '../wire/probe-handler.js';
import { client, contextWith, nowSec, registry, tab, type } from './node.js';

/** Parts of one event each, of [tab, type, value, client, seconds]. */
function partsOf(...rows: [string, string, unknown, string?, number?][]): PartMap {
  const parts = new PartMap(registry);
  rows.forEach(([name, kind, value, who = 'c', timestampSec = nowSec], sequence) => {
    parts.fold(tab(name), type(kind), client(who), registry.get(kind)!.parse(value), {
      timestampSec,
      sequence,
    });
  });
  return parts;
}

const encoded = (parts: PartMap) => encodeParts(parts, registry);

t.test('what was flushed comes out as it went in', (t) => {
  const parts = partsOf(
    ['a', 'CounterGroup', 1],
    ['a', 'CounterGroup', 2],
    ['b', 'Gauge', 'up'],
    ['a', 'CounterGroup', 3, 'd'],
  );
  const staged = stageParts(encoded(parts), contextWith());
  t.match(staged, { received: 4, accepted: 4, clamped: 0, rejected: [] });
  t.strictSame(encoded(staged.parts), encoded(parts));
  t.end();
});

t.test('each Part is refused for itself', (t) => {
  const payload = encoded(
    partsOf(
      ['a', 'CounterGroup', 1],
      ['b', 'Gauge', 1],
      ['secret', 'Noop', 1],
      ['a', 'CounterGroup', 1, 'evil'],
      ['full', 'Noop', 1],
    ),
  );
  const staged = stageParts(
    payload,
    contextWith({
      deny: new DenyLists({ names: ['secret'], clients: ['evil'], maxExpressionBytes: 64 }),
      typeOf: (name) => (name === 'b' ? type('CounterGroup') : undefined),
      admits: (name) => (name === 'full' ? 'too_many_tabs' : undefined),
    }),
  );
  t.match(staged, { received: 5, accepted: 1 });
  t.strictSame(
    staged.rejected.map(({ tab, client, events, code }) => [tab, client, events, code]),
    [
      ['a', 'evil', 1, 'denied'],
      ['b', 'c', 1, 'type_conflict'],
      ['full', 'c', 1, 'too_many_tabs'],
      ['secret', 'c', 1, 'denied'],
    ],
  );
  t.strictSame(
    [...staged.parts.entries()].map(({ tab, client }) => [tab, client]),
    [['a', 'c']],
  );
  t.end();
});

t.test('a Part of an unknown type, or one that does not decode, is refused for itself', (t) => {
  const sdk = builtinHandlers();
  sdk.add(probeHandler('OnlyThere'));
  sdk.add({ ...probeHandler('Brittle'), encode: (_, out) => out.u8(0x80) });
  const here = builtinHandlers();
  here.add(probeHandler('Brittle'));
  const parts = new PartMap(sdk);
  const meta = { timestampSec: nowSec, sequence: 0 };
  parts.fold(tab('a'), type('OnlyThere'), client('c'), 1, meta);
  parts.fold(tab('b'), type('Brittle'), client('c'), 1, meta);
  parts.fold(tab('c'), type('CounterGroup'), client('c'), 1, meta);
  const staged = stageParts(encodeParts(parts, sdk), contextWith({ registry: here }));
  t.match(staged.rejected, [
    { tab: 'a', code: 'unknown_type', message: /"OnlyThere"/ },
    { tab: 'b', code: 'corrupt', message: /more bytes/ },
  ]);
  t.match(staged, { received: 3, accepted: 1 });
  t.end();
});

t.test('names longer than this node allows are refused', (t) => {
  const limits = { ...defaultLimits, maxNameBytes: 5 };
  const staged = stageParts(
    encoded(partsOf(['abcdef', 'Noop', 1], ['abcde', 'Noop', 1])),
    contextWith({ limits }),
  );
  t.match(staged.rejected, [{ tab: 'abcdef', code: 'denied', message: /more than 5 bytes/ }]);
  t.equal(staged.accepted, 1);
  t.end();
});

t.test('a clock that is wrong does not push the present out of a window', (t) => {
  const ahead = encoded(
    partsOf(['a', 'Gauge', 'x', 'c', nowSec + 86_400], ['b', 'Gauge', 'x', 'c', nowSec + 5]),
  );
  const staged = stageParts(ahead, contextWith());
  t.match(staged, { accepted: 2, clamped: 1 });
  const expected = partsOf(['a', 'Gauge', 'x'], ['b', 'Gauge', 'x', 'c', nowSec + 5]);
  t.strictSame(encoded(staged.parts), encoded(expected));
  t.end();
});

t.test('a payload that is damaged counts nothing', (t) => {
  const payload = encoded(partsOf(['a', 'CounterGroup', 1]));
  payload[3]! ^= 1;
  let asked = 0;
  const context = contextWith({
    admits: () => {
      asked++;
      return undefined;
    },
  });
  t.throws(() => stageParts(payload, context), { code: 'corrupt' });
  t.equal(asked, 0);
  t.end();
});
