import { setTimeout as pause } from 'node:timers/promises';
import { type RawBatch, RawSender } from '../../client/raw-sender.js';
import { OwnUsage } from './own-usage.js';
import { clientName, type Round, roundOf, tabName } from './plan.js';
import type { Share, ShareResult } from './share.js';

const leastPerBatch = 2 ** 10;
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
  const events = await Promise.all(share.clients.map(sendAll));
  return { events, lost, rejected, seconds: lastSec, ...usage.end() };
}

/** A power of two, so that batches make up a round. */
function eventsPerBatch(eventsPerSec: number): number {
  if (eventsPerSec === 0) return mostPerBatch;
  const wanted = 2 ** Math.floor(Math.log2(Math.max(1, eventsPerSec / batchesPerSec)));
  return Math.min(mostPerBatch, Math.max(leastPerBatch, wanted));
}

/** The events of a round in their order, cut into batches, each of them grouped by tab. */
export function batchesOf({ tabs, amounts }: Round, events: number): Omit<RawBatch, 'seconds'>[] {
  return Array.from({ length: tabs.length / events }, (_, batch) => {
    const start = batch * events;
    const order = Uint32Array.from({ length: events }, (_, event) => start + event);
    order.sort((a, b) => tabs[a]! - tabs[b]! || a - b);
    const ids: number[] = [];
    const counts: number[] = [];
    for (const event of order) {
      if (ids.at(-1) !== tabs[event]) {
        ids.push(tabs[event]!);
        counts.push(0);
      }
      counts[counts.length - 1]!++;
    }
    const values = Float64Array.from(order, (event) => amounts[event]!);
    return { tabs: Uint32Array.from(ids), counts: Uint32Array.from(counts), values };
  });
}
