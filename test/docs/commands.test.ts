/** The command lines that --help, README.md and docs/ show: they parse, and those that ask or record are run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { commands } from '../../src/cli/commands.js';
import { parse } from '../../src/cli/parse.js';
import { openMemoryStore } from '../../src/storage/memory/memory-store.js';
import { taba } from '../cli/terminal.js';
import { post, serverOf } from '../system/kit.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...documents.map((name) => `docs/${name}`)];

/** The words of a command line, as a shell takes it apart; what follows `<`, `|` or a comment is left out. */
function words(line: string): string[] {
  const found = line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g);
  const all = [...found].map(([, single, double, plain]) => single ?? double ?? plain ?? '');
  const end = all.findIndex((word) => ['<', '|', '#'].includes(word));
  return end < 0 ? all : all.slice(0, end);
}

/** Runs for as long as its flags say, at rates that a test does not ask for; test/cli/bench.test.ts runs it. */
const loads = 'bench';
/** Without a terminal to ask at, these are usage errors. */
const needsYes = new Set(['taba delete old_counter']);
const events = [
  ['winning_bid_price', 1.37, 'host-1'],
  ['bids_won', 1, 'host-1'],
  ['bids_won', 1, 'host-2'],
  ['old_counter', 1, 'host-1'],
  ['test_a', 1, 'host-1'],
  ['bid_latency;exchange=a', 12, 'host-1'],
].map(([name, value, client]) => ({ name, value, client }));

t.test('every example of --help works', async (t) => {
  const server = await serverOf(t, { store: await openMemoryStore({ bucketCount: 32 }), bucketCount: 32 });
  await post(`${server.url}/events`, JSON.stringify(events));
  for (const { name, daemon, examples } of commands) {
    t.not(examples.length, 0, `${name} has an example`);
    for (const [example] of examples) {
      // `source <(taba completion bash)`: what the shell runs inside.
      const line = example.replace(/^source <\((.*)\)$/, '$1');
      const [program, ...args] = words(line);
      t.equal(program, 'taba', line);
      if (daemon !== undefined || name === loads) {
        t.equal(typeof parse(args, 100), 'object', line);
        continue;
      }
      const stdin = line.includes('<') ? '{"name": "bids_won", "value": 1}\n' : '';
      const ran = await taba(args, { env: { TABA_SERVER: server.url }, stdin });
      t.equal(ran.code, needsYes.has(line) ? 2 : 0, `${line}\n${ran.err}`);
    }
  }
});

t.test('every command line of the pages parses', async (t) => {
  let count = 0;
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, block = ''] of text.matchAll(/```sh\n([\s\S]*?)```/g)) {
      for (const line of block.split('\n').filter((one) => one.startsWith('taba '))) {
        count++;
        t.doesNotThrow(() => parse(words(line).slice(1), 100), `${page}: ${line}`);
      }
    }
  }
  t.ok(count > 5, `${count} command lines`);
});

t.test('every flag and command that a page names in passing exists', async (t) => {
  const known = new Set(commands.map(({ name }) => name));
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, name = ''] of text.matchAll(/`taba ([a-z-]+)[ `]/g)) {
      t.ok(known.has(name), `${page}: taba ${name}`);
    }
  }
});

t.test('every relative link leads somewhere', async (t) => {
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      t.ok(existsSync(join(root, dirname(page), target)), `${page}: ${target}`);
    }
  }
});
