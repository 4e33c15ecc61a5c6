import { bucketCount, redisServer, redisShards, runs, type ViewingServer } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { ScriptedLoad } from './scripted-load.js';

export const frozenOwner: Scenario = {
  name: 'frozen-owner',
  number: 5,
  description:
    'an owner is frozen in the middle of an append, and then of a checkpoint; its buckets are taken over and trimmed; it thaws',
  async run(stage) {
    const redis = await redisShards(stage);
    const master = await redis.cluster.master('shard1');
    const first = await redisServer(stage, 'be1', redis);
    const second = await redisServer(stage, 'be2', redis);
    await first.daemon.start();
    const load = new ScriptedLoad(stage, { client: 'app', buckets: bucketCount });
    await load.deliver([first.url]);
    stage.did('a Block of each bucket was counted');

    const frozenIn = async (script: string, frozen: ViewingServer, other: ViewingServer) => {
      const trap = frozen.view.before(master).trap({ on: 'request', when: runs(script) });
      const blocks = load.producer.round();
      const delivered = load.deliver([frozen.url, other.url], blocks, 60_000);
      delivered.catch(() => {});
      const late = await stage.within(script, trap.sprung);
      frozen.daemon.freeze();
      const proxy = other.view.before(master);
      const before = proxy.exchanges.length;
      const bucket = Number(/\{b(\d+)\}/.exec(late.words.join(' '))?.[1]);
      stage.did(`${frozen.name} is frozen; its ${script} of bucket ${bucket} has not reached Redis`);
      if (!other.daemon.running) await other.daemon.start();
      await delivered;
      await load.deliver([other.url]);
      await stage.until('the new owner to trim the bucket', () =>
        proxy.exchanges.slice(before).some((each) => runs('trim', bucket)(each) && each.reply !== undefined),
      );
      stage.did(`${other.name} has taken bucket ${bucket} over, counted, written down and trimmed`);
      await stage.compare(other.url, [load.producer.report], other.name);
      trap.release();
      await stage.until('Redis to answer what was late', () => late.reply !== undefined);
      stage.check(
        /TABA_HEAD/.test(late.reply!),
        `the late ${script} was refused: the head does not match`,
        late,
      );
      frozen.daemon.thaw();
      stage.did(`${frozen.name} thaws`);
      await stage.compare(frozen.url, [load.producer.report], frozen.name);
      await stage.compare(other.url, [load.producer.report], other.name);
    };
    await frozenIn('append', first, second);
    await frozenIn('write-pages', second, first);
    await load.deliver([first.url, second.url]);
    await stage.compare(first.url, [load.producer.report], 'be1');
    await stage.compare(second.url, [load.producer.report], 'be2');
  },
};
