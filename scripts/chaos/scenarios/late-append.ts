import { redisServer, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { shardScene } from './shard-scene.js';

export const lateAppend: Scenario = {
  name: 'late-append',
  number: 4,
  description: 'an append that was delayed past its time-out arrives after the retry, and after a take-over',
  async run(stage) {
    const { redis, master, owner, load, bucket } = await shardScene(stage);
    const other = await redisServer(stage, 'be2', redis);

    /** Catches the next append, brings its Block in on another way, and lets it go then. */
    const delayed = async (urls: readonly string[], meanwhile: () => Promise<unknown>, how: string) => {
      const trap = owner.view.before(master).trap({ on: 'request', when: runs('append', bucket) });
      const blocks = [load.producer.next(bucket), load.producer.next(bucket)];
      const delivered = load.deliver(urls, blocks);
      const late = await stage.within('an append', trap.sprung);
      stage.did(`an append of bucket ${bucket} is on its way to Redis, and does not arrive`);
      await meanwhile();
      await delivered;
      stage.did(how);
      trap.release();
      await stage.until('Redis to answer the late append', () => late.reply !== undefined);
      stage.check(late.late, 'the append arrived after its sender had left the connection');
      stage.check(
        /TABA_HEAD/.test(late.reply!),
        'the late append was refused: the head does not match',
        late,
      );
    };

    const nothing = () => Promise.resolve();
    await delayed(
      [owner.url],
      nothing,
      'its owner gave up, acquired the bucket again, and counted the Block as it came again',
    );
    await stage.compare(owner.url, [load.producer.report], 'be1');

    await other.daemon.start();
    await delayed(
      [owner.url, other.url],
      () => owner.daemon.kill(),
      'its owner was killed, another one took the bucket over and counted the Block',
    );
    await load.deliver([other.url]);
    await stage.compare(other.url, [load.producer.report], 'be2');
  },
};
