import t from 'tap';
import { HistoryPlayer } from '../../scripts/simulation/history-player.js';
import { runHistory } from './history.js';
import { rules } from './rules.js';

const histories = 600;
/** A mutant must go wrong within so many; the rarest does after about 300. */
const mutantHistories = 2000;

t.setTimeout(600_000);

// Errors are part of the play: their stacks cost more than the histories.
Error.stackTraceLimit = 0;

// In processes of their own: tap follows every promise of this one, which takes twice as long as the histories.
const player = await HistoryPlayer.create();
t.teardown(() => player.remove());

t.test('whole histories of a cluster end with exact counts', async (t) => {
  let done = 0;
  const failure = await player.play({ seed: 1, histories, without: [], onDone: (more) => (done += more) });
  if (failure !== undefined) {
    t.fail(`npm run simulate -- --seed ${failure.seed} --histories 1 --trace: ${failure.fault}`);
  }
  t.equal(done, histories);
});

t.test('a seed determines its history', async (t) => {
  const first = await runHistory(7, { trace: true });
  const second = await runHistory(7, { trace: true });
  t.ok(first.trace.length > 20);
  t.same(second.trace, first.trace);
});

for (const rule of rules) {
  t.test(`without ${rule} something is lost, doubled or stuck`, async (t) => {
    const failure = await player.play({ seed: 1, histories: mutantHistories, without: [rule] });
    t.ok(failure, `at least one of ${mutantHistories} histories goes wrong`);
  });
}
