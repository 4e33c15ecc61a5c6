import type { ClientReport } from '../load.js';
import { aggregateMismatches, json, nodeStatus } from '../oracle.js';
import type { WatchedRedis } from '../proxy/watched-redis.js';
import { spooledAgent, untilHandedOver } from './nodes.js';
import { redisServer, redisShards } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';
import type { Actor, Stage } from './stage.js';

/** Enough that every bucket gets something. */
const eventsPerRound = 500;
const backDeadlineMs = 60_000;

export const doubleFailover: Scenario = {
  name: 'double-failover',
  number: 16,
  description:
    'two fail-overs in a row lose nothing; with --redis-wait 0 what a fail-over loses is reported, and it goes on',
  async run(stage) {
    await twice(stage);
    await withoutWait(stage);
  },
};

interface Cast {
  readonly redis: WatchedRedis;
  readonly owner: Actor;
  readonly agent: Actor;
  readonly app: SdkApp;
  /** Records, and waits until the server has acknowledged it. */
  record(): Promise<void>;
}

async function castWith(stage: Stage, name: string, wait: number): Promise<Cast> {
  const redis = await redisShards(stage);
  const owner = await redisServer(stage, `${name}-be`, redis, { wait });
  await owner.daemon.start();
  const agent = await spooledAgent(stage, `${name}-agent`, { servers: [owner.url] });
  await agent.daemon.start();
  const app = new SdkApp({ client: 'app', url: agent.url, seed: stage.seed });
  stage.defer(() => app.close());
  const record = async (): Promise<void> => {
    app.record(eventsPerRound);
    await app.handOver();
    const empty = async (): Promise<boolean> => {
      // A Block without events asks what the store has lost.
      const { open_blocks } = await json<{ readonly open_blocks: number }>(`${agent.url}/status`);
      return open_blocks === 0 && (await nodeStatus(agent.url)).books.buffered === 0;
    };
    await stage.until('the agent to hand everything over', empty, backDeadlineMs);
  };
  await record();
  return { redis, owner, agent, app, record };
}

/** The second fail-over comes as soon as the first one is over, with Blocks under way at each. */
async function twice(stage: Stage): Promise<void> {
  const { redis, owner, agent, app } = await castWith(stage, 'waiting', 1);
  const { cluster } = redis;
  for (const which of ['first', 'second']) {
    const master = await cluster.master('shard1');
    redis.before(master).hold('replica');
    app.record(eventsPerRound);
    await app.handOver();
    await master.kill();
    redis.before(master).cut('replica');
    redis.before(master).release('replica');
    const { books } = await nodeStatus(agent.url);
    stage.check(books.buffered > 0, `Blocks are under way at the ${which} fail-over`, books);
    await cluster.failedOver('shard1', master, backDeadlineMs);
    await master.restart();
    // A replica that does not follow is none that could be promoted.
    await cluster.inSync('shard1', backDeadlineMs);
    stage.did(`the ${which} fail-over is over, and the old master follows`);
  }
  app.record(eventsPerRound);
  await app.handOver();
  await untilHandedOver(stage, agent, backDeadlineMs);
  stage.check(app.lost === 0, 'the application was told of no loss', app.lost);
  await stage.compare(owner.url, [app.report], 'be');
}

/** What only the master has is lost with it, acknowledged or not. */
async function withoutWait(stage: Stage): Promise<void> {
  const { redis, owner, agent, app, record } = await castWith(stage, 'hasty', 0);
  const { cluster } = redis;
  let reported = 0;
  for (const which of ['first', 'second']) {
    const master = await cluster.master('shard1');
    redis.before(master).hold('replica');
    await record();
    stage.did('with --redis-wait 0 events are acknowledged that only the master has');
    await master.kill();
    redis.before(master).cut('replica');
    redis.before(master).release('replica');
    await cluster.failedOver('shard1', master, backDeadlineMs);
    await record();
    await record();
    const { books } = await nodeStatus(agent.url);
    stage.check(
      books.balance === 0 && Object.keys(books.dropped).join() === 'store_lost',
      'the agent goes on, its books balance, and it names what the store has lost',
      books,
    );
    const lost = books.dropped.store_lost ?? 0;
    stage.check(lost > reported, `it reports ${lost - reported} events lost by the ${which} fail-over`, lost);
    reported = lost;
    await compareLess(stage, owner.url, app.report, lost);
    await master.restart();
    await cluster.inSync('shard1', backDeadlineMs);
  }
}

/** Everything is counted but `lost` events, and nothing twice. */
async function compareLess(stage: Stage, url: string, report: ClientReport, lost: number): Promise<void> {
  const mismatches = await aggregateMismatches(url, [report]);
  const missing = mismatches.map(({ expected, found }) => expected.count - found.count);
  const sum = missing.reduce((total, count) => total + count, 0);
  stage.check(
    sum === lost && missing.every((count) => count > 0),
    `${sum} events are missing, just as many as were reported, and none is counted twice`,
    { missing: sum, reported: lost, mismatches: mismatches.slice(0, 5) },
  );
}
