import { bucketCount, isWait, redisServer, redisShards, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { ScriptedLoad } from './scripted-load.js';

export const cutBeforeWait: Scenario = {
  name: 'cut-before-wait',
  number: 3,
  description:
    "the connection is cut between the append's reply and WAIT's; the server connects anew, and then to the promoted replica",
  async run(stage) {
    const redis = await redisShards(stage);
    const { cluster } = redis;
    const master = await cluster.master('shard1');
    const owner = await redisServer(stage, 'be1', redis);
    await owner.daemon.start();
    const load = new ScriptedLoad(stage, { client: 'app', buckets: bucketCount });
    const bucket = load.producer.buckets[0]!;
    await load.deliver([owner.url]);
    stage.did('a Block of each bucket was counted');

    redis.before(master).hold('replica');
    const proxy = owner.view.before(master);
    const trap = proxy.trap({ on: 'reply', when: isWait });
    const append = proxy.trap({ on: 'reply', when: runs('append', bucket) });
    const block = load.producer.next(bucket);
    const first = load.push(owner.url, [block], 3000);
    const appended = await stage.within('the append', append.sprung);
    append.release();
    const waited = await stage.within('the reply to WAIT', trap.sprung);
    stage.check(appended.delivered, 'the append was carried out, and its reply delivered', appended);
    trap.cut();
    stage.check(!waited.delivered, "the connection was cut before WAIT's reply");
    const outcomes = await first;
    stage.check(
      outcomes.every(({ kind }) => kind !== 'acknowledged'),
      'no acknowledgement when the server was connected anew, for 3 s',
      outcomes,
    );
    stage.check(
      proxy.exchanges.some(({ script, connection, reply }) => {
        return script === 'acquire' && connection !== appended.connection && reply !== undefined;
      }),
      'it acquired the bucket again, over another connection',
    );
    await load.checkUnacknowledged(owner.url, [block], 1500, 'when the Block came again');

    await master.kill();
    stage.did('the master is killed: the replica, which has not got the append, is promoted');
    const promoted = await cluster.failedOver('shard1', master);
    // With --redis-wait 1 the new master needs a replica as well.
    await master.restart();
    await load.deliver([owner.url], [block]);
    stage.check(
      owner.view
        .before(promoted)
        .exchanges.some((exchange) => runs('append', bucket)(exchange) && exchange.reply === '+OK'),
      'the Block was appended once more, on the new master',
    );
    await load.deliver([owner.url]);
    await stage.compare(owner.url, [load.producer.report], 'be1');
  },
};
