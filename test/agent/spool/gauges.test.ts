import t from 'tap';
import type { TabName } from '../../../src/core/ids.js';
import { encode, folderOf, open, partsOf } from './kit.js';

const gauge = (name: string, value: number) => [name as TabName, value] as const;

t.test('last values of gauges come back, the newest of each, after a compaction too', async (t) => {
  const folder = folderOf(t);
  const spool = open(folder);
  spool.rememberGauges([gauge('queue', 10), gauge('depth', -0.5)]);
  spool.rememberGauges([]);
  const parts = partsOf('tab');
  spool.accept(encode(parts), parts.events);
  spool.rememberGauges([gauge('queue', 12)]);
  spool.close();
  const again = open(folder);
  const found = [...again.restored.gauges];
  t.same(found, [gauge('queue', 12), gauge('depth', -0.5)]);
  t.ok(again.compact([{ kind: 'gauges', gauges: found }]));
  again.close();
  t.same([...open(folder).restored.gauges], found);
});
