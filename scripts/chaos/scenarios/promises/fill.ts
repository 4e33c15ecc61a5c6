import { bucketOf } from '../../../../src/core/buckets.js';
import type { TabName } from '../../../../src/core/ids.js';
import { type ClientReport, tabName, tabType } from '../../load.js';
import { json } from '../../oracle.js';
import type { Stage } from '../stage.js';
import { BlockLine, Connections } from './block-line.js';
import { defaultBuckets } from './cluster.js';
import { Recorder } from './parts-of.js';

/** As many as the first Taba had in production. */
export const filledTabs = 30_000;
const filledClients = 20;
const linesAtOnce = 32;
const deadlineMs = 180_000;

/** Indexes of the load's tabs, by bucket. */
export function tabsByBucket(tabs = filledTabs): number[][] {
  const byBucket: number[][] = Array.from({ length: defaultBuckets }, () => []);
  for (let index = 0; index < tabs; index++) {
    byBucket[bucketOf(tabName(index) as TabName, defaultBuckets)]!.push(index);
  }
  return byBucket;
}

async function isWrittenDown(url: string): Promise<boolean> {
  const { cluster } = await json<{ readonly cluster: { readonly journal_entries: number } }>(`${url}/status`);
  return cluster.journal_entries === 0;
}

/** Puts 30,000 tabs of 20 clients into the store, with an event each, over v2: a Block for each bucket. */
export async function fill(stage: Stage, urls: readonly string[]): Promise<ClientReport[]> {
  const recorders = Array.from({ length: filledClients }, (_, index) => new Recorder(`client${index}`));
  const connections = new Connections(urls, defaultBuckets);
  const beganMs = performance.now();
  const waiting = [...tabsByBucket().entries()];
  const fillSome = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await fillOne(...next);
  };
  const fillOne = (bucket: number, tabs: readonly number[]): Promise<void> =>
    new Promise((acknowledged, failed) => {
      const line = new BlockLine({
        bucket,
        connections,
        mayLose: false,
        acknowledged: () => acknowledged(),
        failed,
      });
      line.record((parts) => {
        for (const [client, recorder] of recorders.entries()) {
          for (const tab of tabs) recorder.record(tabName(tab), tabType(tab), (tab + client) % 1000, parts);
        }
      });
    });
  await stage.within(
    'the store to be filled',
    Promise.all(Array.from({ length: linesAtOnce }, fillSome)),
    deadlineMs,
  );
  await connections.close();
  const tookSec = (performance.now() - beganMs) / 1000;
  stage.did(`${filledTabs} tabs of ${filledClients} clients are in the store, after ${tookSec.toFixed(1)} s`);
  await stage.until('it all to be written down', () => isWrittenDown(urls[0]!), deadlineMs);
  const writtenSec = (performance.now() - beganMs) / 1000;
  stage.did(`they are written down as pages, after ${writtenSec.toFixed(1)} s`);
  return recorders.map(({ report }) => report);
}
