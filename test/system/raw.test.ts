/** Events in columns, from a sender up to the States, through an agent and straight into a server. */
import t, { type Test } from 'tap';
import { RawSender } from '../../src/client/raw-sender.js';
import type { FrameLink } from '../../src/transport/frame-link.js';
import { connectFrames } from '../../src/transport/outbound/frame-client.js';
import type { Frame, Hello } from '../../src/wire/frame.js';
import { type RawColumns, writeRawColumns } from '../../src/wire/raw-columns.js';
import { agentOf } from '../agent/agent-kit.js';
import {
  ask,
  balanced,
  type Entrance,
  folder,
  handedOver,
  json,
  limitsWith,
  serverOf,
  throughBoth,
  totalOf,
  until,
} from './kit.js';

const hello: Hello = {
  ...{ kind: 'hello', versions: [2], role: 'sdk', id: '7'.repeat(32), name: 'app' },
  ...{ maxFrameBytes: 2 ** 20, maxInFlight: 1, nowMs: 0 },
};

/** A connection, frame by frame, that has been greeted. */
async function connected(t: Test, url: string) {
  const seen: (Frame | 'closed')[] = [];
  const link: FrameLink = connectFrames(
    { url, maxFrameBytes: 2 ** 20 },
    {
      open: (opened) => opened.trySend(hello),
      frame: (_link, frame) => seen.push(frame),
      closed: () => seen.push('closed'),
    },
  );
  t.teardown(() => link.close('the test is over'));
  const next = () => until('a frame', () => seen.shift());
  t.match(await next(), { kind: 'hello' });
  return { send: (frame: Frame) => link.trySend(frame) || t.fail('not sent'), next };
}

function columns(...groups: readonly (readonly [tab: number, ...values: number[]])[]): RawColumns {
  return {
    tabs: Uint32Array.from(groups, ([tab]) => tab),
    counts: Uint32Array.from(groups, ([, ...values]) => values.length),
    seconds: new Float64Array(0),
    values: Float64Array.from(groups.flatMap(([, ...values]) => values)),
  };
}

function push(number: number, these: RawColumns, session = 's'): Frame {
  return { kind: 'push-raw', session, number, ...writeRawColumns(these) };
}

const both = (run: (t: Test, entrance: Entrance) => Promise<void>) => (t: Test) =>
  throughBoth(t, () => ({}), run);

t.test(
  'counts and totals are exact, whatever else is in the frame',
  both(async (t, entrance) => {
    const sender = new RawSender({ clientId: 'batch-job', url: entrance.url });
    const [good, bad, other] = [
      sender.tab('good', 'TotalsCounter'),
      sender.tab('not good', 'TotalsCounter'),
      sender.tab('other', 'CounterGroup'),
    ];
    t.match(await sender.send(columns([good, 1, 2.5], [bad, 1], [other, 7, Number.NaN], [good, 4])), {
      ...{ kind: 'taken', repeat: false, accepted: 4, clamped: 0, rejectedTotal: 2 },
      rejected: [
        { index: 2, code: 'bad_name' },
        { index: 4, code: 'bad_value' },
      ],
    });
    const late = sender.tab('late', 'TotalsCounter');
    const ahead = { ...columns([late, 1, 1]), seconds: Float64Array.of(Date.now() / 1000 + 3600) };
    t.match(await sender.send(ahead), { kind: 'taken', accepted: 2, clamped: 2 });
    t.match(await sender.send(columns()), { kind: 'taken', accepted: 0 });
    await handedOver(entrance);
    const { server } = entrance;
    await until('all is shown', async () => (await totalOf(server, 'late')) === 2);
    const shown = await json(`${server.url}/projection?name=good,other&client=batch-job`);
    t.match(shown.json, {
      'batch-job': { good: { count: 3, total: 7.5 }, other: { '1d': { count: 1, total: 7 } } },
    });
    t.match((entrance.agent ?? server).status().books, {
      received: 8,
      rejected: { bad_name: 1, bad_value: 1 },
    });
    sender.close();
    t.match(await sender.send(columns([good, 1])), { kind: 'lost', reason: 'closed' });
  }),
);

t.test(
  'the next number is taken, a repeat is answered, a gap is refused (R9)',
  both(async (t, entrance) => {
    const { send, next } = await connected(t, entrance.url);
    send({ kind: 'define-tabs', tabs: [{ id: 5, name: 'a', type: 'TotalsCounter' }] });
    send(push(1, columns([5, 1, 2])));
    t.match(await next(), { kind: 'raw-ack', session: 's', number: 1, repeat: false, accepted: 2 });
    const definitionBytes = 1 + 'TotalsCounter'.length + 128;
    t.match((entrance.agent ?? entrance.server).status(), { definition_bytes: definitionBytes });
    const { text } = await ask(`${entrance.url}/metrics`);
    t.match(text, new RegExp(`^taba_(agent|server)_definition_bytes ${definitionBytes}$`, 'm'));
    send(push(1, columns([5, 1, 2])));
    t.match(await next(), { kind: 'raw-ack', number: 1, repeat: true, accepted: 0 });
    send(push(3, columns([5, 1])));
    t.match(await next(), { kind: 'flush-nack', number: 3, reason: 'gap', expected: 2 });
    const broken = { ...push(2, columns([5, 1, 2, 3])), counts: new Uint8Array(4) } as Frame;
    send(broken);
    t.match(await next(), { kind: 'flush-nack', number: 2, reason: 'refused', message: /do not fit/ });
    send(push(3, columns([6, 1], [5, 8])));
    t.match(await next(), { kind: 'raw-ack', accepted: 1, rejected: [{ index: 0, code: 'bad_event' }] });
    const again = await connected(t, entrance.url);
    again.send(push(4, columns([5, 1])));
    t.match(await again.next(), {
      accepted: 0,
      rejected: [{ code: 'bad_event', message: /tab 5 is not defined/ }],
    });
    await handedOver(entrance);
    await until('all is shown', async () => (await totalOf(entrance.server, 'a')) === 3);
    t.match((entrance.agent ?? entrance.server).status().books, {
      received: 8,
      rejected: { corrupt: 3, bad_event: 2 },
    });
  }),
);

t.test(
  'a number that stands for another tab already ends the connection',
  both(async (t, { url }) => {
    const { send, next } = await connected(t, url);
    send({ kind: 'define-tabs', tabs: [{ id: 0, name: 'a', type: 'TotalsCounter' }] });
    send({ kind: 'define-tabs', tabs: [{ id: 0, name: 'b', type: 'TotalsCounter' }] });
    t.match(await next(), { kind: 'error', code: 'bad_framing', fatal: true });
    t.equal(await next(), 'closed');
  }),
);

t.test(
  'what owners refuse is said of its items, or counted where it was answered for before',
  both(async (t, entrance) => {
    const { server, url } = entrance;
    const first = new RawSender({ clientId: 'one', url });
    t.match(await first.send(columns([first.tab('x', 'TotalsCounter'), 1])), { accepted: 1 });
    await until('it is shown', async () => (await totalOf(server, 'x')) === 1);
    first.close();
    const second = new RawSender({ clientId: 'two', url });
    const [x, y] = [second.tab('x', 'CounterGroup'), second.tab('y', 'TotalsCounter')];
    const outcome = await second.send(columns([x, 1, 2], [y, 1]));
    if (entrance.agent === undefined) {
      t.match(outcome, {
        accepted: 1,
        rejectedTotal: 2,
        rejected: [{ index: 0, code: 'type_conflict' }, { index: 1 }],
      });
    }
    second.close();
    await handedOver(entrance);
    await until('the rest is shown', async () => (await totalOf(server, 'y')) === 1);
    t.match((entrance.agent ?? server).status().books, { received: 4, rejected: { type_conflict: 2 } });
  }),
);

t.test('with a spool what was answered for outlives the agent, and its number too', async (t) => {
  const server = await serverOf(t);
  const spoolFolder = folder(t);
  // Nobody is there to take anything.
  const first = await agentOf(t, { spoolFolder });
  const before = await connected(t, first.agent.url);
  const tabs = [{ id: 0, name: 'kept', type: 'TotalsCounter' }];
  before.send({ kind: 'define-tabs', tabs });
  before.send(push(1, columns([0, 1, 2, 3])));
  t.match(await before.next(), { kind: 'raw-ack', accepted: 3 });
  await first.agent.close(0);
  const { agent } = await agentOf(t, { spoolFolder, servers: [server.url] });
  const after = await connected(t, agent.url);
  after.send({ kind: 'define-tabs', tabs });
  after.send(push(1, columns([0, 1, 2, 3])));
  t.match(await after.next(), { kind: 'raw-ack', number: 1, repeat: true });
  after.send(push(2, columns([9, 5])));
  t.match(await after.next(), { kind: 'raw-ack', number: 2, accepted: 0, rejectedTotal: 1 });
  await agent.close(5000);
  const third = await agentOf(t, { spoolFolder, servers: [server.url] });
  const last = await connected(t, third.agent.url);
  last.send(push(2, columns([9, 5])));
  t.match(
    await last.next(),
    { kind: 'raw-ack', number: 2, repeat: true },
    'a frame of which nothing counted has its number',
  );
  await until('it is shown', async () => (await totalOf(server, 'kept')) === 3);
  balanced(t, { server, agent: third.agent });
});

t.test('without room a frame is asked for again, under its number', async (t) => {
  let heapShare = 0.95;
  const { agent } = await agentOf(t, {
    seams: { heapShare: () => heapShare },
    limits: limitsWith({ maxTabs: 1 }),
  });
  const { send, next } = await connected(t, agent.url);
  const define = ['a', 'b'].map((name, id) => ({ id, name, type: 'TotalsCounter' }));
  send({ kind: 'define-tabs', tabs: define });
  send(push(1, columns([0, 1])));
  t.match(await next(), { kind: 'flush-nack', number: 1, reason: 'busy', retryAfterMs: 1000 });
  heapShare = 0.1;
  send(push(1, columns([0, 1], [1, 1, 1])));
  t.match(await next(), {
    kind: 'raw-ack',
    accepted: 1,
    rejected: [{ code: 'too_many_tabs' }, { index: 2 }],
  });
  t.match(agent.status().books, { received: 3, buffered: 1, rejected: { too_many_tabs: 2 }, balance: 0 });
});
