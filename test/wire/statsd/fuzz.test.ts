import t from 'tap';
import { fuzz } from './fuzz.js';

t.test('ten seconds of packets that nobody would send', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { packets, failure } = fuzz(seed, 10);
  t.equal(failure, undefined, `seed ${seed}, ${packets} packets`);
  t.ok(packets > 0);
});
