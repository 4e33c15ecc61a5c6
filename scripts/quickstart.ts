/**
 * `npm run quickstart`: builds Taba, starts it on an empty store, lets a few processes bid in auctions, checks that every
 * event was counted, and shows the result. Stays up until Ctrl-C; `npm run quickstart -- --once` ends after the check.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { type Answer, differences, expectedOf } from './quickstart/compare.js';
import type { BidderOrder, BidderReport } from './quickstart/order.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const taba = join(root, 'dist/taba');
const readableWithinMs = 30_000;

const { values: flags } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    bidders: { type: 'string', default: '4' },
    auctions: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '4' },
  },
});

interface Addresses {
  readonly server: string;
  readonly agent: string;
}

const children = new Set<ChildProcess>();
const folder = mkdtempSync(join(tmpdir(), 'taba-quickstart-'));
let interrupted = false;
const interruption = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
      resolve();
    });
  }
});

try {
  say('building dist/taba …');
  await run(process.execPath, ['--import', 'tsx', 'build/build.ts', '--executable'], { cwd: root });
  const { daemon, addresses } = await startTaba();
  say(`server ${addresses.server}, agent ${addresses.agent}, data in ${folder}`);
  await simulate(addresses);
  if (!interrupted && !flags.once) {
    say(whereToLook(addresses));
    await Promise.race([interruption, once(daemon, 'exit')]);
  }
  await stop(daemon);
} catch (error) {
  if (!interrupted) {
    console.error(`quickstart: ${(error as Error).message}`);
    process.exitCode = 1;
  }
} finally {
  await Promise.all([...children].map(stop));
  rmSync(folder, { recursive: true, force: true });
}

function say(text: string): void {
  console.log(text);
}

/** The usual ports, so that what the documentation says works as it stands; other ones where they are taken. */
async function startTaba(): Promise<{ daemon: ChildProcess; addresses: Addresses }> {
  const [port, agentPort] = await Promise.all([portOrFree(8300), portOrFree(8279)]);
  const args = ['up', '--data', folder, '--port', port, '--agent-port', agentPort];
  const daemon = launch(taba, [...args, '--log-format', 'json']);
  return { daemon, addresses: await readiness(daemon) };
}

function launch(program: string, args: readonly string[]): ChildProcess {
  // In a group of its own: Ctrl-C reaches this process, which then stops the others in order.
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function portOrFree(port: number): Promise<string> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return String(port);
  } catch {
    return '0';
  } finally {
    probe.close();
  }
}

function readiness(daemon: ChildProcess): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    createInterface({ input: daemon.stderr! }).on('line', (text) => {
      const line = parseLine(text);
      if (line.event === 'ready') resolve({ server: String(line.server), agent: String(line.agent) });
      else if (line.level !== 'info') console.error(text);
    });
    daemon.once('error', reject);
    daemon.once('exit', (code) => reject(new Error(`taba up ended with exit code ${code}`)));
  });
}

function parseLine(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function simulate(addresses: Addresses): Promise<void> {
  const bidders = Number(flags.bidders);
  const auctions = Number(flags.auctions);
  say(`${bidders} bidders, ${(bidders * auctions).toLocaleString('en')} auctions, ${flags.seconds} s …`);
  const reports = await Promise.all(
    Array.from({ length: bidders }, (_, index) =>
      bid({
        client: `bidder-${index + 1}`,
        url: addresses.agent,
        seed: index + 1,
        auctions,
        durationMs: Number(flags.seconds) * 1000,
      }),
    ),
  );
  await verify(addresses, reports);
  const { stdout } = await run(taba, ['agg', 'winning_bid_price', '--server', addresses.server]);
  say(`\n$ taba agg winning_bid_price\n${stdout}`);
}

async function bid(order: BidderOrder): Promise<BidderReport> {
  const child = launch(process.execPath, [
    '--import',
    'tsx',
    'scripts/quickstart/bidder.ts',
    JSON.stringify(order),
  ]);
  let output = '';
  let errors = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  child.stderr!.on('data', (chunk) => (errors += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${order.client} ended with exit code ${code}: ${errors}`);
  const report = JSON.parse(output) as BidderReport;
  if (report.lost > 0) throw new Error(`${order.client} lost ${report.lost} events`);
  return report;
}

/** Waits until the answers are what the bidders recorded. @throws naming every difference when they do not become so */
async function verify({ server }: Addresses, reports: readonly BidderReport[]): Promise<void> {
  const expected = expectedOf(reports);
  const tabs = [...expected.sums.keys(), ...expected.gauges.keys(), ...expected.distinct.keys()];
  const url = `${server}/tabs?${new URLSearchParams({ name: tabs.join(',') })}`;
  const beganAtMs = performance.now();
  let found: string[] = [];
  do {
    const reply = await fetch(url, { headers: { accept: 'application/json' } });
    found = reply.ok
      ? differences(expected, (await reply.json()) as Answer)
      : [`${url}: ${reply.status} ${await reply.text()}`];
    if (found.length === 0) {
      const events = [...expected.sums.values()].reduce((sum, { count }) => sum + count, 0);
      say(
        `all ${events.toLocaleString('en')} numbers in ${expected.sums.size} tabs are counted exactly once, readable ${((performance.now() - beganAtMs) / 1000).toFixed(1)} s after the last`,
      );
      return;
    }
    await pause(100);
  } while (performance.now() - beganAtMs < readableWithinMs && !interrupted);
  throw new Error(`not what was recorded:\n  ${found.join('\n  ')}`);
}

function whereToLook({ server, agent }: Addresses): string {
  const at = server === 'http://127.0.0.1:8300' ? '' : ` --server ${server}`;
  return `It stays up until Ctrl-C. In another terminal:
  dist/taba names${at}
  dist/taba proj winning_bid_price${at}
  dist/taba super 'campaign_spend.*'${at}
  dist/taba record my_first_tab 42${at}
  curl '${server}/tabs?name=bid_latency_sec'
  curl -d '{"name": "bids_won", "value": 1}' ${agent}/events`;
}

/** Asks a process to end, and waits for it; one that does not is killed. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 25_000);
  await ended;
  clearTimeout(killer);
}
