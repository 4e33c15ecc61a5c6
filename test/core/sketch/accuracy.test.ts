import t from 'tap';
import { Histogram } from '../../../src/core/sketch/histogram.js';
import { random } from '../random.js';

const values = 1_000_000;
const parts = 1_000;
const ps = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/** Six distributions that break one sketch or another; `u` draws from [0, 1). */
const distributions: Readonly<Record<string, (u: () => number) => number>> = {
  uniform: (u) => u() * 1000,
  'log-normal': (u) => Math.exp(3 * normal(u)),
  Pareto: (u) => (1 - u()) ** (-1 / 0.6),
  bimodal: (u) => (u() < 0.9 ? 0.002 + 0.0005 * normal(u) : 30 + normal(u)),
  constant: () => 1.37,
  'sign-mixed': (u) => (u() < 0.1 ? 0 : normal(u) * 10 ** (u() * 6)),
};

function normal(u: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());
}

for (const [name, draw] of Object.entries(distributions)) {
  t.test(
    `${name}: a million values in 1,000 Parts merged in random order are within 1 % of the sorted data`,
    async (t) => {
      const u = random(name.length);
      const data = new Float64Array(values);
      const waiting = Array.from({ length: parts }, () => new Histogram());
      for (let at = 0; at < values; at++) {
        const value = draw(u);
        data[at] = value;
        waiting[at % parts]!.add(value);
      }
      while (waiting.length > 1) {
        const [into] = waiting.splice(Math.floor(u() * waiting.length), 1) as [Histogram];
        const at = Math.floor(u() * waiting.length);
        into.merge(waiting[at]!);
        waiting[at] = into;
      }
      const [merged] = waiting as [Histogram];
      data.sort();
      t.equal(merged.count, values);
      const answers = merged.percentiles(ps);
      ps.forEach((p, at) => {
        const truth = data[Math.floor(p * values)]!;
        const error = truth === 0 ? Math.abs(answers[at]!) : Math.abs(answers[at]! / truth - 1);
        t.ok(error <= 0.01, `p${p * 100}: ${answers[at]} for ${truth}`);
      });
      t.same([merged.min, merged.max], [data[0], data.at(-1)], 'minimum and maximum are exact');
    },
  );
}
