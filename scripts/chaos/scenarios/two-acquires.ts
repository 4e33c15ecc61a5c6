import { redisServer, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { failOver, shardScene } from './shard-scene.js';

export const twoAcquires: Scenario = {
  name: 'two-acquires',
  number: 8,
  description: 'a bucket is acquired, a fail-over loses that, and it is acquired again on the new master',
  async run(stage) {
    const scene = await shardScene(stage);
    const { redis, master, owner, load, bucket } = scene;
    const other = await redisServer(stage, 'be2', redis);

    redis.before(master).hold('replica');
    await owner.daemon.kill();
    const trap = other.view.before(master).trap({ on: 'reply', when: runs('acquire', bucket) });
    const started = other.daemon.start();
    started.catch(() => {});
    const acquired = await stage.within('be2 to acquire the bucket', trap.sprung);
    stage.check(
      acquired.reply !== undefined && !acquired.reply.startsWith('-'),
      'be2 has acquired the bucket on the old master, and no replica knows of it',
      acquired,
    );
    const promoted = await failOver(stage, scene, 'which knows nothing of the acquisition');
    trap.release();
    await owner.daemon.start();
    stage.did('be1 is started again');
    const blocks = load.producer.round();
    await load.deliver([owner.url, other.url], blocks);
    const again = [owner, other]
      .flatMap(({ view }) => view.before(promoted).exchanges)
      .filter(
        (each) => runs('acquire', bucket)(each) && each.reply !== undefined && !each.reply.startsWith('-'),
      );
    stage.check(again.length > 0, 'the bucket was acquired once more, on the new master');
    const lostWords = acquired.words.slice(3).join(' ');
    stage.check(
      again.every(({ words }) => words.slice(3).join(' ') !== lostWords),
      'under another token than the lost one',
      { lostWords },
    );
    await load.deliver([owner.url, other.url], [...blocks, ...load.producer.round()]);
    await stage.compare(owner.url, [load.producer.report], 'be1');
    await stage.compare(other.url, [load.producer.report], 'be2');
  },
};
