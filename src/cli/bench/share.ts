import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { type Client, createClient } from '../../client/client.js';
import type { Recorder } from '../../client/engine.js';
import { OwnUsage } from './own-usage.js';
import { amountOf, clientName, type Plan, type Round, roundOf, tabName } from './plan.js';
import { Probe } from './probe.js';

/** What one process does of a run. */
export interface Share {
  readonly plan: Plan;
  /** Its clients, out of the plan's. */
  readonly clients: readonly number[];
  /** The agent or server that takes the events. */
  readonly url: string;
  /** Of this process; 0 records as fast as it can. */
  readonly eventsPerSec: number;
  readonly seconds: number;
  /** Each event looks its tab up by name, instead of holding it. */
  readonly byName: boolean;
  /** Events go out as they are, in columns, instead of through the client library. */
  readonly raw: boolean;
  /** Among all of its events, those of this tab tell how late they are shown, see `Probe`. */
  readonly probe?: string;
}

export interface ShareResult {
  /** Recorded by each of its clients, in their order. */
  readonly events: readonly number[];
  /** Events that were not taken over. */
  readonly lost: number;
  readonly rejected: number;
  /** User and system time of the process from the first event until the last was taken over. */
  readonly cpuSec: number;
  /** From the first event to the last. */
  readonly seconds: number;
  /** By how much the process grew from before its clients were made to its largest. */
  readonly grownBytes: number;
  /** When the events of the probe were recorded, ms since 1970. */
  readonly probedAtMs: readonly number[];
}

/** Recorded at once, before everything else in the process gets a turn: below a millisecond. */
const eventsPerTurn = 16_384;
const closeMs = 30_000;

export async function recordShare(share: Share): Promise<ShareResult> {
  const { plan, url, seconds, eventsPerSec } = share;
  const { tabs, amounts } = roundOf(plan);
  const names = Array.from({ length: plan.tabs }, (_, tab) => tabName(plan, tab));
  const usage = new OwnUsage();
  const clients = share.clients.map((client) => createClient({ clientId: clientName(client), url }));
  const recorders = clients.map((client) => names.map((name) => client.tab(name, plan.type)));
  const events = clients.map(() => 0);
  const probe = share.probe === undefined ? undefined : new Probe(clients[0]!, share.probe);
  usage.beginCpu();
  const begun = performance.now();
  let recorded = 0;
  let elapsedSec = 0;
  for (let turn = 0; elapsedSec < seconds; turn++) {
    const due = eventsPerSec === 0 ? eventsPerTurn : eventsPerSec * elapsedSec - recorded;
    const now = Math.min(eventsPerTurn, Math.floor(due));
    const client = turn % clients.length;
    probe?.tick();
    if (now > 0) {
      const run = { tabs, amounts, from: events[client]!, count: now };
      if (share.byName) recordByName(clients[client]!, names, plan.type, run);
      else recordHeld(recorders[client]!, run);
      events[client]! += now;
      recorded += now;
    }
    await (now === eventsPerTurn ? nextTurn() : pause(1));
    elapsedSec = (performance.now() - begun) / 1000;
  }
  await Promise.all(clients.map((client) => client.close(closeMs)));
  const used = usage.end();
  const statuses = clients.map((client) => client.status());
  return {
    events,
    lost: statuses.reduce((sum, { lost }) => sum + lost, 0),
    rejected: statuses.reduce((sum, { rejected }) => sum + rejected, 0),
    seconds: elapsedSec,
    probedAtMs: probe?.recordedAtMs ?? [],
    ...used,
  };
}

/** Events `from` to `from + count` of the rounds that a client records. */
interface Run extends Round {
  readonly from: number;
  readonly count: number;
}

// Two loops: what an application would write, with nothing in between.

function recordHeld(recorders: readonly Recorder[], run: Run): void {
  const { tabs, from, count } = run;
  const mask = tabs.length - 1;
  for (let event = from; event < from + count; event++) {
    const at = event & mask;
    recorders[tabs[at]!]!.record(amountOf(run, at));
  }
}

function recordByName(client: Client, names: readonly string[], type: string, run: Run): void {
  const { tabs, from, count } = run;
  const mask = tabs.length - 1;
  for (let event = from; event < from + count; event++) {
    const at = event & mask;
    client.record(names[tabs[at]!]!, type, amountOf(run, at));
  }
}
