import fc from 'fast-check';
import { RE2JS } from 're2js';
import t from 'tap';
import { Expression } from '../../../src/server/query/expression.js';

const characters = 'ab1_.:/$';
const names = fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 12 });
const atoms = fc.constantFrom(
  ...[
    'a',
    'b',
    '1',
    '_',
    ':',
    '/',
    '.',
    '\\.',
    '\\$',
    '\\d',
    '\\w',
    '\\\\',
    '[ab]',
    '[^a]',
    '[a-b1]',
    '[.:]',
    '[a-]',
  ],
  ...['(a|b)', '(?:ab)', 'a|b', '\\bb', '[[:alpha:]]', '\\pL', '{', 'a{2}', '^', '$', '(?i)A'],
);
const quantified = fc.tuple(atoms, fc.constantFrom('', '', '', '*', '+', '?', '*?', '{1,2}'));
const expressions = fc
  .tuple(fc.constantFrom('', '^'), fc.array(quantified, { maxLength: 5 }), fc.constantFrom('', '$'))
  .map(([begin, parts, end]) => `${begin}${parts.map((part) => part.join('')).join('')}${end}`);

function compiled(expression: string): RE2JS | undefined {
  try {
    RE2JS.compile(expression);
    return RE2JS.compile(`^(?:${expression})`);
  } catch {
    return undefined;
  }
}

t.test('whatever is valid matches as RE2 does, everything else is told', async (t) => {
  let valid = 0;
  let matches = 0;
  fc.assert(
    fc.property(expressions, fc.array(names, { minLength: 3, maxLength: 8 }), (text, list) => {
      const reference = compiled(text);
      if (reference === undefined) {
        t.throws(() => new Expression(text, 1000), { code: 'bad_expression' }, text);
        return true;
      }
      valid++;
      const expression = new Expression(text, 1000);
      return list.every((name) => {
        const expected = reference.test(name);
        if (expected) matches++;
        return expression.test(name) === expected;
      });
    }),
    { numRuns: 20_000 },
  );
  t.ok(valid > 5000, `${valid} were valid`);
  t.ok(matches > 5000, `${matches} names matched`);
});

t.test('no expression takes long, whatever the name', async (t) => {
  const name = 'a'.repeat(1024);
  const optional = `${'a?'.repeat(60)}b`;
  for (const text of ['(a+)+b', '(a|a)*b', '.*.*.*.*.*b', 'a*a*a*a*a*b', '.*.*b', '.*a.*b$', optional]) {
    const expression = new Expression(text, 1000);
    let matched = false;
    for (let times = 0; times < 20; times++) matched ||= expression.test(name);
    t.notOk(matched, text);
  }
});
