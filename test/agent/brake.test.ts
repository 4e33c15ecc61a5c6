import t from 'tap';
import { Brake } from '../../src/agent/brake.js';
import { FakeClock } from '../support/fake-clock.js';

function scene() {
  const clock = new FakeClock();
  const servers = { areBehind: false };
  const brake = new Brake(clock, () => servers.areBehind);
  const answered: string[] = [];
  const answer = (name: string) => brake.answer(() => answered.push(name));
  return { clock, servers, brake, answered, answer };
}

t.test('answers at once while servers keep up', async (t) => {
  const { clock, brake, answered, answer } = scene();
  answer('a');
  t.same([answered, brake.held, clock.timers], [['a'], 0, 0]);
});

t.test('answers when servers have caught up, in the order of questions', async (t) => {
  const { clock, servers, brake, answered, answer } = scene();
  servers.areBehind = true;
  answer('a');
  answer('b');
  brake.look();
  t.same([answered, brake.held], [[], 2]);
  servers.areBehind = false;
  brake.look();
  t.same([answered, brake.held, clock.timers], [['a', 'b'], 0, 0]);
});

t.test('answers after five seconds, however far behind servers are', async (t) => {
  const { clock, servers, answered, answer } = scene();
  servers.areBehind = true;
  answer('a');
  clock.advance(4500);
  answer('b');
  t.same(answered, []);
  clock.advance(500);
  t.same(answered, ['a', 'b']);
  answer('c');
  clock.advance(4999);
  t.same(answered, ['a', 'b']);
  clock.advance(1);
  t.same(answered, ['a', 'b', 'c']);
});

t.test('an agent that stops answers everybody', async (t) => {
  const { clock, servers, brake, answered, answer } = scene();
  servers.areBehind = true;
  answer('a');
  brake.release();
  t.same([answered, clock.timers], [['a'], 0]);
});
