import { setImmediate as nextLoop } from 'node:timers/promises';
import t from 'tap';
import { Turn } from '../../src/runtime/turn.js';
import { FakeClock } from '../support/fake-clock.js';

/** Workers that share slices, each with one step of `stepMs`; what was done so far is in `done`. */
class Workers {
  readonly #clock = new FakeClock();
  readonly #turn = new Turn(this.#clock);
  done = '';

  async work(name: string, stepMs: number): Promise<void> {
    if (this.#turn.isOver) await this.#turn.pause();
    this.#clock.advance(stepMs);
    this.done += name;
  }

  /** What is done in each loop of events, until all is. */
  async loops(names: string, stepMs: number): Promise<string[]> {
    const all = [...names].map((name) => this.work(name, stepMs));
    const loops = [this.done];
    while (this.done.length < names.length) {
      const before = this.done.length;
      await nextLoop();
      loops.push(this.done.slice(before));
    }
    await Promise.all(all);
    return loops.filter((done) => done !== '');
  }
}

t.test('workers share slices, and go on in the order in which they came', async (t) => {
  t.same(
    await new Workers().loops('abcdefgh', 0.4),
    ['abc', 'def', 'gh'],
    'the third step ends the slice of 1 ms',
  );
  t.same(await new Workers().loops('abcd', 1.4), ['a', 'b', 'c', 'd'], 'each step is more than a slice');
  t.same(await new Workers().loops('abcdefgh', 0), ['abcdefgh'], 'what takes no time is not interrupted');
});

t.test('who comes while others wait goes behind them', async (t) => {
  const workers = new Workers();
  const all = [...'abcdef'].map((name) => workers.work(name, 0.6));
  t.equal(workers.done, 'ab');
  await nextLoop();
  t.equal(workers.done, 'abcd');
  all.push(workers.work('g', 0.6));
  t.equal(workers.done, 'abcd');
  await Promise.all(all);
  t.equal(workers.done, 'abcdefg');
});
