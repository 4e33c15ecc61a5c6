import t from 'tap';
import { runHistory } from './history.js';
import { type Rule, rules } from './rules.js';

const histories = 600;
/** Rare mutants begin where one is known to go wrong, with room for changes to the code behind. */
const mutantSeeds: Readonly<Partial<Record<Rule, readonly [first: number, histories: number]>>> = {
  R11: [550, 1500],
  'R10-confirmed': [4700, 4000],
};

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
    const [first, limit] = mutantSeeds[rule] ?? [1, 500];
    let fault = '';
    for (let seed = first; seed < first + limit && fault === ''; seed++) {
      ({ fault } = await runHistory(seed, { without: new Set([rule]) }));
    }
    t.not(fault, '', `at least one of ${limit} histories goes wrong`);
  });
}
