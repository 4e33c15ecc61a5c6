import { json } from '../oracle.js';
import { runs } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { shardScene } from './shard-scene.js';

export const outOfMemory: Scenario = {
  name: 'out-of-memory',
  number: 17,
  description: 'Redis runs out of memory in the middle of appends, and gets room again',
  async run(stage) {
    const { master, owner, load } = await shardScene(stage);
    const before = load.producer.report;

    const proxy = owner.view.before(master);
    const trap = proxy.trap({ on: 'request', when: runs('append') });
    const blocks = load.producer.round();
    const pushed = load.push(owner.url, blocks, 2500);
    const append = await stage.within('an append', trap.sprung);
    await master.ask('config', 'set', 'maxmemory', 1);
    trap.release();
    const outcomes = await pushed;
    stage.check(/OOM/.test(append.reply ?? ''), 'Redis was full when the append arrived', append);
    stage.check(
      outcomes.every(({ kind }) => kind !== 'acknowledged'),
      'no Block is acknowledged',
      outcomes,
    );
    await stage.until('the server to say what it waits for', async () => {
      const { waiting_for } = await json<{ waiting_for: string | null }>(`${owner.url}/status`);
      return /out of memory/.test(waiting_for ?? '');
    });
    stage.check(true, 'the server says that it waits for a Redis that is out of memory');
    const answer = await fetch(`${owner.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'raw', value: 1 }),
    });
    stage.check(answer.status === 503, 'raw events are refused with 503, so that they can come again');
    await stage.compare(owner.url, [before], 'be1, while Redis is full,');
    await owner.daemon.kill();
    await owner.daemon.start();
    stage.did('the server is killed and started while Redis is full');
    await stage.compare(owner.url, [before], 'be1, while Redis is full,');

    await master.ask('config', 'set', 'maxmemory', 0);
    stage.did('Redis has room again');
    await load.deliver([owner.url], blocks);
    await load.deliver([owner.url]);
    await stage.compare(owner.url, [load.producer.report], 'be1');
    await stage.until('the server to wait for nothing', async () => {
      return (await json<{ waiting_for: string | null }>(`${owner.url}/status`)).waiting_for === null;
    });
  },
};
