import t from 'tap';
import type { Answer, Block } from '../../../src/core/block.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { ClientId, Seq, TabName, TabType } from '../../../src/core/ids.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { PartMap } from '../../../src/core/parts.js';
import { OwnProducer } from '../../../src/server/receive/own-producer.js';
import { encodeParts } from '../../../src/wire/parts.js';
import { FakeClock } from '../../support/fake-clock.js';

const registry = builtinHandlers();
const acknowledged: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };

function oneEvent(): PartMap {
  const parts = new PartMap(registry);
  const meta = { timestampSec: 1_700_000_000, sequence: 0 };
  parts.fold('a' as TabName, 'TotalsCounter' as TabType, 'app' as ClientId, 1, meta);
  return parts;
}

t.test('while an owner has no room for the first Block, those behind it are sent now and then', async (t) => {
  const clock = new FakeClock();
  let hasRoom = false;
  let expected = 1;
  let deliveries = 0;
  const producer = new OwnProducer({
    ...{ registry, bucketCount: 1, limits: defaultLimits, clock },
    encode: (parts) => encodeParts(parts, registry),
    newId: () => 'f'.repeat(32) as never,
    async deliver({ seq }: Block): Promise<Answer> {
      // Without an end to it, nothing else would run any more.
      if (++deliveries > 1000) return new Promise(() => {});
      if (seq < expected) return { ...acknowledged, repeat: true };
      if (seq > expected) return { kind: 'expects', seq: expected as Seq };
      if (!hasRoom) return { kind: 'busy', retryAfterMs: 100 };
      expected++;
      return acknowledged;
    },
  });
  for (let block = 0; block < 4; block++) {
    void producer.deliver(oneEvent());
    await clock.advanceAsync(5);
  }
  await clock.advanceAsync(1000);
  t.ok(deliveries < 100, `${deliveries} deliveries in a second`);
  hasRoom = true;
  await clock.advanceAsync(1000);
  t.match(producer.account, { received: 4, delivered: 4, open: 0 });
});
