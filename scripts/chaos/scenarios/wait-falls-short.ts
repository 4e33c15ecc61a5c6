import { isWait, redisServer, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { checkAppendedOn, failOver, shardScene } from './shard-scene.js';

export const waitFallsShort: Scenario = {
  name: 'wait-falls-short',
  number: 2,
  description:
    'WAIT falls short, the Block comes again at the same server and at another; then the replica is promoted',
  async run(stage) {
    const scene = await shardScene(stage);
    const { redis, master, owner, load, bucket } = scene;
    const other = await redisServer(stage, 'be2', redis);

    const proxy = owner.view.before(master);
    // Caught on its way, so that no earlier write waits for the replica.
    const request = proxy.trap({ on: 'request', when: runs('append', bucket) });
    const append = proxy.trap({ on: 'reply', when: runs('append', bucket) });
    const block = load.producer.next(bucket);
    const first = load.push(owner.url, [block], 3000);
    await stage.within('the append', request.sprung);
    redis.before(master).hold('replica');
    request.release();
    const appended = await stage.within('the append', append.sprung);
    const seen = proxy.exchanges.length;
    append.release();
    const outcomes = await first;
    stage.check(appended.reply === '+OK', 'the append was carried out on the master', appended);
    stage.check(
      proxy.exchanges.slice(seen - 1).some((exchange) => isWait(exchange) && exchange.reply === ':0'),
      'WAIT answered that no replica has it',
    );
    stage.check(
      outcomes.every(({ kind }) => kind !== 'acknowledged'),
      'the Block is not acknowledged',
      outcomes,
    );
    await load.checkUnacknowledged(owner.url, [block], 1500, 'when it came again at be1');
    await owner.daemon.kill();
    const started = other.daemon.start();
    started.catch(() => {});
    await stage.until('be2 to acquire the bucket', () =>
      other.view
        .before(master)
        .exchanges.some((each) => runs('acquire', bucket)(each) && each.reply !== undefined),
    );
    await load.checkUnacknowledged(other.url, [block], 1500, 'when it came again at be2');

    const promoted = await failOver(stage, scene, 'which has not got the append');
    await load.deliver([other.url], [block]);
    checkAppendedOn(stage, promoted, other, bucket);
    await owner.daemon.start();
    await load.deliver([owner.url, other.url]);
    await stage.compare(owner.url, [load.producer.report], 'be1');
    await stage.compare(other.url, [load.producer.report], 'be2');
  },
};
