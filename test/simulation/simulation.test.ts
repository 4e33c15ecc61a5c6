import t from 'tap';
import { runHistory } from './history.js';
import { rules } from './rules.js';

const histories = 600;
/** A mutant must go wrong within so many; the rarest does after about 300. */
const mutantHistories = 2000;

// Errors are part of the play: their stacks cost more than the histories.
Error.stackTraceLimit = 0;

t.test('whole histories of a cluster end with exact counts', async (t) => {
  for (let seed = 1; seed <= histories; seed++) {
    const { fault } = await runHistory(seed, {});
    if (fault !== '') t.fail(`npm run simulate -- --seed ${seed} --histories 1 --trace: ${fault}`);
  }
  t.pass(`${histories} histories`);
});

t.test('a seed determines its history', async (t) => {
  const first = await runHistory(7, { trace: true });
  const second = await runHistory(7, { trace: true });
  t.ok(first.trace.length > 20);
  t.same(second.trace, first.trace);
});

for (const rule of rules) {
  t.test(`without ${rule} something is lost, doubled or stuck`, async (t) => {
    let fault = '';
    for (let seed = 1; seed <= mutantHistories && fault === ''; seed++) {
      ({ fault } = await runHistory(seed, { without: new Set([rule]) }));
    }
    t.not(fault, '', `at least one of ${mutantHistories} histories goes wrong`);
  });
}
