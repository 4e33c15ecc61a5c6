import t from 'tap';
import { amountOf, expectedOf, type Plan, roundOf } from '../../../src/cli/bench/plan.js';
import { batchesOf } from '../../../src/cli/bench/raw-share.js';

const plan: Plan = { prefix: 'p', tabs: 40, clients: 2, type: 'CounterGroup', zipf: false };

t.test('what is expected is what the clients record, event by event', async (t) => {
  for (const zipf of [false, true]) {
    const round = roundOf({ ...plan, zipf });
    const { tabs } = round;
    const eventsOfClients = [3, tabs.length + 1234];
    const counts = new Array<number>(plan.tabs).fill(0);
    const totals = new Array<number>(plan.tabs).fill(0);
    for (const events of eventsOfClients) {
      for (let event = 0; event < events; event++) {
        const at = event % tabs.length;
        counts[tabs[at]!]! += 1;
        totals[tabs[at]!]! += amountOf(round, at);
      }
    }
    t.same(
      expectedOf({ ...plan, zipf }, eventsOfClients),
      counts.map((count, tab) => ({ count, total: totals[tab]! })),
    );
  }
});

t.test('tabs get as many events each, or in proportion to 1 / k', async (t) => {
  const countsOf = (zipf: boolean) => {
    const round = roundOf({ ...plan, zipf });
    const counts = new Array<number>(plan.tabs).fill(0);
    for (const tab of round.tabs) counts[tab]! += 1;
    return { counts, events: round.tabs.length };
  };
  const even = countsOf(false);
  for (const count of even.counts) {
    t.ok(Math.abs(count / (even.events / plan.tabs) - 1) < 0.1, `${count} of ${even.events}`);
  }
  const popular = countsOf(true);
  const harmonic = even.counts.reduce((sum, _, tab) => sum + 1 / (tab + 1), 0);
  for (const [tab, count] of popular.counts.entries()) {
    const share = count / popular.events / (1 / (tab + 1) / harmonic);
    t.ok(Math.abs(share - 1) < 0.15, `tab ${tab}: ${share} of what is due`);
  }
});

t.test('batches of columns have the events of their rounds, grouped by tab', async (t) => {
  const round = roundOf({ ...plan, zipf: true });
  for (const events of [2 ** 12, round.tabs.length, 2 * round.tabs.length]) {
    const batches = batchesOf(round, events);
    t.equal(batches.length, Math.max(1, round.tabs.length / events));
    for (const [batch, { tabs, counts, values }] of [...batches.entries()].slice(0, 3)) {
      t.equal(values.length, events);
      t.same(
        [...tabs],
        [...new Set(tabs)].sort((a, b) => a - b),
      );
      const totals = new Array<number>(plan.tabs).fill(0);
      for (let event = batch * events; event < (batch + 1) * events; event++) {
        const at = event % round.tabs.length;
        totals[round.tabs[at]!]! += amountOf(round, at);
      }
      let start = 0;
      for (const [group, tab] of tabs.entries()) {
        const end = start + counts[group]!;
        const sum = values.subarray(start, end).reduce((total, value) => total + value, 0);
        t.equal(sum, totals[tab]);
        start = end;
      }
      t.equal(start, events);
    }
  }
});

t.test('sums of amounts are exact in any order', async (t) => {
  const { amounts } = roundOf(plan);
  t.ok(amounts.every((amount) => Number.isInteger(amount * 8)));
});
