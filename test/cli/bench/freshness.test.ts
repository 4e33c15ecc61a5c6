import t from 'tap';
import { afterWarmUp } from '../../../src/cli/bench/freshness.js';

t.test('what was recorded while it warmed up is left out, however late it was shown', async (t) => {
  const recordedAtMs = [500, 1400, 1500, 2500, 2600];
  t.same(afterWarmUp([900, 700, 9, 11], recordedAtMs, 1000), [9, 11]);
  t.same(afterWarmUp([900, 700, 9, 11], recordedAtMs, 0), [900, 700, 9, 11]);
  t.same(afterWarmUp([], [], 1000), [], 'nothing was shown');
});
