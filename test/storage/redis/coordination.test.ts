import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { startRedis } from '../../../scripts/redis/redis-process.js';
import { coordinationSuite } from '../coordination.js';
import { openFor } from './kit.js';

t.setTimeout(120_000);

t.test('on Redis', async (t) => {
  const { url, stop } = await startRedis();
  t.teardown(stop);
  coordinationSuite(t as never, async () => {
    const store = await openFor({ kind: 'url', url });
    return {
      coordination: store.coordination,
      // Redis has a clock of its own: the time has to go by.
      pass: (ms) => pause(ms),
      close: () => store.close(),
    };
  });
});
