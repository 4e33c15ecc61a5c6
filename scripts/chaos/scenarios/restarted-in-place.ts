import { setTimeout as pause } from 'node:timers/promises';
import { bucketOf } from '../../../src/core/buckets.js';
import type { TabName } from '../../../src/core/ids.js';
import { shares } from '../../cluster/shares.js';
import type { ClientReport } from '../load.js';
import { aggregate, allTime, json, nodeStatus, type Rendering } from '../oracle.js';
import { spooledAgent } from './nodes.js';
import { Recording } from './recording.js';
import { bucketCount, redisServer, redisShards } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';
import type { Actor, Stage } from './stage.js';

/** A shard for each way in which Redis keeps what it has. */
const modes = {
  always: ['appendonly yes', 'appendfsync always'],
  everysec: ['appendonly yes', 'appendfsync everysec'],
  never: ['appendonly yes', 'appendfsync no'],
  nothing: ['appendonly no', 'appendfsync no'],
} as const;
type Mode = keyof typeof modes;
const modeNames = Object.keys(modes) as Mode[];
/** Of an application that records all the time, something is always on its way. */
const underWay = 200;
const ranges = shares(modeNames.length, bucketCount);

export const restartedInPlace: Scenario = {
  name: 'restarted-in-place',
  number: 7,
  description:
    'a Redis master is killed and restarted in place before a sentinel notices, once for each append-only mode',
  async run(stage) {
    const redis = await redisShards(stage, { shards: modeNames });
    const { cluster } = redis;
    for (const mode of modeNames) {
      for (const server of cluster.shard(mode).servers) {
        for (const line of modes[mode]) await server.ask('config', 'set', ...line.split(' '));
        await server.ask('config', 'rewrite');
      }
    }
    const owner = await redisServer(stage, 'be1', redis);
    await owner.daemon.start();
    stage.check(
      owner.log.some(({ event, shard }) => event === 'redis_not_append_only' && shard === 'nothing'),
      'be1 warns at its start of the shard that keeps nothing on disk',
    );
    const agent = await spooledAgent(stage, 'agent', { servers: [owner.url] });
    await agent.daemon.start();
    const app = new SdkApp({ client: 'app', url: agent.url, seed: stage.seed });
    stage.defer(() => app.close());
    const recording = new Recording(app, { eventsPerTick: 20 });
    stage.defer(() => recording.end());

    const lost = new Map<Mode, number>();
    for (const mode of modeNames) {
      await untilFew(stage, agent, underWay);
      const before = await lostBy(agent);
      const master = await cluster.master(mode);
      await pause(500);
      await master.restart();
      await pause(1500);
      stage.check(
        (await cluster.master(mode)) === master,
        `${mode}: the master was killed and restarted, and Sentinel has made no fail-over`,
      );
      await cluster.inSync(mode);
      // Of what is lost the agent hears with its next Block of that bucket.
      await pause(500);
      await untilFew(stage, agent, underWay);
      lost.set(mode, (await lostBy(agent)) - before);
      stage.did(`${mode}: the agent was told that ${lost.get(mode)} events are lost`);
    }
    await recording.end();
    await app.handOver();
    await untilFew(stage, agent, 0);

    stage.check(lost.get('always') === 0, 'with appendfsync always nothing is lost');
    await compareShards(stage, owner, app.report, lost);
  },
};

/** @param most events that may still be on their way */
async function untilFew(stage: Stage, agent: Actor, most: number): Promise<void> {
  const few = async () => (await nodeStatus(agent.url)).books.buffered <= most;
  await stage.until('the agent to hand over what it has', few);
}

async function lostBy(agent: Actor): Promise<number> {
  const { books } = await nodeStatus(agent.url);
  return Object.values(books.dropped).reduce((sum, count) => sum + count, 0);
}

/** What is counted in each shard is what was recorded, without what is lost: that is exact unless a shard kept nothing. */
async function compareShards(
  stage: Stage,
  { url }: Actor,
  report: ClientReport,
  lost: ReadonlyMap<Mode, number>,
): Promise<void> {
  const tabs = await json<Record<string, Rendering>>(`${url}/tabs?name=chaos%5C.&re=true`);
  const recorded = aggregate([report]);
  for (const [index, mode] of modeNames.entries()) {
    const [first, last] = ranges[index]!;
    let events = 0;
    let counted = 0;
    for (const [tab, { count }] of recorded) {
      const bucket = bucketOf(tab as TabName, bucketCount);
      if (bucket < first || bucket > last) continue;
      events += count;
      counted += allTime(tabs[tab]).count;
    }
    const told = lost.get(mode) ?? 0;
    const figures = `${mode}: ${events} events recorded, ${counted} counted, ${told} reported as lost`;
    if (mode !== 'nothing') {
      stage.check(counted === events - told, figures);
      continue;
    }
    stage.check(told > 0, `${figures}: the loss is reported`);
    // What was counted and acknowledged before is gone with the master, and no agent holds it any more.
    stage.check(counted > 0 && counted <= events - told, 'nothing is doubled, and it goes on');
  }
}
