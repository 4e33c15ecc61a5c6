import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ClientReport } from '../load.js';
import { aggregateMismatches, clientMismatches, type Mismatch, nodeStatus } from '../oracle.js';
import type { ChaosSystem } from './system.js';

const settleDeadlineMs = 120_000;
const shownMismatches = 20;

type Tell = (line: string) => void;

/** Waits until the agents have handed over everything. @throws when they have not after two minutes */
export async function untilEmpty({ taba }: ChaosSystem): Promise<void> {
  const deadline = performance.now() + settleDeadlineMs;
  for (const { name, url } of taba.with('agent')) {
    for (;;) {
      const { books } = await nodeStatus(url);
      if (books.buffered === 0) break;
      if (performance.now() > deadline) {
        throw new Error(
          `${name} still holds ${books.buffered} events ${settleDeadlineMs / 1000} s after the last fault`,
        );
      }
      await pause(200);
    }
  }
}

/**
 * Asks every server for every aggregate, and for each client the next server, and compares.
 *
 * @param logFolder gets a list of what is wrong
 * @returns whether all is exact
 */
export async function countsAreExact(
  { taba }: ChaosSystem,
  reports: readonly ClientReport[],
  logFolder: string,
  tell: Tell,
): Promise<boolean> {
  const servers = taba.with();
  const mismatches: Mismatch[] = [];
  for (const { url } of servers) mismatches.push(...(await aggregateMismatches(url, reports)));
  for (const [index, report] of reports.entries()) {
    mismatches.push(...(await clientMismatches(servers[index % servers.length]!.url, report)));
  }
  const figures = reports.reduce((sum, { ledger }) => sum + ledger.length, 0);
  const lines = mismatches.map(
    ({ where, expected, found }) =>
      `WRONG ${where}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
  );
  for (const line of lines.slice(0, shownMismatches)) tell(`  ${line}`);
  if (lines.length > 0) await writeFile(join(logFolder, 'mismatches.txt'), `${lines.join('\n')}\n`);
  tell(
    mismatches.length === 0
      ? `exact: the aggregates of all tabs on each of ${servers.length} servers, and ${figures} counts and totals of clients`
      : `${mismatches.length} figures are wrong`,
  );
  return mismatches.length === 0;
}

/** Whether `taba check` finds nothing, asked from one server. */
export async function checkFindsNothing(
  { taba }: ChaosSystem,
  program: readonly string[],
  tell: Tell,
): Promise<boolean> {
  const [command = '', ...args] = program;
  const [server] = taba.with('ctrl');
  const run = promisify(execFile);
  const { stdout } = await run(command, [...args, 'check', '--json', '--server', server!.url], {
    maxBuffer: 2 ** 26,
  });
  const { findings, set_aside } = JSON.parse(stdout) as {
    readonly findings: readonly unknown[];
    readonly set_aside: readonly unknown[];
  };
  const clean = findings.length === 0 && set_aside.length === 0;
  tell(clean ? 'taba check finds nothing' : `taba check: ${stdout.slice(0, 2000)}`);
  return clean;
}

/** Whether the books of every node balance, and nothing was dropped or rejected since it was last started. */
export async function booksBalance({ taba }: ChaosSystem, tell: Tell): Promise<boolean> {
  let balanced = true;
  for (const { name, url } of taba.nodes) {
    const { books, owners } = await nodeStatus(url);
    const fine =
      books.balance === 0 &&
      (owners?.balance ?? 0) === 0 &&
      Object.keys(books.dropped).length === 0 &&
      Object.keys(books.rejected).length === 0;
    if (!fine) balanced = false;
    tell(`books of ${name}${fine ? '' : ' ARE WRONG'}: ${JSON.stringify({ ...books, owners })}`);
  }
  return balanced;
}
