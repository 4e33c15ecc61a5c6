import fc from 'fast-check';
import t from 'tap';
import { shortestDecimal } from '../../../src/core/sketch/shortest-decimal.js';

t.test('answers with the fewest digits', async (t) => {
  t.equal(shortestDecimal(25.9, 26.05, false), 26);
  t.equal(shortestDecimal(0.123, 0.1239, false), 0.1235, 'of several the one in the middle');
  t.equal(shortestDecimal(99.6, 100.1, false), 100);
  t.equal(shortestDecimal(0.3, 0.3, true), 0.3);
  t.equal(shortestDecimal(0, 0, true), 0);
  t.equal(shortestDecimal(1, 1.004, false), 1.002, 'an open end is not an answer');
  t.equal(shortestDecimal(1, 1.004, true), 1, 'unless it belongs to the interval');
  t.equal(shortestDecimal(1.0041, 1.01, false), 1.01, 'a closed end is');
});

t.test('is always inside, at the edges of the doubles as well', async () => {
  const positive = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(positive, positive, fc.boolean(), (one, two, closed) => {
      const low = Math.min(one, two);
      const high = Math.max(one, two);
      const answer = shortestDecimal(low, high, closed);
      return answer <= high && (answer > low || low === high || (closed && answer === low));
    }),
    {
      numRuns: 1000,
      examples: [
        [0, 5e-324, false],
        [1.7976931348623155e308, 1.7976931348623157e308, false],
      ],
    },
  );
});
