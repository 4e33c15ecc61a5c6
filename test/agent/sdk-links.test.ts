import { once } from 'node:events';
import t, { type Test } from 'tap';
import { defaultLimits } from '../../src/core/limits.js';
import type { FrameLink } from '../../src/transport/frame-link.js';
import { connectFrames } from '../../src/transport/outbound/frame-client.js';
import type { Frame, Hello } from '../../src/wire/frame.js';
import { agentOf, until } from './agent-kit.js';
import { encode, folderOf, partsOf } from './spool/kit.js';

const sdkHello: Hello = {
  kind: 'hello',
  versions: [2],
  role: 'sdk',
  id: '5'.repeat(32),
  name: 'app',
  maxFrameBytes: 2 ** 20,
  maxInFlight: 1,
  nowMs: 0,
};

/** An SDK's connection, frame by frame. */
async function sdk(
  t: Test,
  url: string,
): Promise<{ send(frame: Frame): void; next(): Promise<Frame | 'closed'> }> {
  const seen: (Frame | 'closed')[] = [];
  const events = new EventTarget();
  const opened = once(events, 'open');
  const link: FrameLink = connectFrames(
    { url, maxFrameBytes: 2 ** 20 },
    {
      open: () => events.dispatchEvent(new Event('open')),
      frame: (_link, frame) => seen.push(frame),
      closed: () => seen.push('closed'),
    },
  );
  t.teardown(() => link.close('the test is over'));
  await opened;
  return {
    send: (frame) => {
      if (!link.trySend(frame)) throw new Error('not sent');
    },
    next: () => until('a frame', () => seen.shift()),
  };
}

const flush = (number: number, payload: Uint8Array, events: number, session = 's'): Frame => ({
  kind: 'push-flush',
  session,
  number,
  events,
  payload,
});

t.test(
  'hello, then numbered flushes: the next is taken, a repeat is answered, a gap is refused',
  async (t) => {
    const { agent } = await agentOf(t);
    const { send, next } = await sdk(t, agent.url);
    send(sdkHello);
    t.match(await next(), { kind: 'hello', role: 'agent', id: agent.status().instance, versions: [2] });
    send(flush(1, encode(partsOf('a', 'b')), 2));
    t.match(await next(), { kind: 'flush-ack', session: 's', number: 1, rejected: [] });
    send(flush(1, encode(partsOf('a', 'b')), 2));
    t.match(await next(), { kind: 'flush-ack', number: 1 });
    send(flush(3, encode(partsOf('a')), 1));
    t.match(await next(), { kind: 'flush-nack', number: 3, reason: 'gap', expected: 2 });
    send(flush(1, encode(partsOf('a')), 1, 'another'));
    t.match(await next(), { kind: 'flush-ack', session: 'another', number: 1 });
    t.match(agent.status(), { sessions: 2, books: { received: 3, buffered: 3, balance: 0 } });
  },
);

t.test('what is wrong with a Part is said; what is wrong with a payload uses up its number', async (t) => {
  const { agent } = await agentOf(t);
  const { send, next } = await sdk(t, agent.url);
  send(sdkHello);
  await next();
  send(flush(1, new Uint8Array([1, 2, 3]), 5));
  t.match(await next(), { kind: 'flush-nack', number: 1, reason: 'refused' });
  const mixed = partsOf('a');
  mixed.fold('b' as never, 'CounterGroup' as never, 'c' as never, 1, { timestampSec: 1, sequence: 0 });
  send(flush(2, encode(mixed), 2));
  t.match(await next(), { kind: 'flush-ack', number: 2, rejected: [] });
  send(flush(3, encode(partsOf('b', 'a', 'a')), 3));
  t.match(await next(), {
    kind: 'flush-ack',
    number: 3,
    rejected: [{ tab: 'b', events: 1, code: 'type_conflict' }],
  });
  t.match(agent.status().books, {
    received: 10,
    buffered: 4,
    rejected: { corrupt: 5, type_conflict: 1 },
    balance: 0,
  });
});

t.test('a session goes on after a restart, with the spool', async (t) => {
  const spoolFolder = folderOf(t);
  const first = await agentOf(t, { spoolFolder });
  const before = await sdk(t, first.agent.url);
  before.send(sdkHello);
  await before.next();
  before.send(flush(1, encode(partsOf('a')), 1));
  await before.next();
  await first.agent.close(0);
  const { agent } = await agentOf(t, { spoolFolder });
  const after = await sdk(t, agent.url);
  after.send(sdkHello);
  t.match(await after.next(), { id: first.agent.status().instance });
  after.send(flush(1, encode(partsOf('a')), 1));
  t.match(await after.next(), { kind: 'flush-ack', number: 1 });
  after.send(flush(2, encode(partsOf('a')), 1));
  t.match(await after.next(), { kind: 'flush-ack', number: 2 });
  t.match(agent.status().books, { received: 2, buffered: 2 });
});

t.test('without room a flush is asked for again, under its number', async (t) => {
  let heapShare = 0.95;
  const { agent } = await agentOf(t, { seams: { heapShare: () => heapShare } });
  const { send, next } = await sdk(t, agent.url);
  send(sdkHello);
  await next();
  send(flush(1, encode(partsOf('a')), 1));
  t.match(await next(), { kind: 'flush-nack', number: 1, reason: 'busy', retryAfterMs: 1000 });
  heapShare = 0.1;
  send(flush(1, encode(partsOf('a')), 1));
  t.match(await next(), { kind: 'flush-ack', number: 1 });
  t.equal(agent.status().books.received, 1);
});

t.test('whoever speaks otherwise is told, and disconnected', async (t) => {
  const { agent } = await agentOf(t);
  const wrong: readonly (readonly [string, Frame[], string])[] = [
    ['a flush before hello', [flush(1, encode(partsOf('a')), 1)], 'bad_framing'],
    ['another version', [{ ...sdkHello, versions: [9] }], 'unsupported_version'],
    ['a server', [{ ...sdkHello, role: 'server' }], 'bad_framing'],
    ['hello twice', [sdkHello, sdkHello], 'bad_framing'],
    ['Blocks', [sdkHello, { kind: 'push-blocks', blocks: [] }], 'bad_framing'],
  ];
  for (const [what, frames, code] of wrong) {
    const { send, next } = await sdk(t, agent.url);
    for (const frame of frames) send(frame);
    if (frames.length === 2) await next();
    t.match(await next(), { kind: 'error', code, fatal: true }, what);
    t.equal(await next(), 'closed', what);
  }
  t.equal(agent.status().books.received, 0);
});

t.test(
  'of very many rejections as many are named as the SDK takes in a frame, and all are counted',
  async (t) => {
    const { agent } = await agentOf(t, { limits: { ...defaultLimits, maxTabs: 1 } });
    const { send, next } = await sdk(t, agent.url);
    send(sdkHello);
    await next();
    const tabs = Array.from({ length: 10_001 }, (_, index) => `some.metric.of.a.long.name.${index}`);
    send(flush(1, encode(partsOf(...tabs)), tabs.length));
    const answer = await next();
    const rejected = answer !== 'closed' && answer.kind === 'flush-ack' ? answer.rejected : [];
    t.match(rejected[0], { tab: tabs[1], code: 'too_many_tabs' });
    t.equal(
      rejected.reduce((sum, { events }) => sum + events, 0),
      10_000,
    );
  },
);
