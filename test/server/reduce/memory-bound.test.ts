import t from 'tap';
import { bucketOf } from '../../../src/core/buckets.js';
import type { TabName } from '../../../src/core/ids.js';
import { BucketOwner } from '../../../src/server/reduce/bucket-owner.js';
import type { Owners } from '../../../src/server/reduce/owners.js';
import { begin, block, bucketCount, counts, stillClock } from './owners-kit.js';

const limits = { maxTabs: 1000, maxClients: 1000, allowedSkewSec: 10 };
const KiB = 2 ** 10;

/** Counts one event of each client of each tab. @returns the next numbers of the producer, by bucket */
async function countOnce(
  owners: Owners,
  { tabs, clients, numbers }: { tabs: number; clients: number; numbers: Map<number, number> },
  each: () => void = () => {},
): Promise<void> {
  for (let client = 0; client < clients; client++) {
    for (let tab = 0; tab < tabs; tab++) {
      const name = `tab${tab}`;
      const bucket = bucketOf(name as TabName, bucketCount);
      const seq = (numbers.get(bucket) ?? 0) + 1;
      const one = block({ tab: name, client: `client${client}`, seq, value: client });
      for (;;) {
        const answer = await owners.take(one);
        if (answer.kind === 'acknowledged') break;
        if (answer.kind !== 'busy') throw new Error(`${name}: ${answer.kind}`);
        await owners.checkpoint();
      }
      numbers.set(bucket, seq);
      each();
    }
  }
}

t.test('what States cost is measured, their number follows, and cold ones come back exactly', async (t) => {
  // A State costs 10 KiB, whatever else: what the process holds follows from how many are in memory.
  const stateBytes = 10 * KiB;
  const maxBytes = 32 * 2 ** 20;
  let measure = (): void => {};
  const owners = await begin({
    limits,
    memory: { maxBytes },
    watchMemory: (measured) => {
      measure = () => measured(owners.stats().statesInMemory * stateBytes);
      return () => {};
    },
  });
  const [tabs, clients] = [50, 80];
  const numbers = new Map<number, number>();
  let most = 0;
  for (const round of [1, 2]) {
    await countOnce(owners, { tabs, clients, numbers }, () => {
      const { statesInMemory } = owners.stats();
      if (statesInMemory % 500 === 0) measure();
      most = Math.max(most, statesInMemory);
    });
    t.ok(owners.stats().maxStatesInMemory < tabs * clients, `round ${round}: not all may be in memory`);
  }
  t.ok(most > 1000, 'memory is used');
  t.ok(most * stateBytes < maxBytes, `${most} States of ${tabs * (clients + 1)} were in memory at most`);
  const expected = Object.fromEntries(Array.from({ length: clients }, (_, client) => [`client${client}`, 2]));
  for (let tab = 0; tab < tabs; tab++) {
    t.same(await counts(owners, `tab${tab}`), { '': clients * 2, ...expected }, `tab${tab}`);
  }
  t.ok(
    owners.stats().statesInMemory * stateBytes < maxBytes,
    'looking at all of them stays within the bound',
  );
  await owners.close();
});

t.test('an index that would not fit takes nothing new, and goes on with what it has', async (t) => {
  // Room for the index of one tab and one client.
  const owners = await begin({ limits, memory: { maxBytes: 200 } });
  const taken = { kind: 'acknowledged', repeat: false, rejected: [] };
  t.same(await owners.take(block()), taken);
  const refused = await owners.take(block({ seq: 2, client: 'another' }));
  t.match(refused, { ...taken, rejected: [{ code: 'too_many_states', client: 'another', events: 1 }] });
  t.same(await owners.take(block({ seq: 3 })), taken);
  t.same(await counts(owners), { '': 2, c: 2 });
  t.same(owners.books.balance, 0, 'what was refused is in the books');
  await owners.close();
});

t.test(
  'States that cannot be dropped are looked at again by one timer, however long that lasts',
  async (t) => {
    class Stuck extends BucketOwner {
      override evict(): number {
        return 0;
      }
    }
    const still = stillClock();
    const due: (() => void)[] = [];
    const after = (delayMs: number, action: () => void): (() => void) => {
      if (delayMs > 0) due.push(action);
      return delayMs > 0 ? () => {} : still.after(delayMs, action);
    };
    const owners = await begin({
      ...{ clock: { ...still, after }, memory: { maxStates: 0 } },
      hold: (bucket, context) => new Stuck(bucket, context),
    });
    await owners.take(block());
    for (let round = 0; round < 5; round++) {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      t.equal(due.length, 2, 'the next checkpoint, and the next look');
      for (const action of due.splice(0)) {
        action();
        // One after the other, as timers are.
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      }
    }
    await owners.close();
  },
);
