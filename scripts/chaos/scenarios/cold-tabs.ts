import type { Block } from '../../../src/core/block.js';
import type { ClientReport } from '../load.js';
import { aggregate, json } from '../oracle.js';
import { SeededRandom } from '../random.js';
import { bucketCount, redisServer, redisShards, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { ScriptedProducer } from './scripted-producer.js';
import { deliver, ServerLink } from './server-link.js';

/** Two States a tab, of the client and over all: several times what may be in memory. */
const tabs = 3000;
const warmTabs = 200;
const maxStates = 1000;
const client = 'app';

interface Held {
  readonly states_in_memory: number;
  readonly tabs: number;
  readonly store: { readonly journal_entries: number; readonly pages: number };
}

export const coldTabs: Scenario = {
  name: 'cold-tabs',
  number: 9,
  description:
    'cold tabs are touched, evicted and trimmed under a tiny memory, events arrive during a load, the be is killed twice; then the untouched ones are checked',
  async run(stage) {
    const random = new SeededRandom(stage.seed);
    const redis = await redisShards(stage);
    const master = await redis.cluster.master('shard1');
    const owner = await redisServer(stage, 'be1', redis, {
      flags: ['--max-states-in-memory', String(maxStates)],
    });
    await owner.daemon.start();
    const proxy = owner.view.before(master);
    const producer = (count: number): ScriptedProducer =>
      new ScriptedProducer({ client, buckets: bucketCount, seed: random.integer(1, 2 ** 30), tabs: count });
    const cold = producer(tabs);
    const warm = producer(warmTabs);
    const report = (): ClientReport => ({ client, ledger: [...aggregate([cold.report, warm.report])] });
    const bring = (from: ScriptedProducer, blocks: readonly Block[]): Promise<void> =>
      deliver(blocks, [owner.url], { id: from.id, buckets: bucketCount });
    const held = (): Promise<Held> => json<Held>(`${owner.url}/status`);

    /** Waits until all is written down, trimmed, and most of it evicted. */
    const settle = async (): Promise<void> => {
      await stage.until('the journal to be trimmed and States to be evicted', async () => {
        const { states_in_memory, store } = await held();
        return store.journal_entries === 0 && states_in_memory <= maxStates;
      });
      const { states_in_memory, tabs: known } = await held();
      stage.check(
        known > maxStates,
        `of ${known} tabs ${states_in_memory} States are in memory, and the journal is empty`,
      );
    };

    /** Kills the be while it loads the States of a bucket, with further events for that bucket behind it. */
    const killInLoad = async (bucket: number): Promise<void> => {
      const trap = proxy.trap({ on: 'reply', when: runs('read-pages', bucket) });
      const link = await ServerLink.connect(owner.url, cold.id, bucketCount);
      const blocks = [cold.next(bucket, 400), cold.next(bucket, 400)];
      const behind = [warm.next(bucket, 50)];
      const pushed = blocks.map((block) => link.push(block));
      const load = await stage.within('a load', trap.sprung);
      const before = proxy.exchanges.filter(runs('append', bucket)).length;
      pushed.push(...behind.map((block) => link.push(block)));
      await stage.until('events to arrive during the load', () => {
        const appends = proxy.exchanges.filter(runs('append', bucket));
        return appends.length > before;
      });
      const appends = proxy.exchanges.filter(runs('append', bucket)).length - before;
      stage.check(
        !load.delivered,
        `${appends} Blocks more arrive while States of bucket ${bucket} are loaded`,
      );
      await owner.daemon.kill();
      trap.cut();
      link.close();
      await owner.daemon.start();
      stage.did('the be was killed in the middle of the load, and started');
      await bring(cold, blocks);
      await bring(warm, behind);
    };

    for (let round = 0; round < 2; round++) await bring(cold, cold.round(1500));
    await settle();
    const [first, second] = random.shuffled(cold.buckets);
    for (let round = 0; round < 3; round++) await bring(warm, warm.round(100));
    await settle();
    await killInLoad(first!);
    for (let round = 0; round < 3; round++) await bring(warm, warm.round(100));
    await settle();
    await killInLoad(second!);
    await bring(warm, warm.round(100));
    const touched = new Set([
      ...warm.report.ledger.map(([tab]) => tab),
      ...[first!, second!].flatMap((bucket) => cold.tabsOf(bucket)),
    ]);
    const untouched = cold.report.ledger.filter(([tab]) => !touched.has(tab)).length;
    stage.check(untouched > maxStates, `${untouched} tabs were not touched since`);
    await stage.compare(owner.url, [report()], 'be1');
    await settle();
    await stage.compare(owner.url, [report()], 'be1');
  },
};
