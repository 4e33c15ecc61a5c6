import { aggregateMismatches } from '../oracle.js';
import { redisServer, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { checkAppendedOn, failOver, shardScene } from './shard-scene.js';

export const unreplicatedTakeOver: Scenario = {
  name: 'unreplicated-take-over',
  number: 6,
  description:
    'a take-over over an entry that no replica has, query and repeat at once, then a fail-over that loses it',
  async run(stage) {
    const scene = await shardScene(stage);
    const { redis, master, owner, load, bucket } = scene;
    const other = await redisServer(stage, 'be2', redis);
    const before = load.producer.report;

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

    const promoted = await failOver(stage, scene, 'which has not got the entry');
    await load.deliver([other.url], [block]);
    checkAppendedOn(stage, promoted, other, bucket);
    await load.deliver([other.url]);
    await stage.compare(other.url, [load.producer.report], 'be2');
  },
};
