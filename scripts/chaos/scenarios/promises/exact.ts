import { setTimeout as pause } from 'node:timers/promises';
import type { ClientReport } from '../../load.js';
import { aggregateMismatches, clientMismatches, type Mismatch } from '../../oracle.js';
import { SeededRandom } from '../../random.js';
import { ScenarioFailure } from '../scenario.js';
import type { Actor, Stage } from '../stage.js';

const deadlineMs = 30_000;
const comparedClients = 2;
const shownMismatches = 5;

/**
 * Compares every tab over all clients, and every tab of the last client and of two others: all of them would take longer
 * than what is measured.
 *
 * @throws ScenarioFailure naming what is wrong
 */
export async function checkExact(
  stage: Stage,
  server: Actor,
  reports: readonly ClientReport[],
): Promise<void> {
  const others = new SeededRandom(stage.seed).shuffled(reports.slice(0, -1)).slice(0, comparedClients);
  const compared = [reports.at(-1)!, ...others];
  const endMs = performance.now() + deadlineMs;
  let mismatches: Mismatch[];
  for (;;) {
    try {
      mismatches = await aggregateMismatches(server.url, reports);
      for (const report of compared) mismatches.push(...(await clientMismatches(server.url, report)));
      break;
    } catch (error) {
      // A server that is about to take buckets over says so, and is asked again.
      if (performance.now() > endMs) throw error;
      await pause(100);
    }
  }
  const shown = mismatches.slice(0, shownMismatches).map(({ where, expected, found }) => {
    return `${where} ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
  });
  if (mismatches.length > 0)
    throw new ScenarioFailure(`${mismatches.length} figures are wrong: ${shown.join('; ')}`);
  const tabs = new Set(reports.flatMap(({ ledger }) => ledger.map(([tab]) => tab))).size;
  const events = reports.flatMap(({ ledger }) => ledger).reduce((sum, [, { count }]) => sum + count, 0);
  const clients = `of ${compared.length} of ${reports.length} clients`;
  stage.did(
    `exact: ${events} events in ${tabs} tabs, over all clients and ${clients}, as ${server.name} answers`,
  );
}
