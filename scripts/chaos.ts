/**
 * Kills, freezes and cuts the parts of a running Taba while producers with a known number of events feed it, and
 * compares every count and total in the end.
 *
 *   npm run chaos -- --target embedded --minutes 3 --seed 7
 */
import { parseArgs } from 'node:util';
import { runEmbeddedChaos } from './chaos/embedded.js';

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'embedded' },
    minutes: { type: 'string', default: '3' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    clients: { type: 'string', default: '4' },
    tabs: { type: 'string', default: '300' },
    rate: { type: 'string', default: '20000' },
  },
});

function number(name: string, text: string | undefined): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new Error(`--${name} wants a positive number, not ${text}`);
  return value;
}

if (values.target !== 'embedded') throw new Error(`--target ${values.target}: only "embedded" exists`);
const passed = await runEmbeddedChaos({
  seed: number('seed', values.seed),
  durationSec:
    values.seconds === undefined ? number('minutes', values.minutes) * 60 : number('seconds', values.seconds),
  clients: number('clients', values.clients),
  tabs: number('tabs', values.tabs),
  eventsPerSec: number('rate', values.rate),
  print: (line) => console.log(line),
});
process.exitCode = passed ? 0 : 1;
