/**
 * Runs the simulation: whole histories of a cluster in one process, each of which follows from its seed.
 *
 *   npm run simulate -- --seed 1 --histories 10000 [--without R7] [--trace]
 */

import { runHistory } from '../test/simulation/history.js';
import { type Rule, rules } from '../test/simulation/rules.js';

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : (process.argv[at + 1] ?? '');
}

const firstSeed = Number(argument('seed') ?? 1);
const histories = Number(argument('histories') ?? 1000);
const trace = process.argv.includes('--trace');
const without = new Set((argument('without') ?? '').split(',').filter((rule) => rule !== '') as Rule[]);
const unknown = [...without].filter((rule) => !rules.includes(rule));
if (!Number.isInteger(firstSeed) || !Number.isInteger(histories) || histories < 1 || unknown.length > 0) {
  console.error(`usage: npm run simulate -- --seed N --histories M [--without ${rules.join('|')}] [--trace]`);
  process.exit(2);
}

// Errors are part of the play: their stacks cost more than the histories.
Error.stackTraceLimit = 0;

const startedMs = performance.now();
for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
  const { fault, trace: lines } = await runHistory(seed, { without, trace });
  if (trace) for (const line of lines) console.log(line);
  if (fault === '') continue;
  console.log(`seed ${seed}: ${fault}`);
  const mutant = without.size > 0 ? ` --without ${[...without].join(',')}` : '';
  console.log(`again, with a trace: npm run simulate -- --seed ${seed} --histories 1${mutant} --trace`);
  process.exit(1);
}
const tookSec = (performance.now() - startedMs) / 1000;
console.log(
  `${histories} histories from seed ${firstSeed} in ${tookSec.toFixed(1)} s, all well (${Math.round(histories / tookSec)}/s)`,
);
