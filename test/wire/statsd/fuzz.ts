/**
 * Fuzzing of the StatsD scanner against a plain reading of the same bytes. `npx tsx test/wire/statsd/fuzz.ts --seconds 600`
 * runs for longer than the tests do; `--seed N` repeats a run.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { random as randomFrom } from '../../core/random.js';
import { scanned } from './collector.js';
import { mustNotParse } from './must-not-parse.js';
import { mustParse } from './must-parse.js';
import { reference } from './reference.js';

export interface FuzzResult {
  readonly packets: number;
  /** The first packet on which the two did not agree. */
  readonly failure:
    | { readonly packet: string; readonly found: string; readonly expected: string }
    | undefined;
}

const corpus = [...mustParse, ...mustNotParse].map(([line]) => line).filter((line) => line.length < 200);
/** What the format gives a meaning to, and what it does not. */
const alphabet = [...':|@#,;=+-.~_{}eET0159 \t\r\n\0abcghdms\u00ff'].map((character) =>
  character.charCodeAt(0),
);
const names = ['a', 'hits', 'app.web.latency', 'x_1;k=v', 'n,k=v,w', 'l#k=v', 'sp ce', '', '_e', '~', 'a|b'];
const values = [
  '1',
  '-1',
  '+2.5',
  '.5',
  '1e3',
  '',
  'x',
  '1:2',
  '1::3',
  '0x1',
  '12345678901234567',
  '1e999',
  '5.',
];
const kinds = ['c', 'g', 'ms', 'h', 'd', 's', 'm', 'x', '', 'cc'];
const fields = [
  '@0.5',
  '@2',
  '@',
  '#a:b',
  '#b,a:c',
  '#',
  'T5',
  'T',
  'c:x',
  'card:low',
  '',
  'q',
  '@1e-3',
  'T-1',
];

export function fuzz(seed: number, seconds: number): FuzzResult {
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const grown = () => {
    const parts = Array.from({ length: upTo(3) }, () => `|${pick(fields)}`);
    return `${pick(names)}:${pick(values)}|${pick(kinds)}${parts.join('')}`;
  };
  const noise = () => String.fromCharCode(...Array.from({ length: upTo(12) }, () => pick(alphabet)));
  const line = () => (random() < 0.5 ? grown() : random() < 0.8 ? pick(corpus) : noise());
  const mutated = (packet: Buffer) => {
    const bytes = [...packet];
    for (let left = upTo(3); left > 0; left--) {
      const at = upTo(bytes.length);
      const change = random();
      if (change < 0.4) bytes.splice(at, 1, pick(alphabet));
      else if (change < 0.6) bytes.splice(at, 0, pick(alphabet));
      else if (change < 0.8) bytes.splice(at, 1 + upTo(3));
      else bytes.splice(at, 0, ...bytes.slice(upTo(bytes.length), upTo(bytes.length)));
    }
    return Buffer.from(bytes);
  };

  const end = performance.now() + seconds * 1000;
  let packets = 0;
  while (performance.now() < end) {
    for (let batch = 0; batch < 200; batch++, packets++) {
      const lines = Array.from({ length: 1 + upTo(5) }, line);
      const packet = mutated(Buffer.from(lines.join(pick(['\n', '\n', '\r\n']))));
      const expected = reference(packet).join('; ');
      let found: string;
      try {
        found = scanned(packet).join('; ');
      } catch (error) {
        found = `threw ${(error as Error).stack}`;
      }
      if (found !== expected)
        return { packets, failure: { packet: packet.toString('latin1'), found, expected } };
    }
  }
  return { packets, failure: undefined };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values: flags } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
  const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const { packets, failure } = fuzz(seed, Number(flags.seconds ?? 10));
  console.log(`${packets} packets: ${failure === undefined ? 'all well' : JSON.stringify(failure, null, 2)}`);
  process.exitCode = failure === undefined ? 0 : 1;
}
