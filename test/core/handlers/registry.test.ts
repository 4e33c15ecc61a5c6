import t from 'tap';
import type { Handler } from '../../../src/core/handlers/handler.js';
import { builtinHandlers, loadHandlers } from '../../../src/core/handlers/registry.js';
import type { TabType } from '../../../src/core/ids.js';

const noop = builtinHandlers().get('Noop') as Handler;
const mine: Handler = { ...noop, type: 'Mine' as TabType };

t.test('the built-in types, under the names of their handlers', async (t) => {
  const registry = builtinHandlers();
  t.same(registry.types(), [
    'Buffer',
    'CounterGroup',
    'ExpiryGauge',
    'Gauge',
    'Noop',
    'PercentileCounter',
    'PercentileGroup',
    'TotalsCounter',
    'UniqueCounter',
  ]);
  for (const type of registry.types()) t.equal(registry.get(type)!.type, type);
  t.equal(registry.get('Counter'), undefined);
  t.equal(registry.get('constructor'), undefined, 'names of Object.prototype are no types');
});

t.test('additional handlers load from either export', async (t) => {
  for (const module of [{ default: mine }, { handler: mine }]) {
    const registry = builtinHandlers();
    loadHandlers(registry, { Mine: module });
    t.equal(registry.get('Mine'), mine);
  }
});

const faults: readonly { readonly name: string; readonly module: unknown; readonly message: RegExp }[] = [
  { name: 'no export', module: {}, message: /Mine: the module exports no handler/ },
  { name: 'no module', module: undefined, message: /Mine: the module exports no handler/ },
  { name: 'another type', module: { handler: { ...mine, type: 'Other' } }, message: /its type is "Other"/ },
  {
    name: 'version 0',
    module: { handler: { ...mine, version: 0 } },
    message: /its version is 0 instead of 1 to 255/,
  },
  { name: 'version 256', module: { handler: { ...mine, version: 256 } }, message: /its version is 256/ },
  {
    name: 'no period',
    module: { handler: { ...mine, gatherPeriodSec: 0 } },
    message: /its gatherPeriodSec is 0 instead of a number above 0/,
  },
  {
    name: 'no tabState',
    module: { handler: { ...mine, tabState: 'mine' } },
    message: /its tabState is "mine"/,
  },
  { name: 'no fold', module: { handler: { ...mine, fold: undefined } }, message: /it has no method fold$/ },
  {
    name: 'an odd foldHistogram',
    module: { handler: { ...mine, foldHistogram: 1 } },
    message: /foldHistogram is not/,
  },
  {
    name: 'an odd foldGathered',
    module: { handler: { ...mine, foldGathered: {} } },
    message: /foldGathered is not/,
  },
  {
    name: 'two faults',
    module: { handler: { ...mine, fold: 1, reduce: 1 } },
    message: /it has no method fold; it has no method reduce/,
  },
];

for (const { name, module, message } of faults) {
  t.test(`an additional handler with ${name} is refused, naming it`, async (t) => {
    const registry = builtinHandlers();
    const good = { ...mine, type: 'Good' as TabType };
    t.throws(() => loadHandlers(registry, { Good: { handler: good }, Mine: module }), {
      code: 'bad_setting',
      message,
    });
    t.equal(registry.get('Good'), undefined, 'all or none');
  });
}

t.test('a type has one handler', async (t) => {
  const registry = builtinHandlers();
  const fault = { code: 'bad_setting', message: /there is a handler for this type already/ };
  t.throws(() => registry.add(noop), fault);
  t.throws(() => loadHandlers(registry, { Noop: { handler: noop } }), fault);
  t.throws(() => loadHandlers(registry, { 'a b': { handler: { ...mine, type: 'a b' } } }), {
    code: 'bad_setting',
    message: /a type is a letter/,
  });
});
