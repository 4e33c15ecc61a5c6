/**
 * `npm test`: the linter, the compiler and every test file, side by side; `npm test -- test/core` runs a part of the tests.
 *
 * The test files run as bundles, on all cores; `npx tsx FILE` and `npx tap FILE` run one as it is.
 * Tap's own stream is condensed to a line per file, with every failure in full; its closing summary stands last, as
 * `N passed, N failed`. A skipped test fails the run, and so does a process that outlives it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleTests } from './test/bundles.js';
import { testFiles } from './test/files.js';

interface Finished {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
}

const temporary = join(import.meta.dirname, '../.tmp');
mkdirSync(temporary, { recursive: true });
const bundles = mkdtempSync(join(temporary, 'tests-'));
process.on('exit', () => rmSync(bundles, { recursive: true, force: true }));

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of running) if (child.pid !== undefined) signalGroup(child.pid, signal);
    process.exit(130);
  });
}

function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leaderPid, signal);
  } catch {
    // The group is gone already.
  }
}

/** Each tool leads a session of its own: that is how what it leaves behind is recognized, whoever its parent is by then. */
function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(`node_modules/.bin/${command}`, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env,
  });
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

function check(name: string, command: string, args: readonly string[]): Promise<Finished> {
  const child = start(command, args);
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ name, ok: false, output: String(error) }));
    child.on('close', (code) => resolve({ name, ok: code === 0, output }));
  });
}

interface Counts {
  total: number;
  pass: number;
  fail: number;
  skip: number;
  todo: number;
}

interface TapResult {
  readonly ok: boolean;
  readonly counts: Counts | undefined;
  readonly leftovers: readonly string[];
}

async function tap(files: readonly string[]): Promise<TapResult> {
  await bundleTests(files, bundles);
  const child = start('tsx', ['scripts/test/run-files.ts', bundles, ...files], {
    ...process.env,
    FORCE_COLOR: '0',
  });
  const pid = child.pid;
  child.stderr?.pipe(process.stderr);
  let counts: Counts | undefined;
  let file: string[] = [];
  const lines = createInterface({ input: child.stdout!, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', (line) => {
    const summary = /^# \{ (total: .*) \}$/.exec(line);
    if (summary) counts = readCounts(summary[1]!);
    const closing = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (closing) {
      console.log(line);
      if (closing[1]) console.log(failures(file).join('\n'));
      file = [];
    } else if (line.startsWith('    ')) {
      file.push(line);
    } else if (line.startsWith('Bail out!') || (line.startsWith('#') && !line.startsWith('# Subtest'))) {
      console.log(line);
    }
  });
  const closed = new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  const code = await closed;
  return { ok: code === 0, counts, leftovers: pid === undefined ? [] : endSession(pid) };
}

function readCounts(text: string): Counts {
  const counts: Counts = { total: 0, pass: 0, fail: 0, skip: 0, todo: 0 };
  for (const [, key, value] of text.matchAll(/(\w+): (\d+)/g)) {
    if (key! in counts) counts[key as keyof Counts] = Number(value);
  }
  return counts;
}

/** The failed assertions of one file, with what tap says about them and whatever the test printed itself. */
function failures(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let detail = -1;
  for (const line of lines) {
    const indent = line.search(/\S/);
    if (detail >= 0) {
      kept.push(line);
      if (indent === detail + 2 && line.trim() === '...') detail = -1;
      continue;
    }
    if (/^\s*not ok /.test(line)) {
      kept.push(line);
      detail = indent;
    } else if (/^\s*# Subtest/.test(line) || !/^\s*(ok \d|\d+\.\.\d|#|$)/.test(line)) {
      kept.push(line);
    }
    // A failure without details (a plan that was not met, say) ends with the next assertion.
    if (detail >= 0 && /^\s*(not )?ok .*# time=/.test(line)) detail = -1;
  }
  return kept;
}

/** What still runs in the session led by `pid`: named, and ended. Linux only; elsewhere nothing is found. */
function endSession(pid: number): string[] {
  const found: string[] = [];
  for (const entry of procEntries()) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[3]) !== pid || fields[0] === 'Z') continue;
      found.push(`${entry} ${readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ')}`);
      process.kill(Number(entry), 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
  return found;
}

function procEntries(): string[] {
  try {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  } catch {
    return [];
  }
}

const chosen = process.argv.slice(2);
const [biome, tsc, tests] = await Promise.all([
  check('biome', 'biome', ['check', '.']),
  check('tsc', 'tsc', ['--noEmit']),
  tap(testFiles(chosen.length > 0 ? chosen : ['test'])),
]);

for (const finished of [biome, tsc]) {
  console.log(`${finished.ok ? 'ok' : 'not ok'} - ${finished.name}`);
  if (!finished.ok) console.log(finished.output);
}
for (const leftover of tests.leftovers) console.log(`not ok - a process outlived the tests: ${leftover}`);

const counts = tests.counts;
if (counts === undefined) {
  console.log('not ok - tap ended without a summary');
} else {
  const { skip, todo } = counts;
  if (skip + todo > 0)
    console.log(`not ok - ${skip} skipped, ${todo} to do: a test that does not run proves nothing`);
  console.log(`${counts.pass} passed, ${counts.fail} failed`);
}
const ok =
  biome.ok &&
  tsc.ok &&
  tests.ok &&
  tests.leftovers.length === 0 &&
  counts !== undefined &&
  counts.skip + counts.todo === 0;
process.exitCode = ok ? 0 : 1;
