import t from 'tap';
import type { Handler } from '../../src/core/handlers/handler.js';
import { builtinHandlers, type HandlerRegistry } from '../../src/core/handlers/registry.js';
import { type TotalsCounterState, totalsCounter } from '../../src/core/handlers/totals-counter.js';
import type { TabType } from '../../src/core/ids.js';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.js';
import { RecordingLog } from '../agent/recording-log.js';
import { balanced, folder, post, serverOf, totalOf, v1 } from './kit.js';

/** Cannot take in a Part of exactly 666 where something is already. */
const { sumEncoded: _, ...oneByOne } = totalsCounter;
const fragile: Handler<TotalsCounterState, number> = {
  ...oneByOne,
  type: 'Fragile' as TabType,
  reduce(into, from) {
    if (into.count > 0 && from.total === 666) throw new Error('it broke');
    totalsCounter.reduce(into, from);
  },
  reduceEncoded(into, input) {
    fragile.reduce(into, fragile.decode(input));
  },
};

function registryWithFragile(): HandlerRegistry {
  const registry = builtinHandlers();
  registry.add(fragile as unknown as Handler);
  return registry;
}

t.test('a Handler that throws at one Part stops neither its bucket nor a restart', async (t) => {
  const data = folder(t);
  // One bucket, so that all tabs travel in one Block.
  const start = async () =>
    serverOf(t, {
      store: await openEmbeddedStore({ folder: data, bucketCount: 1, log: new RecordingLog() }),
      bucketCount: 1,
      registry: registryWithFragile(),
    });
  const body = (value: number) =>
    v1({
      c: { frail: [`["Fragile", 1700006400, "${value}"]`], sound: ['["TotalsCounter", 1700006400, "1"]'] },
    });
  const first = await start();
  for (const value of [1, 666, 2]) t.equal((await post(`${first.url}/post`, body(value))).status, 200);
  t.equal(await totalOf(first, 'sound'), 3, 'other tabs of the Block count');
  t.equal(await totalOf(first, 'frail'), 2, 'and so does what comes later');
  t.equal(first.status().owners.kept_aside, 1);
  balanced(t, { server: first, agent: undefined });
  await first.close();
  const second = await start();
  t.equal(await totalOf(second, 'sound'), 3);
  t.equal(await totalOf(second, 'frail'), 2);
  const checked = (await (
    await fetch(`${second.url}/check`, { headers: { accept: 'application/json' } })
  ).json()) as object;
  t.match(checked, { set_aside: [{ bucket: 0, tab: 'frail', client: 'c', events: 1, reason: /it broke/ }] });
  t.equal((await post(`${second.url}/post`, body(4))).status, 200);
  t.equal(await totalOf(second, 'frail'), 3);
  balanced(t, { server: second, agent: undefined });
});
