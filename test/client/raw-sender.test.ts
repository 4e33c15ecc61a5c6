import t, { type Test } from 'tap';
import { RawSender } from '../../src/client/raw-sender.js';
import { FlushSessions } from '../../src/core/producer/sessions.js';
import type { FrameLink } from '../../src/transport/frame-link.js';
import { startHttpServer } from '../../src/transport/inbound/http-server.js';
import type { DefineTabs, Frame, PushRaw } from '../../src/wire/frame.js';
import { encodeFrame } from '../../src/wire/frame-codec.js';
import { readRawColumns } from '../../src/wire/raw-columns.js';

type Treatment = 'take' | 'take-silently' | 'take-no-more' | 'close' | 'busy' | 'gap' | 'refuse';

/** Takes numbered frames, or treats the next ones otherwise, in turn. */
async function agentOf(t: Test, treatments: readonly Treatment[] = [], maxFrameBytes = 2 ** 20) {
  const left = [...treatments];
  const taken: number[][] = [];
  const defined: DefineTabs[] = [];
  const agent = {
    id: '1'.repeat(32),
    maxFrameBytes,
    sessions: new FlushSessions({ maxSessions: 9, forgetAfterMs: 1e6 }),
  };
  const answerOf = (link: FrameLink, frame: PushRaw): Frame | undefined => {
    const { session, number } = frame;
    const ack = {
      kind: 'raw-ack',
      session,
      number,
      accepted: 1,
      clamped: 0,
      rejectedTotal: 0,
      rejected: [],
    } as const;
    const nack = { kind: 'flush-nack', session, number } as const;
    const treatment = left.shift() ?? 'take';
    if (treatment === 'busy') return { ...nack, reason: 'busy', retryAfterMs: 1 };
    if (treatment === 'refuse') {
      agent.sessions.taken(session, number, 0);
      return { ...nack, reason: 'refused', message: 'not today' };
    }
    if (treatment === 'gap') return { ...nack, reason: 'gap', expected: 1 };
    if (treatment === 'close') {
      link.close('as a test wants it');
      return undefined;
    }
    const verdict = agent.sessions.judge(session, number, 0);
    if (verdict.kind === 'repeat') return { ...ack, repeat: true };
    if (verdict.kind === 'gap') return { ...nack, reason: 'gap', expected: verdict.expected };
    agent.sessions.taken(session, number, 0);
    taken.push([...readRawColumns(frame).values]);
    if (treatment === 'take') return { ...ack, repeat: false };
    if (treatment === 'take-no-more') agent.maxFrameBytes = 4096;
    link.close('the answer goes missing');
    return undefined;
  };
  const http = await startHttpServer({
    ...{
      host: '127.0.0.1',
      port: 0,
      routes: [],
      maxBodyBytes: 1000,
      maxFrameBytes: 2 ** 20,
      maxConnections: 9,
    },
    frames: {
      frame: (link, frame) => {
        if (frame.kind === 'hello') {
          link.trySend({ ...frame, role: 'agent', id: agent.id, maxFrameBytes: agent.maxFrameBytes });
        } else if (frame.kind === 'define-tabs') {
          defined.push(frame);
        } else if (frame.kind === 'push-raw') {
          const answer = answerOf(link, frame);
          if (answer !== undefined) link.trySend(answer);
        }
      },
      closed: () => {},
    },
    onError: (error) => t.fail(String(error)),
  });
  const sender = new RawSender({ clientId: 'job', url: `http://127.0.0.1:${http.port}` });
  t.teardown(() => {
    sender.close();
    http.close();
  });
  return { agent, sender, taken, defined };
}

function batch(tab: number, ...values: number[]) {
  return {
    ...{ tabs: Uint32Array.of(tab), counts: Uint32Array.of(values.length) },
    ...{ seconds: new Float64Array(0), values: Float64Array.from(values) },
  };
}

t.test('batches go out one after the other, and each tab is named once over a connection', async (t) => {
  const { sender, taken, defined } = await agentOf(t);
  const a = sender.tab('a', 'CounterGroup');
  const outcomes = [sender.send(batch(a, 1, 2)), sender.send(batch(a, 3))];
  t.match(await Promise.all(outcomes), [{ kind: 'taken', repeat: false }, { kind: 'taken' }]);
  const b = sender.tab('b', 'TotalsCounter');
  await sender.send(batch(b, 4));
  t.strictSame(taken, [[1, 2], [3], [4]]);
  t.strictSame(
    defined.map(({ tabs }) => tabs),
    [[{ id: 0, name: 'a', type: 'CounterGroup' }], [{ id: 1, name: 'b', type: 'TotalsCounter' }]],
  );
});

t.test('what was not answered is sent again over a new connection, and counts once', async (t) => {
  const { sender, taken, defined } = await agentOf(t, ['close', 'take-silently']);
  const a = sender.tab('a', 'CounterGroup');
  t.match(await sender.send(batch(a, 1)), { kind: 'taken', repeat: true });
  t.match(await sender.send(batch(a, 2)), { kind: 'taken', repeat: false });
  t.strictSame(taken, [[1], [2]]);
  t.equal(defined.length, 3, 'each connection learns the tabs');
});

t.test('busy is asked again, and a session that is forgotten begins anew', async (t) => {
  const { sender, taken } = await agentOf(t, ['busy', 'take', 'gap']);
  const a = sender.tab('a', 'CounterGroup');
  t.match(await sender.send(batch(a, 1)), { kind: 'taken', repeat: false });
  t.match(await sender.send(batch(a, 2)), { kind: 'taken', repeat: false });
  t.strictSame(taken, [[1], [2]]);
});

t.test('what another agent must not get, or nobody can take, is lost, and what follows is not', async (t) => {
  const { agent, sender, taken } = await agentOf(t, ['refuse', 'take', 'take-silently'], 4096);
  const a = sender.tab('a', 'CounterGroup');
  t.match(await sender.send(batch(a, 1)), { kind: 'lost', reason: 'refused', message: 'not today' });
  t.match(await sender.send(batch(a, ...new Array(500).fill(1))), { kind: 'lost', reason: 'too_large' });
  t.match(await sender.send(batch(a, 2)), { kind: 'taken' });
  const silent = sender.send(batch(a, 3));
  agent.id = '2'.repeat(32);
  t.match(await silent, { kind: 'lost', reason: 'agent_restarted' });
  t.match(await sender.send(batch(a, 4)), { kind: 'taken', repeat: false });
  t.strictSame(taken, [[2], [3], [4]]);
});

t.test('a batch that the agent does not take any more gives its number to no other', async (t) => {
  const { sender, taken } = await agentOf(t, ['take-no-more']);
  const a = sender.tab('a', 'CounterGroup');
  const large = batch(a, ...new Array(500).fill(1));
  t.match(await sender.send(large), { kind: 'lost', reason: 'agent_restarted' });
  t.match(await sender.send(batch(a, 2)), { kind: 'taken', repeat: false });
  t.equal(taken.length, 2);
});

t.test('neither very many tabs nor a name that is none keep batches from going out', async (t) => {
  const { sender, taken, defined } = await agentOf(t, [], 2 ** 16);
  const good = sender.tab('a', 'CounterGroup');
  const none = sender.tab('n'.repeat(10_000), 't'.repeat(10_000));
  for (let tab = 0; tab < 4000; tab++) sender.tab(`${'n'.repeat(400)}${tab}`, 'CounterGroup');
  t.match(await sender.send(batch(good, 1)), { kind: 'taken' });
  t.same(taken, [[1]]);
  const told = defined.flatMap(({ tabs }) => tabs);
  t.same([told.length, told[none]!.name.length > 1024], [4002, true], 'the agent says what is wrong with it');
  t.ok(defined.every((frame) => encodeFrame(frame).length <= 2 ** 16));
});

t.test('what cannot be sent is said at once', async (t) => {
  t.throws(() => new RawSender({ clientId: 'not a client' }), { code: 'bad_client' });
  t.throws(() => new RawSender({ clientId: 'c', url: 'nowhere' }), { code: 'bad_setting' });
  const { sender } = await agentOf(t);
  const { tabs, counts, seconds, values } = batch(0, 1, 2);
  for (const wrong of [
    { tabs, counts, seconds, values: Float64Array.of(1) },
    { tabs, counts: Uint32Array.of(1, 1), seconds, values },
    { tabs, counts, seconds: Float64Array.of(1, 2), values },
  ]) {
    await t.rejects(sender.send(wrong), { code: 'corrupt' });
  }
  t.match(await sender.send(batch(sender.tab('a', 'CounterGroup'), 1)), { kind: 'taken' });
  sender.close();
  sender.close();
  t.match(await sender.send(batch(0, 1)), { kind: 'lost', reason: 'closed' });
});

t.test('closing gives up what is under way', async (t) => {
  const sender = new RawSender({ clientId: 'job', url: 'http://127.0.0.1:9' });
  const waiting = sender.send(batch(sender.tab('a', 'CounterGroup'), 1));
  await Promise.resolve().then(() => {});
  sender.close();
  t.match(await waiting, { kind: 'lost', reason: 'closed' });
});
