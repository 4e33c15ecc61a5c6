import { bucketCount, redisServer, redisShards, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { ScriptedLoad } from './scripted-load.js';

export const deposedMaster: Scenario = {
  name: 'deposed-master',
  number: 1,
  description:
    'a fail-over loses the last commands, and one server is left on the old master, which comes back later; checkpoints run',
  async run(stage) {
    const redis = await redisShards(stage);
    const { cluster } = redis;
    const master = await cluster.master('shard1');
    const left = await redisServer(stage, 'be1', redis);
    const other = await redisServer(stage, 'be2', redis);
    await left.daemon.start();
    const load = new ScriptedLoad(stage, { client: 'app', buckets: bucketCount });
    const bucket = load.producer.buckets[0]!;
    for (let round = 0; round < 3; round++) await load.deliver([left.url]);
    const proxy = left.view.before(master);
    await stage.until('be1 to trim', () => proxy.exchanges.some(({ script }) => script === 'trim'));
    stage.did('three Blocks of each bucket were counted, checkpoints run and the journal is trimmed');

    left.view.holdSentinels();
    // Caught on its way, so that no earlier write waits for the replica.
    const request = proxy.trap({ on: 'request', when: runs('append', bucket) });
    const trap = proxy.trap({ on: 'reply', when: runs('append', bucket) });
    const blocks = load.producer.round();
    const pushed = load.push(left.url, blocks, 2000);
    await stage.within('the append', request.sprung);
    redis.before(master).hold('replica');
    request.release();
    const appended = await stage.within('the append', trap.sprung);
    trap.release();
    const outcomes = await pushed;
    stage.check(appended.reply === '+OK', 'the old master has carried out an append that no replica has');
    stage.check(
      outcomes.every(({ kind }) => kind !== 'acknowledged'),
      'no Block is acknowledged',
      outcomes,
    );
    redis.before(master).hold('sentinel');
    const promoted = await cluster.failedOver('shard1', master);
    stage.did('the replica is promoted; the old master runs on, and be1 knows of no other');
    stage.check(
      (await master.info('replication')).role === 'master',
      'the old master still believes to be the master',
    );
    const stale = load.checkUnacknowledged(left.url, blocks, 2000, 'from the server on the old master');
    stale.catch(() => {});
    const started = other.daemon.start();
    started.catch(() => {});
    await stale;
    redis.before(master).release('sentinel', 'replica');
    await cluster.inSync('shard1');
    stage.did('the old master is let go, and follows the new one');
    await load.deliver([other.url, left.url], blocks, 60_000);
    await load.deliver([other.url, left.url]);
    await stage.compare(other.url, [load.producer.report], 'be2');
    left.view.releaseSentinels();
    const anew = left.view.before(promoted);
    await stage.until('be1 to be answered by the new master', () =>
      anew.exchanges.some(({ script, reply }) => script === 'beat' && reply !== undefined),
    );
    stage.did('be1 hears of the fail-over, and its heartbeat is answered by the new master');
    await load.deliver([left.url, other.url], undefined, 60_000);
    await stage.compare(left.url, [load.producer.report], 'be1');
    await stage.compare(other.url, [load.producer.report], 'be2');
  },
};
