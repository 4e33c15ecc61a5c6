import t from 'tap';
import { latenesses } from '../../../src/cli/bench/freshness.js';

t.test('what was recorded while it warmed up is left out, however late it was shown', async (t) => {
  const recorded = [
    [500, 1400, 1500, 2500, 2600],
    [600, 1700],
  ];
  const shown = [
    [1400, 2100, 1509, 2511],
    [2000, 1705, 9999],
  ];
  t.same(latenesses(recorded, shown, 1000), [5, 9, 11], 'from the first event of all, and ascending');
  t.same(latenesses(recorded, shown, 0), [5, 9, 11, 700, 900, 1400]);
  t.same(latenesses([[], []], [[], []], 1000), [], 'nothing was recorded');
  t.same(latenesses([[1]], [[]], 0), [], 'nothing was shown');
});
