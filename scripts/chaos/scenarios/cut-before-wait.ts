import { isWait, runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { checkAppendedOn, failOver, shardScene } from './shard-scene.js';

export const cutBeforeWait: Scenario = {
  name: 'cut-before-wait',
  number: 3,
  description:
    "the connection is cut between the append's reply and WAIT's; the server connects anew, and then to the promoted replica",
  async run(stage) {
    const scene = await shardScene(stage);
    const { redis, master, owner, load, bucket } = scene;

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
    const trap = proxy.trap({ on: 'reply', when: isWait });
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

    const promoted = await failOver(stage, scene, 'which has not got the append');
    await load.deliver([owner.url], [block]);
    checkAppendedOn(stage, promoted, owner, bucket);
    await load.deliver([owner.url]);
    await stage.compare(owner.url, [load.producer.report], 'be1');
  },
};
