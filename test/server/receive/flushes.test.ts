import t from 'tap';
import type { Answer, Block, BlockRejection } from '../../../src/core/block.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../../src/core/ids.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { PartMap } from '../../../src/core/parts.js';
import { noDenyLists } from '../../../src/intake/deny-lists.js';
import { Flushes } from '../../../src/server/receive/flushes.js';
import { OwnProducer } from '../../../src/server/receive/own-producer.js';
import { RawDoor } from '../../../src/server/receive/raw-door.js';
import type { FrameLink } from '../../../src/transport/frame-link.js';
import type { Frame } from '../../../src/wire/frame.js';
import { encodeFrame } from '../../../src/wire/frame-codec.js';
import { encodeParts } from '../../../src/wire/parts.js';
import { FakeClock } from '../../support/fake-clock.js';

const registry = builtinHandlers();
const maxFrameBytes = 2 ** 16;

function payload(tab: string): Uint8Array {
  const parts = new PartMap(registry);
  const meta = { timestampSec: 1_700_000_000, sequence: 0 };
  parts.fold(tab as TabName, 'TotalsCounter' as TabType, 'app' as ClientId, 1, meta);
  return encodeParts(parts, registry);
}

/** Flushes to a server whose owners answer as they are told. */
function bench(deliver: (block: Block) => Promise<Answer>) {
  const clock = new FakeClock();
  const limits = defaultLimits;
  const bucketCount = 4;
  const producer = new OwnProducer({
    ...{ deliver, registry, bucketCount, limits, clock },
    encode: (parts) => encodeParts(parts, registry),
    newId: () => 'f'.repeat(32) as never,
  });
  const door = new RawDoor({
    ...{ registry, limits, clock, denyLists: noDenyLists, clientId: 'host' as ClientId },
    typeOf: () => undefined,
  });
  const flushes = new Flushes({ door, producer, refuses: () => undefined, maxSessions: 10, clock });
  const answers: Frame[] = [];
  const link: FrameLink = {
    ...{ peer: 'sdk', bufferedBytes: 0, close: () => {} },
    trySend(frame) {
      answers.push(frame);
      return true;
    },
  };
  return {
    clock,
    producer,
    push: (number: number, tab = 'a') =>
      flushes.take(
        link,
        { kind: 'push-flush', session: 's', number, events: 1, payload: payload(tab) },
        maxFrameBytes,
      ),
    /** What has been said since the last time. */
    said: async () => {
      await clock.advanceAsync(10);
      return answers.splice(0);
    },
  };
}

const acknowledged: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };

t.test('a flush is acknowledged when it is durable, and a repeat of it as well', async (t) => {
  const { push, said } = bench(async () => acknowledged);
  push(1);
  t.strictSame(await said(), [{ kind: 'flush-ack', session: 's', number: 1, rejected: [] }]);
  push(1);
  t.match(await said(), [{ kind: 'flush-ack', number: 1 }]);
  push(3);
  t.match(await said(), [{ kind: 'flush-nack', reason: 'gap', expected: 2 }]);
});

t.test('a flush that was given up after it had been taken is told to be lost, at every repeat', async (t) => {
  let answer: Answer = { kind: 'busy', retryAfterMs: 1000 };
  const { producer, push, said } = bench(async () => answer);
  push(1);
  t.strictSame(await said(), [], 'it waits');
  t.equal(producer.discard('flushed'), 1);
  t.match(await said(), [{ kind: 'flush-nack', number: 1, reason: 'refused', message: /flushed/ }]);
  push(1);
  t.match(await said(), [{ kind: 'flush-nack', number: 1, reason: 'refused' }]);
  answer = acknowledged;
  push(2, 'b');
  t.match(await said(), [{ kind: 'flush-ack', number: 2 }], 'the session goes on');
  push(2, 'b');
  t.match(await said(), [{ kind: 'flush-ack', number: 2 }]);
});

t.test('of several flushes under way, a repeat of each waits for its own end', async (t) => {
  let answer: Answer = { kind: 'busy', retryAfterMs: 20 };
  const { producer, push, said } = bench(async () => answer);
  push(1);
  push(2, 'b');
  t.strictSame(await said(), [], 'nothing is durable');
  push(1);
  push(2, 'b');
  t.strictSame(await said(), [], 'nor for whoever asks again');
  t.equal(producer.discard('flushed'), 2);
  t.match(
    (await said()).map(({ kind }) => kind),
    Array(4).fill('flush-nack'),
  );
  push(1);
  push(2, 'b');
  t.match(
    await said(),
    [1, 2].map((number) => ({ kind: 'flush-nack', number, reason: 'refused' })),
  );
  answer = acknowledged;
  push(3);
  t.match(await said(), [{ kind: 'flush-ack', number: 3 }]);
});

t.test(
  'of very many rejections as many are named as the SDK takes in a frame, and all are counted',
  async (t) => {
    const rejected = Array.from({ length: 2000 }, (): BlockRejection => {
      return { tab: 'a', client: 'app', events: 3, code: 'too_many_tabs', message: 'no room for tab a' };
    });
    const { push, said } = bench(async () => ({ kind: 'acknowledged', repeat: false, rejected }));
    push(1);
    const [ack] = await said();
    const refused = ack?.kind === 'flush-ack' ? ack.rejected : [];
    t.ok(encodeFrame(ack!).length <= maxFrameBytes);
    t.equal(
      refused.reduce((sum, { events }) => sum + events, 0),
      6000,
    );
  },
);
