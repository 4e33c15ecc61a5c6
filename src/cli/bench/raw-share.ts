import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '../../client/client.js';
import { type RawBatch, RawSender } from '../../client/raw-sender.js';
import { OwnUsage } from './own-usage.js';
import { amountOf, clientName, type Round, roundOf, tabName } from './plan.js';
import { Probe } from './probe.js';
import type { Share, ShareResult } from './share.js';

const leastPerBatch = 2 ** 10;
/** A round: 1 MiB. Larger ones cost whoever takes them more: memory of such a size comes from the system afresh each time. */
const mostPerBatch = 2 ** 17;
/** Batches that a client sends at most, where its rate allows for larger ones. */
const batchesPerSec = 8;

/** Does a share as a program that has its numbers in columns: batch by batch, each when the one before was answered for. */
export async function sendRawShare(share: Share): Promise<ShareResult> {
  const { plan, url, seconds } = share;
  const eventsPerSec = share.eventsPerSec / share.clients.length;
  const batches = batchesOf(roundOf(plan), eventsPerBatch(eventsPerSec));
  const usage = new OwnUsage();
  const begun = performance.now();
  const elapsedSec = () => (performance.now() - begun) / 1000;
  let lost = 0;
  let rejected = 0;
  let lastSec = 0;
  const sendAll = async (client: number): Promise<number> => {
    const sender = new RawSender({ clientId: clientName(client), url });
    for (let tab = 0; tab < plan.tabs; tab++) sender.tab(tabName(plan, tab), plan.type);
    let events = 0;
    for (let turn = 0; elapsedSec() < seconds; turn++) {
      const batch = batches[turn % batches.length]!;
      const dueSec = eventsPerSec === 0 ? 0 : (events + batch.values.length) / eventsPerSec;
      if (dueSec >= seconds) break;
      if (dueSec > elapsedSec()) await pause((dueSec - elapsedSec()) * 1000);
      events += batch.values.length;
      const outcome = await sender.send({ ...batch, seconds: new Float64Array([Date.now() / 1000]) });
      if (outcome.kind === 'taken') rejected += outcome.rejectedTotal;
      else lost += batch.values.length;
    }
    lastSec = Math.max(lastSec, elapsedSec());
    sender.close();
    return events;
  };
  const probing = startProbe(share);
  const events = await Promise.all(share.clients.map(sendAll));
  const probedAtMs = await probing.end();
  return { events, lost, rejected, seconds: lastSec, probedAtMs, ...usage.end() };
}

/** Beside the columns, by the client library: a batch is answered for as soon as it is counted. */
function startProbe({ probe: tab, url }: Share): { end(): Promise<readonly number[]> } {
  if (tab === undefined) return { end: async () => [] };
  const client = createClient({ clientId: 'bench-probe', url });
  const probe = new Probe(client, tab);
  const ticking = setInterval(() => probe.tick(), 1);
  return {
    async end() {
      clearInterval(ticking);
      await client.close();
      return probe.recordedAtMs;
    },
  };
}

/** A power of two, as a round has. */
function eventsPerBatch(eventsPerSec: number): number {
  if (eventsPerSec === 0) return mostPerBatch;
  const wanted = 2 ** Math.floor(Math.log2(Math.max(1, eventsPerSec / batchesPerSec)));
  return Math.min(mostPerBatch, Math.max(leastPerBatch, wanted));
}

/**
 * The events of a round in their order, cut into batches, each of them grouped by tab.
 * @param events of a batch: a power of two, which may be that of several rounds
 */
export function batchesOf(round: Round, events: number): Omit<RawBatch, 'seconds'>[] {
  const { tabs } = round;
  const mask = tabs.length - 1;
  return Array.from({ length: Math.max(1, tabs.length / events) }, (_, batch) => {
    const order = Uint32Array.from({ length: events }, (_, event) => batch * events + event);
    order.sort((a, b) => tabs[a & mask]! - tabs[b & mask]! || a - b);
    const ids: number[] = [];
    const counts: number[] = [];
    for (const event of order) {
      const tab = tabs[event & mask]!;
      if (ids.at(-1) !== tab) {
        ids.push(tab);
        counts.push(0);
      }
      counts[counts.length - 1]!++;
    }
    const values = Float64Array.from(order, (event) => amountOf(round, event));
    return { tabs: Uint32Array.from(ids), counts: Uint32Array.from(counts), values };
  });
}
