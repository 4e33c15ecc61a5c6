/**
 * Kills, freezes and cuts the parts of a running Taba while producers with a known number of events feed it, and
 * compares every count and total in the end.
 *
 *   npm run chaos -- --target embedded --minutes 3 --seed 7
 *   npm run chaos -- --target cluster --minutes 10 --seed 7
 *   npm run chaos -- --target cluster --seconds 60 --only 'kill be'      (faults with such names)
 *
 * Or one scripted failure after the other, each at its exact moment:
 *
 *   npm run chaos -- --list
 *   npm run chaos -- --scenario late-append
 *   npm run chaos -- --scenario all
 */
import { parseArgs } from 'node:util';
import { runClusterChaos } from './chaos/cluster/cluster-chaos.js';
import { runEmbeddedChaos } from './chaos/embedded.js';
import { runScenarios, scenarioList } from './chaos/scenarios/run.js';

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'embedded' },
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    clients: { type: 'string' },
    tabs: { type: 'string' },
    rate: { type: 'string' },
    buckets: { type: 'string', default: '1000' },
    only: { type: 'string' },
    scenario: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

function number(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new Error(`--${name} wants a positive number, not ${text}`);
  return value;
}

function durationSec(minutes: string): number {
  return values.seconds === undefined
    ? number('minutes', values.minutes ?? minutes) * 60
    : number('seconds', values.seconds);
}

const seed = number('seed', values.seed);
const print = (line: string): void => console.log(line);

const targets: Readonly<Record<string, () => Promise<boolean>>> = {
  embedded: () =>
    runEmbeddedChaos({
      ...{ seed, print },
      durationSec: durationSec('3'),
      clients: number('clients', values.clients ?? '4'),
      tabs: number('tabs', values.tabs ?? '300'),
      eventsPerSec: number('rate', values.rate ?? '20000'),
    }),
  cluster: () => {
    const seconds = durationSec('10');
    return runClusterChaos({
      ...{ seed, print },
      durationSec: seconds,
      clients: number('clients', values.clients ?? '20'),
      tabs: number('tabs', values.tabs ?? '5000'),
      eventsPerSec: number('rate', values.rate ?? '210000'),
      buckets: number('buckets', values.buckets),
      ...(values.only === undefined
        ? { leastFaults: Math.floor((seconds * 40) / 600) }
        : { leastFaults: 0, only: new RegExp(values.only) }),
    });
  },
};

const { scenario } = values;
const run = scenario === undefined ? targets[values.target] : () => runScenarios({ scenario, seed, print });
if (run === undefined)
  throw new Error(`--target wants one of ${Object.keys(targets).join(', ')}, not ${values.target}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
if (values.list) for (const line of scenarioList()) print(line);
// Left to end by itself, Node can go round for ever in its clean-up of sockets that were reset while they shut down.
else process.exit((await run()) ? 0 : 1);
