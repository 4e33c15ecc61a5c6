import { join } from 'node:path';
import t from 'tap';
import { handlersWith } from '../../src/cli/load-handlers.js';
import { CommandFailure } from '../../src/cli/usage-error.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';

const source = (type: string): string => `{
  type: '${type}', version: 1, tabState: 'kept',
  parse: (payload) => payload, newState: () => ({}), fold() {}, reduce() {}, aggregate() {}, clampFuture: () => 0,
  render: () => 'rendered', shouldPrune: () => false, encode() {}, decode: () => ({}), upgrade: () => ({}),
}`;

t.test('CommonJS and ES modules, beside the built-in handlers', (t) => {
  const folder = t.testdir({
    'first.cjs': `exports.handler = ${source('First')};`,
    'second.mjs': `export default ${source('Second')};`,
    'with-import.mjs': `import { type } from './name.mjs'; export const handler = { ...${source('x')}, type };`,
    'name.mjs': `export const type = 'Third';`,
  });
  const files = { First: 'first.cjs', Second: 'second.mjs', Third: 'with-import.mjs' };
  const registry = handlersWith(
    Object.fromEntries(Object.entries(files).map(([type, file]) => [type, join(folder, file)])),
  );
  for (const type of Object.keys(files))
    t.equal(registry.get(type)?.render({}, 'text', { nowSec: 0 }), 'rendered', type);
  t.same(handlersWith(undefined).types(), builtinHandlers().types());
  t.end();
});

t.test('what cannot be loaded is named with its type and file', (t) => {
  const folder = t.testdir({
    'syntax.cjs': 'exports.handler = {',
    'empty.cjs': '',
    'other.cjs': `exports.handler = ${source('Other')};`,
    'counter.cjs': `exports.handler = ${source('CounterGroup')};`,
    'throws.mjs': 'throw new Error("not today");',
  });
  const load = (type: string, file: string) => () => handlersWith({ [type]: join(folder, file) });
  const rows: readonly (readonly [type: string, file: string, message: RegExp])[] = [
    ['Mine', 'absent.cjs', /^additional-handlers: Mine: cannot load .*absent\.cjs/],
    ['Mine', 'syntax.cjs', /^additional-handlers: Mine: cannot load .*syntax\.cjs/],
    ['Mine', 'throws.mjs', /^additional-handlers: Mine: cannot load .*throws\.mjs: not today/],
    ['Mine', 'empty.cjs', /^additional-handlers: Mine: .*no handler.*empty\.cjs/],
    ['Mine', 'other.cjs', /^additional-handlers: Mine: its type is "Other".*other\.cjs/],
    ['CounterGroup', 'counter.cjs', /^additional-handlers: CounterGroup: .*already/],
  ];
  for (const [type, file, message] of rows) {
    t.throws(load(type, file), { message }, file);
    t.throws(load(type, file), CommandFailure);
  }
  t.end();
});
