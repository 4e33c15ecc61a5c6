import { aggregateMismatches } from '../oracle.js';
import { bucketCount, redisServer, redisShards, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { ScriptedLoad } from './scripted-load.js';

export const unreplicatedTakeOver: Scenario = {
  name: 'unreplicated-take-over',
  number: 6,
  description:
    'a take-over over an entry that no replica has, query and repeat at once, then a fail-over that loses it',
  async run(stage) {
    const redis = await redisShards(stage);
    const { cluster } = redis;
    const master = await cluster.master('shard1');
    const owner = await redisServer(stage, 'be1', redis);
    const other = await redisServer(stage, 'be2', redis);
    await owner.daemon.start();
    const load = new ScriptedLoad(stage, { client: 'app', buckets: bucketCount });
    const bucket = load.producer.buckets[0]!;
    await load.deliver([owner.url]);
    const before = load.producer.report;
    stage.did('a Block of each bucket was counted');

    // Caught on its way, so that no earlier write waits for the replica.
    const request = owner.view.before(master).trap({ on: 'request', when: runs('append', bucket) });
    const trap = owner.view.before(master).trap({ on: 'reply', when: runs('append', bucket) });
    const block = load.producer.next(bucket);
    const pushed = load.push(owner.url, [block], 1000);
    await stage.within('the append', request.sprung);
    redis.before(master).hold('replica');
    request.release();
    const appended = await stage.within('the append', trap.sprung);
    stage.check(appended.reply === '+OK', 'the append was carried out, and no replica has it', appended);
    await owner.daemon.kill();
    stage.check(
      (await pushed).every(({ kind }) => kind !== 'acknowledged'),
      'its owner was killed before it acknowledged',
    );

    const started = other.daemon.start();
    started.catch(() => {});
    const proxy = other.view.before(master);
    await stage.until('be2 to acquire the bucket', () =>
      proxy.exchanges.some((each) => runs('acquire', bucket)(each) && each.reply !== undefined),
    );
    stage.did('be2 takes the bucket over on the old master, where the entry is');
    let answers = 0;
    const endMs = performance.now() + 3000;
    const repeated = load.checkUnacknowledged(other.url, [block], 3000, 'for the repeat');
    repeated.catch(() => {});
    while (performance.now() < endMs) {
      const wrong = await aggregateMismatches(other.url, [before]).catch(() => undefined);
      if (wrong === undefined) continue;
      answers++;
      if (wrong.length > 0) stage.check(false, 'a query shows nothing that a fail-over may lose', wrong);
    }
    await repeated;
    stage.check(true, `no query showed the entry; ${answers} were answered, the others refused`);

    await master.kill();
    const promoted = await cluster.failedOver('shard1', master);
    stage.did('the master is killed: the replica, which has not got the entry, is promoted');
    await master.restart();
    await load.deliver([other.url], [block]);
    stage.check(
      other.view
        .before(promoted)
        .exchanges.some((exchange) => runs('append', bucket)(exchange) && exchange.reply === '+OK'),
      'the Block was appended once more, on the new master',
    );
    await load.deliver([other.url]);
    await stage.compare(other.url, [load.producer.report], 'be2');
  },
};
