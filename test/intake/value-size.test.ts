import fc from 'fast-check';
import t from 'tap';
import { isLargerThan } from '../../src/intake/value-size.js';

t.test('strings by their bytes of UTF-8', (t) => {
  t.equal(isLargerThan('x'.repeat(1024), 1024), false);
  t.equal(isLargerThan('x'.repeat(1025), 1024), true);
  t.equal(isLargerThan('ü'.repeat(512), 1024), false);
  t.equal(isLargerThan('ü'.repeat(513), 1024), true);
  t.equal(isLargerThan('', 0), false);
  t.end();
});

t.test('never says larger of what is within the limit as JSON', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      t.equal(isLargerThan(value, Buffer.byteLength(JSON.stringify(value))), false);
    }),
    { seed: 9, numRuns: 300 },
  );
  t.end();
});

t.test('arrays and objects by what is in them', (t) => {
  t.equal(isLargerThan(Array(400).fill(1), 1024), false);
  t.equal(isLargerThan(Array(600).fill(1), 1024), true);
  t.equal(isLargerThan({ ['k'.repeat(2000)]: 1 }, 1024), true);
  t.equal(isLargerThan({ k: ['x'.repeat(2000)] }, 1024), true);
  t.end();
});
