import t from 'tap';
import type { Answer, Block } from '../../../src/core/block.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { ClientId, ProducerId, TabName, TabType } from '../../../src/core/ids.js';
import { PartMap } from '../../../src/core/parts.js';
import { KeyedDelivery } from '../../../src/server/receive/keyed-delivery.js';
import { FakeClock } from '../../support/fake-clock.js';

const registry = builtinHandlers();
const producer = 'f'.repeat(32) as ProducerId;
const acknowledged: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };
const busy: Answer = { kind: 'busy', retryAfterMs: 100 };

/** One event, and owners that give these answers, one after the other, the last of them for ever. */
function deliveryWith(answers: readonly Answer[]) {
  const clock = new FakeClock();
  const sent: Block[] = [];
  const deliver = async (block: Block): Promise<Answer> => {
    sent.push(block);
    return answers[Math.min(sent.length, answers.length) - 1]!;
  };
  const delivery = new KeyedDelivery({ registry, bucketCount: 4, clock, deliver });
  const type = 'TotalsCounter' as TabType;
  const parts = new PartMap(registry);
  const value = registry.get(type)!.parse(1);
  parts.fold('t' as TabName, type, 'c' as ClientId, value, { timestampSec: 0, sequence: 0 });
  return { clock, sent, delivery, parts };
}

t.test('a Block is sent again, the same, while its bucket is busy', async (t) => {
  const { clock, sent, delivery, parts } = deliveryWith([busy, busy, acknowledged]);
  const outcome = delivery.deliver(producer, parts, 1000);
  await clock.advanceAsync(200);
  t.strictSame(await outcome, { rejected: [], newlyRejected: [], repeatedEvents: 0 });
  t.equal(sent.length, 3);
  t.strictSame(sent[2], sent[0]);
});

t.test('what was acknowledged before is told from what is counted now', async (t) => {
  const { delivery, parts } = deliveryWith([{ kind: 'acknowledged', repeat: true, rejected: [] }]);
  t.strictSame(await delivery.deliver(producer, parts, 1000), {
    ...{ rejected: [], newlyRejected: [], repeatedEvents: 1 },
  });
});

t.test('after its time nothing is sent any more, not even by a process that stood still', async (t) => {
  const { clock, sent, delivery, parts } = deliveryWith([busy, acknowledged]);
  const outcome = delivery.deliver(producer, parts, 1000);
  await Promise.resolve();
  clock.advance(100_000);
  await t.rejects(outcome, { code: 'counted_in_part' });
  t.equal(sent.length, 1);
});

t.test('a bucket that knows the producer no more is not asked again', async (t) => {
  const { sent, delivery, parts } = deliveryWith([{ kind: 'unknown_producer' }]);
  await t.rejects(delivery.deliver(producer, parts, 1000), { code: 'counted_in_part' });
  t.equal(sent.length, 1);
});

t.test('a key that is used for another body is refused', async (t) => {
  const { delivery } = deliveryWith([acknowledged]);
  const first = delivery.producerOf('k', Buffer.from('a'));
  t.equal(delivery.producerOf('k', Buffer.from('a')), first);
  t.throws(() => delivery.producerOf('k', Buffer.from('b')), { code: 'idempotency_mismatch' });
});
