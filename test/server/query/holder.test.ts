import t from 'tap';
import type { BucketIndex } from '../../../src/core/ids.js';
import type { Clock } from '../../../src/runtime/clock.js';
import type { Ask } from '../../../src/server/query/ask.js';
import { Holder } from '../../../src/server/query/holder.js';
import type { Owners } from '../../../src/server/reduce/owners.js';
import { begin, block, bucketCount, registry, stillClock } from '../reduce/owners-kit.js';
import { tabsIn } from './cluster-kit.js';

const buckets = Array.from({ length: bucketCount }, (_, bucket) => bucket as BucketIndex);
const ask: Ask = {
  ...{ subject: 'tabs', buckets, tabs: 'all', clients: 'all' },
  ...{ form: 'json', nowSec: 1_700_000_000, maxBytes: 1_000_000 },
};

/** An owner of all buckets, with three tabs in each. */
async function filled(): Promise<Owners> {
  const owners = await begin({ limits: { maxTabs: 100, maxClients: 10, allowedSkewSec: 10 } });
  for (const tab of tabsIn.flatMap((tabs) => tabs.slice(0, 3)))
    await owners.take(block({ tab, producer: tab }));
  return owners;
}

/** A clock on which every slice is over as soon as it began, and which tells of each pause. */
function hasty(onPause: (pauses: number) => Promise<void>): Clock {
  let ms = 0;
  let pauses = 0;
  return {
    ...stillClock(),
    monotonicMs: () => {
      ms += 10;
      return ms;
    },
    soon: (action) => void onPause(pauses++).then(action),
  };
}

for (const subject of ['aggregates', 'projections', 'sum', 'tabs', 'clients'] as const) {
  for (const tabs of ['all', { expression: 't' }] as const) {
    t.test(
      `${subject} of ${JSON.stringify(tabs)}: a bucket that is lost on the way is missing as a whole`,
      async (t) => {
        const owners = await filled();
        const lost = 2 as BucketIndex;
        const clock = hasty(async (pauses) => {
          if (pauses === 0) await owners.release([lost]);
        });
        const holder = new Holder({ reading: owners.reading, registry, clock, maxExpressionBytes: 100 });
        const told = await holder.answer({ ...ask, subject, tabs });
        if (subject !== 'clients') {
          t.same(told.missing, [lost]);
          t.notOk(
            told.rows.some(([tab]) => tabsIn[lost]!.includes(tab!)),
            'nothing of it is told',
          );
        }
        if (subject === 'sum')
          t.match(registry.get('TotalsCounter')!.render(told.sum, 'json', { nowSec: 0 }), { count: 9 });
        else if (subject !== 'clients') t.equal(told.rows.length, 9);
        else t.same(told.rows, [['c']]);
      },
    );
  }
}

t.test(
  'a bucket of more tabs than one step takes is missing as a whole when it is lost among them',
  async (t) => {
    const owners = await begin({ limits: { maxTabs: 1000, maxClients: 10, allowedSkewSec: 10 } });
    const lost = 2 as BucketIndex;
    const names = Array.from({ length: 400 }, (_, at) => `many${at}`);
    for (const tab of names) await owners.take(block({ tab, producer: tab }));
    const others = names.filter((tab) => block({ tab }).bucket !== lost);
    t.ok(names.length - others.length > 70, 'they are many');
    for (const subject of ['aggregates', 'sum'] as const) {
      const clock = hasty(async (pauses) => {
        if (pauses === 10) await owners.release([lost]);
      });
      const holder = new Holder({ reading: owners.reading, registry, clock, maxExpressionBytes: 100 });
      const told = await holder.answer({ ...ask, subject });
      t.same(told.missing, [lost]);
      if (subject === 'sum') {
        const sum = registry.get('TotalsCounter')!.render(told.sum, 'json', { nowSec: 0 });
        t.match(sum, { count: others.length });
      } else {
        t.same(told.rows.map(([tab]) => tab).sort(), [...others].sort());
      }
      await owners.acquire([lost]);
    }
  },
);

t.test('a client of a bucket that is lost on the way is told of where another bucket has it', async (t) => {
  for (const lost of buckets) {
    for (let at = 0; at < 12; at++) {
      const owners = await filled();
      await owners.take(block({ tab: tabsIn[(lost + 1) % bucketCount]![3]!, client: 'd', producer: 'late' }));
      const clock = hasty(async (pauses) => {
        if (pauses === at) await owners.release([lost]);
      });
      const holder = new Holder({ reading: owners.reading, registry, clock, maxExpressionBytes: 100 });
      const { rows } = await holder.answer({ ...ask, subject: 'clients' });
      t.strictSame([...rows].sort(), [['c'], ['d']], `bucket ${lost} is lost at pause ${at}`);
      await owners.close();
    }
  }
});

t.test('a query that takes too long, or that nobody waits for any more, ends', async (t) => {
  const owners = await filled();
  const { reading } = owners;
  const slow = {
    ...hasty(async () => {}),
    monotonicMs: (() => {
      let ms = 0;
      return () => (ms += 600);
    })(),
  };
  const holder = new Holder({ reading, registry, clock: slow, maxExpressionBytes: 100 });
  await t.rejects(holder.answer({ ...ask, tabs: { expression: 't' } }), { code: 'query_too_slow' });
  const asker = { isAborted: false };
  const clock = hasty(async (pauses) => {
    if (pauses === 0) asker.isAborted = true;
  });
  const left = new Holder({ reading, registry, clock, maxExpressionBytes: 100 });
  await t.rejects(left.answer({ ...ask, subject: 'aggregates' }, asker), { message: /has gone/ });
});
