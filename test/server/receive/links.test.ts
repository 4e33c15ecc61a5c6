import t from 'tap';
import type { Answer, Block, BlockRejection } from '../../../src/core/block.js';
import type { BucketIndex, ProducerId, Seq } from '../../../src/core/ids.js';
import type { Clock } from '../../../src/runtime/clock.js';
import { Turn } from '../../../src/runtime/turn.js';
import type { Flushes } from '../../../src/server/receive/flushes.js';
import { Links } from '../../../src/server/receive/links.js';
import type { Router } from '../../../src/server/receive/router.js';
import type { FrameLink } from '../../../src/transport/frame-link.js';
import type { Frame, Hello } from '../../../src/wire/frame.js';
import { encodeFrame } from '../../../src/wire/frame-codec.js';
import { RecordingLog } from '../../agent/recording-log.js';
import { FakeClock } from '../../support/fake-clock.js';

t.test(
  'Blocks are taken in the order of their frames, however many, and others have turns between',
  async (t) => {
    // Each look takes a microsecond: a slice is over after a thousand of them.
    let ms = 0;
    const clock: Clock = {
      nowMs: () => ms,
      monotonicMs: () => {
        ms += 0.001;
        return ms;
      },
      after: () => () => {},
      soon: (action) => void setImmediate(action),
    };
    const taken: number[] = [];
    const router = {
      take: async (block: Block) => {
        taken.push(block.seq);
        return { kind: 'acknowledged', repeat: false, rejected: [] };
      },
    } as unknown as Router;
    const hello: Hello = {
      ...{ kind: 'hello', versions: [2], role: 'agent', id: 'them', name: 'them' },
      ...{ maxFrameBytes: 2 ** 24, maxInFlight: 1, nowMs: 0 },
    };
    const links = new Links({
      ...{ router, own: router.take, questions: {}, flushes: undefined as unknown as Flushes },
      ...{ hello: () => hello, turn: new Turn(clock), clock, log: new RecordingLog() },
    });
    let answered = 0;
    const all = new Promise<void>((resolve) => {
      const link: FrameLink = {
        ...{ peer: 'them:1', bufferedBytes: 0, close: (reason) => t.fail(reason) },
        trySend: (frame: Frame) => {
          if (frame.kind === 'ack') answered += frame.answers.length;
          if (answered === 151_000) resolve();
          return true;
        },
      };
      links.frame(link, hello);
      links.frame(link, { kind: 'push-blocks', blocks: blocksFrom(1, 150_000) });
      // Comes while the first one is not through.
      t.ok(taken.length < 150_000, 'others have their turns');
      links.frame(link, { kind: 'push-blocks', blocks: blocksFrom(150_001, 1000) });
    });
    await all;
    t.equal(taken.length, 151_000);
    t.ok(taken.every((seq, index) => seq === index + 1));
  },
);

t.test('no frame of answers is larger than the other side takes, and no event is left out', async (t) => {
  const maxFrameBytes = 2 ** 16;
  const rejected = Array.from({ length: 5000 }, (_, index): BlockRejection => {
    const code = index % 2 === 0 ? 'too_many_tabs' : 'too_many_clients';
    return { tab: `tab.${index}`, client: 'c', events: 2, code, message: `no room for tab.${index}` };
  });
  const take = async ({ seq }: Block): Promise<Answer> =>
    seq > 2000
      ? { kind: 'busy', retryAfterMs: 100 }
      : { kind: 'acknowledged', repeat: false, rejected: seq === 1000 ? rejected : [] };
  const hello: Hello = {
    ...{ kind: 'hello', versions: [2], role: 'agent', id: 'them', name: 'them' },
    ...{ maxFrameBytes, maxInFlight: 1, nowMs: 0 },
  };
  const clock = new FakeClock();
  const links = new Links({
    ...{ router: { take } as unknown as Router, own: take, questions: {} },
    ...{ flushes: undefined as unknown as Flushes, hello: () => hello },
    ...{ turn: new Turn(clock), clock, log: new RecordingLog() },
  });
  const frames: Frame[] = [];
  let hasRoom = true;
  const link: FrameLink = {
    ...{ peer: 'them:1', bufferedBytes: 0, close: (reason) => t.fail(reason) },
    trySend(frame: Frame) {
      if (hasRoom) frames.push(frame);
      return hasRoom;
    },
  };
  links.frame(link, hello);
  hasRoom = false;
  links.frame(link, { kind: 'push-blocks', blocks: blocksFrom(1, 4000) });
  await new Promise((resolve) => setImmediate(resolve));
  hasRoom = true;
  links.drain(link);
  t.ok(frames.every((frame) => encodeFrame(frame).length <= maxFrameBytes));
  const answers = frames.flatMap((frame) =>
    frame.kind === 'ack' || frame.kind === 'nack' ? frame.answers : [],
  );
  t.strictSame(
    answers.map(({ seq }) => Number(seq)),
    Array.from({ length: 4000 }, (_, index) => index + 1),
  );
  const refused = answers.flatMap(({ answer }) => (answer.kind === 'acknowledged' ? answer.rejected : []));
  t.match(refused[0], rejected[0]);
  for (const code of ['too_many_tabs', 'too_many_clients']) {
    const events = refused.reduce((sum, one) => sum + (one.code === code ? one.events : 0), 0);
    t.equal(events, 5000, code);
  }
});

function blocksFrom(first: number, count: number): Block[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ bucket: 0 as BucketIndex, producer: 'p' as ProducerId, birthMs: 0, seq: (first + index) as Seq },
    ...{ sealedAtMs: 0, events: 1, payload: new Uint8Array() },
  }));
}
