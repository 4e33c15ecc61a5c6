import t, { type Test } from 'tap';
import type { Answer, Block } from '../../../src/core/block.js';
import type { BucketIndex, ProducerId, Seq } from '../../../src/core/ids.js';
import { PeerLink } from '../../../src/server/cluster/peer-link.js';
import type { FrameLink, FrameLinkEvents } from '../../../src/transport/frame-link.js';
import type { Frame, Hello } from '../../../src/wire/frame.js';
import { FakeClock } from '../../support/fake-clock.js';

const acknowledged: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };
const busy: Answer = { kind: 'busy', retryAfterMs: 100 };

function helloOf(id: string, maxFrameBytes = 2 ** 24): Hello {
  return {
    ...{ kind: 'hello', versions: [2], role: 'server', id, name: id, bucketCount: 4, hash: 'xxh32' },
    ...{ generation: 1, maxFrameBytes, maxInFlight: 100, nowMs: 0 },
  } as Hello;
}

/** The other end of one connection. */
class Line implements FrameLink {
  readonly peer = 'them:8300';
  readonly bufferedBytes = 0;
  readonly frames: Frame[] = [];
  hasRoom = true;
  closedFor: string | undefined;

  constructor(readonly events: FrameLinkEvents) {}

  trySend(frame: Frame): boolean {
    if (!this.hasRoom) return false;
    this.frames.push(frame);
    return true;
  }

  close(reason: string): void {
    this.closedFor = reason;
  }

  says(frame: Frame): void {
    this.events.frame(this, frame);
  }

  answers(block: Block, answer: Answer): void {
    const { bucket, producer, seq } = block;
    const kind = answer.kind === 'acknowledged' ? 'ack' : 'nack';
    this.says({ kind, answers: [{ bucket, producer, seq, answer }] });
  }

  /** Numbers of the Blocks of each frame. */
  get pushed(): number[][] {
    return this.frames.flatMap((frame) =>
      frame.kind === 'push-blocks' ? [frame.blocks.map(({ seq }) => Number(seq))] : [],
    );
  }

  get questions(): Extract<Frame, { kind: 'query' }>[] {
    return this.frames.flatMap((frame) => (frame.kind === 'query' ? [frame] : []));
  }
}

function linkTo(id = 'them') {
  const clock = new FakeClock();
  const lines: Line[] = [];
  const link = new PeerLink({
    ...{ id, address: 'them:8300', clock },
    hello: () => helloOf('us'),
    connect: (_url, events) => {
      const line = new Line(events);
      lines.push(line);
      return line;
    },
  });
  /** The newest connection opens, and says who it is. */
  const greet = async (as = id): Promise<Line> => {
    const line = lines.at(-1)!;
    line.events.open?.(line);
    line.says(helloOf(as));
    await turn();
    return line;
  };
  return { clock, link, lines, greet };
}

function block(seq: number, bytes = 10, bucket = 1): Block {
  return {
    ...{ bucket: bucket as BucketIndex, producer: 'p' as ProducerId, seq: seq as Seq, birthMs: 1 },
    ...{ sealedAtMs: 2, events: 1, payload: new Uint8Array(bytes) },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What it came to, or undefined while it is open. */
function outcomeOf<T>(promise: Promise<T>): { value: T | undefined } {
  const outcome: { value: T | undefined } = { value: undefined };
  promise.then((value) => {
    outcome.value = value;
  });
  return outcome;
}

t.test(
  'a Block that could not be sent for a second is not sent any more, and its producer is told',
  async (t) => {
    const { clock, link, greet } = linkTo();
    const first = outcomeOf(link.push(block(1)));
    clock.advance(600);
    const second = outcomeOf(link.push(block(2)));
    clock.advance(400);
    const line = await greet();
    t.strictSame(line.pushed, [[2]]);
    t.strictSame(first.value, busy);
    t.equal(second.value, undefined);
  },
);

t.test(
  'Blocks wait for the greeting, go out in order and in one frame, and get their own answers',
  async (t) => {
    const { link, lines, greet } = linkTo();
    const first = link.push(block(1));
    const second = link.push(block(2));
    await turn();
    t.equal(lines.length, 1);
    t.strictSame(lines[0]!.frames, []);
    const line = await greet();
    t.equal(line.frames[0]!.kind, 'hello');
    t.strictSame(line.pushed, [[1, 2]]);
    void link.push(block(3));
    void link.push(block(4));
    await turn();
    t.strictSame(line.pushed, [
      [1, 2],
      [3, 4],
    ]);
    line.answers(block(2), { kind: 'expects', seq: 1 as Seq });
    line.answers(block(1), acknowledged);
    t.strictSame(await Promise.all([first, second]), [acknowledged, { kind: 'expects', seq: 1 }]);
  },
);

t.test('a Block that is sent twice gets an answer for each', async (t) => {
  const { link, greet } = linkTo();
  const twice = [link.push(block(1)), link.push(block(1))];
  const line = await greet();
  line.answers(block(1), acknowledged);
  line.answers(block(1), { ...acknowledged, repeat: true });
  t.strictSame(await Promise.all(twice), [acknowledged, { ...acknowledged, repeat: true }]);
  t.doesNotThrow(() => line.answers(block(1), acknowledged), 'one that nobody waits for is nothing');
});

t.test('so many bytes may be under way; the rest waits for answers', async (t) => {
  const { link, greet } = linkTo();
  const mebibyte = 2 ** 20;
  for (let seq = 1; seq <= 20; seq++) void link.push(block(seq, mebibyte));
  const line = await greet();
  t.equal(line.pushed.flat().length, 16);
  t.ok(
    line.pushed.every((seqs) => seqs.length === 1),
    'a frame has about one mebibyte',
  );
  line.answers(block(1), acknowledged);
  line.answers(block(2), acknowledged);
  await turn();
  t.equal(line.pushed.flat().length, 18);
});

t.test('no frame is larger than the other side takes', async (t) => {
  const maxFrameBytes = 2 ** 16;
  const { link, lines } = linkTo();
  for (const seq of [1, 2, 3]) void link.push(block(seq, 30_000));
  const large = link.push(block(4, maxFrameBytes));
  const asked = t.rejects(link.ask('query', new Uint8Array(maxFrameBytes), 1000), {
    code: 'frame_too_large',
  });
  const line = lines[0]!;
  line.events.open?.(line);
  line.says(helloOf('them', maxFrameBytes));
  await turn();
  t.strictSame(line.pushed, [[1, 2], [3]]);
  t.strictSame(await large, busy, 'it never will go out');
  await asked;
  t.strictSame(line.questions, []);
  t.equal(line.closedFor, undefined);
});

t.test('what does not go out now goes when there is room, in order', async (t) => {
  const { link, greet } = linkTo();
  void link.push(block(1));
  const line = await greet();
  line.hasRoom = false;
  void link.push(block(2));
  void link.push(block(3));
  link.ask('query', new Uint8Array([7]), 1000).catch(() => {});
  await turn();
  t.strictSame(line.pushed, [[1]]);
  line.hasRoom = true;
  line.events.drain?.(line);
  await turn();
  t.strictSame(line.pushed, [[1], [2, 3]]);
  t.equal(line.questions.length, 1);
});

t.test(
  'a lost connection: nobody knows what became of the Blocks; the next one makes a new one',
  async (t) => {
    const { clock, link, lines, greet } = linkTo();
    const sent = link.push(block(1));
    const line = await greet();
    const waiting = link.push(block(2));
    const asked = link.ask('query', new Uint8Array(), 1000);
    line.events.closed(line, 'reset by peer');
    t.strictSame(await Promise.all([sent, waiting]), [busy, busy]);
    await t.rejects(asked, { code: 'unavailable', message: /them:8300: reset by peer/ });
    clock.advance(200);
    const again = outcomeOf(link.push(block(1)));
    t.equal(lines.length, 2);
    line.answers(block(1), acknowledged);
    line.events.closed(line, 'late');
    await turn();
    t.equal(again.value, undefined, 'what the old connection says is about nothing that waits now');
    (await greet()).answers(block(1), acknowledged);
    await turn();
    t.strictSame(again.value, acknowledged);
  },
);

t.test('one that cannot be reached is not tried again at once', async (t) => {
  const { clock, link, lines } = linkTo();
  const first = link.push(block(1));
  lines[0]!.events.closed(lines[0]!, 'connection refused');
  t.strictSame(await first, busy);
  t.strictSame(await link.push(block(1)), busy);
  await t.rejects(link.ask('query', new Uint8Array(), 1000), { message: /connection refused/ });
  t.equal(lines.length, 1);
  clock.advance(200);
  void link.push(block(1));
  t.equal(lines.length, 2);
});

t.test('another process at that address is refused', async (t) => {
  const { link, greet } = linkTo();
  const pushed = link.push(block(1));
  const asked = link.ask('release', new Uint8Array(), 1000);
  const refused = t.rejects(asked, { code: 'unavailable', message: /is another server by now/ });
  const line = await greet('somebody else');
  t.strictSame(await pushed, busy);
  await refused;
  t.match(line.closedFor, /another server/);
  t.strictSame(line.pushed, [], 'it got nothing');
});

async function asking(t: Test, timeoutMs = 1000) {
  const { clock, link, greet } = linkTo();
  const asked = link.ask('query', new Uint8Array([1, 2]), timeoutMs);
  asked.catch(() => {});
  const line = await greet();
  const { id, name, body } = line.questions[0]!;
  t.strictSame([name, [...body]], ['query', [1, 2]]);
  return { clock, link, line, asked, id };
}

t.test('an answer may come in pieces, between those of others', async (t) => {
  const { link, line, asked, id } = await asking(t);
  const other = link.ask('query', new Uint8Array(), 1000);
  await turn();
  const otherId = line.questions[1]!.id;
  line.says({ kind: 'result', id, body: new Uint8Array([1, 2]), last: false });
  line.says({ kind: 'result', id: otherId, body: new Uint8Array([9]), last: true });
  line.says({ kind: 'result', id, body: new Uint8Array([3]), last: true });
  t.strictSame([...(await asked)], [1, 2, 3]);
  t.strictSame([...(await other)], [9]);
});

t.test('a fault of the other side comes with its code', async (t) => {
  const { line, asked, id } = await asking(t);
  line.says({ kind: 'error', id, code: 'unknown_tab', message: 'no tab x', fatal: false });
  await t.rejects(asked, { code: 'unknown_tab', message: 'no tab x' });
  t.equal(line.closedFor, undefined);
});

t.test('no answer in time, and one that comes too late', async (t) => {
  const { clock, line, asked, id } = await asking(t, 500);
  clock.advance(500);
  await t.rejects(asked, { code: 'unavailable', message: /no answer to query within 500 ms/ });
  t.doesNotThrow(() => line.says({ kind: 'result', id, body: new Uint8Array(), last: true }));
});

t.test('a fault of the connection, and a frame that has no business here, end it', async (t) => {
  const failed = await asking(t);
  failed.line.says({ kind: 'error', code: 'bucket_map_mismatch', message: 'other buckets', fatal: true });
  await t.rejects(failed.asked, { code: 'unavailable', message: /bucket_map_mismatch: other buckets/ });
  const confused = await asking(t);
  confused.line.says({ kind: 'query', id: 1, name: 'query', body: new Uint8Array() });
  await t.rejects(confused.asked, { code: 'unavailable', message: /unexpected frame query/ });
});

t.test('closed for good: what waits is told so, and nothing is taken any more', async (t) => {
  const { clock, link, lines, greet } = linkTo();
  const pushed = link.push(block(1));
  const line = await greet();
  link.close('the server is gone');
  t.strictSame(await pushed, busy);
  t.equal(line.closedFor, 'the server is gone');
  clock.advance(10_000);
  t.strictSame(await link.push(block(2)), busy);
  t.equal(lines.length, 1);
});
