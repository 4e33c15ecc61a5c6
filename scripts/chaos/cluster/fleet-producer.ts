/** A process that plays several applications: each a client of its own, with all its tabs held. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, createClient } from '../../../src/client/index.js';
import { type ClientReport, type Tally, tabName, tabType } from '../load.js';
import { type FleetClient, type FleetOrder, type FleetReport, tickMs } from './fleet.js';

const order = JSON.parse(process.argv[2] ?? '') as FleetOrder;
/** Values go round in a list: a random number for each event would cost more than recording it. */
const values = Array.from({ length: 1024 }, (_, index) => ((index * 7919) % 1006) - 5);
const stepMs = 50;

/** A client, its tabs, and what it has recorded into them. */
class Application {
  readonly client: Client;
  readonly id: string;
  readonly #names: readonly string[];
  readonly #recorders: readonly { record(value: number): void }[];
  readonly #counts: Float64Array;
  readonly #totals: Float64Array;
  #nextValue = 0;

  constructor({ id, url }: FleetClient, names: readonly string[], typeOf: (index: number) => string) {
    this.id = id;
    this.client = createClient({ clientId: id, url });
    this.#names = names;
    this.#recorders = names.map((name, index) => this.client.tab(name, typeOf(index)));
    this.#counts = new Float64Array(names.length);
    this.#totals = new Float64Array(names.length);
  }

  record(tab: number, events: number): void {
    const recorder = this.#recorders[tab]!;
    let total = 0;
    for (let count = 0; count < events; count++) {
      const value = values[this.#nextValue++ & 1023]!;
      recorder.record(value);
      total += value;
    }
    this.#counts[tab]! += events;
    this.#totals[tab]! += total;
  }

  report(): ClientReport {
    const ledger: [string, Tally][] = [];
    this.#names.forEach((name, tab) => {
      const count = this.#counts[tab]!;
      if (count > 0) ledger.push([name, { count, total: this.#totals[tab]! }]);
    });
    return { client: this.id, ledger };
  }
}

let stopping = false;
process.on('message', (message) => {
  if (message === 'stop') stopping = true;
});
// Without a parent there is nobody to report to.
process.on('disconnect', () => process.exit(1));

const tabNames = Array.from({ length: order.tabs }, (_, index) => tabName(index));
const applications = order.clients.map((client) => new Application(client, tabNames, tabType));
const probers = order.probeClients.map(
  (client) => new Application(client, order.probes, () => 'TotalsCounter'),
);
const everybody = [...applications, ...probers];
const beganAtMs = performance.now();
/** Events of the load, and of the probes. */
let recorded = 0;
let probes = 0;
let probed = 0;

/** As many events as are due by now, evenly over the clients and over the tabs of the present tick. */
function recordDue(elapsedMs: number): void {
  const due = Math.floor((order.eventsPerSec * elapsedMs) / 1000) - recorded;
  const perTab = Math.floor(due / Math.max(1, applications.length * order.tabsPerTick));
  if (perTab === 0) return;
  const tick = Math.floor(elapsedMs / tickMs);
  applications.forEach((application, index) => {
    const first = order.clients[index]!.firstTab + tick * order.tabsPerTick;
    for (let tab = first; tab < first + order.tabsPerTick; tab++)
      application.record(tab % order.tabs, perTab);
  });
  recorded += perTab * order.tabsPerTick * applications.length;
}

/** The probe clients take turns, so that each bucket hears of one of them at even intervals. */
function probeDue(elapsedMs: number): void {
  const turnMs = order.probePeriodMs / Math.max(1, probers.length);
  while (probers.length > 0 && probed * turnMs <= elapsedMs) {
    const prober = probers[probed++ % probers.length]!;
    for (let bucket = 0; bucket < order.probes.length; bucket++) prober.record(bucket, 1);
    probes += order.probes.length;
  }
}

let steps = 0;
while (!stopping) {
  const elapsedMs = performance.now() - beganAtMs;
  probeDue(elapsedMs);
  recordDue(elapsedMs);
  if (steps++ % 20 === 0) process.send?.({ kind: 'progress', recorded: recorded + probes });
  await pause(stepMs);
}

const lost: Record<string, number> = {};
for (const { client } of everybody) {
  while (client.status().buffered > 0) await client.flush();
  const { lostByReason, rejectedByCode } = client.status();
  for (const [reason, events] of Object.entries({ ...lostByReason, ...rejectedByCode })) {
    if (events > 0) lost[reason] = (lost[reason] ?? 0) + events;
  }
  await client.close();
}
const report: FleetReport = {
  kind: 'report',
  events: recorded + probes,
  lost,
  clients: everybody.map((application) => application.report()),
};
process.send?.(report, () => process.disconnect());
