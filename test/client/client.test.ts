import t, { type Test } from 'tap';
import { FoldingEngine } from '../../src/client/folding-engine.js';
import { createClient } from '../../src/client/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { TinyAgent } from './tiny-agent.js';

async function start(t: Test, options: Partial<Parameters<typeof createClient>[0]> = {}) {
  const agent = await new TinyAgent().start();
  const client = createClient({ clientId: 'c1', url: agent.url, flushIntervalMs: 5, ...options });
  t.teardown(async () => {
    await client.close(1);
    agent.stop();
  });
  return { agent, client };
}

/** Every recorded event is in exactly one place. */
function balance(client: ReturnType<typeof createClient>): number {
  const { recorded, buffered, delivered, rejected, lost } = client.status();
  return recorded - buffered - delivered - rejected - lost;
}

t.test('delivers what every kind of tab records', async (t) => {
  const { agent, client } = await start(t);
  client.counter('counter').increment();
  client.counter('counter').record(2.5);
  client.percentile('percentile').record(3);
  t.equal(
    client.percentile('percentile').time(() => 7),
    7,
  );
  t.equal(await client.percentile('percentile').time(async () => 8), 8);
  t.throws(() =>
    client.percentile('percentile').time(() => {
      throw new Error('from the application');
    }),
  );
  client.totals('totals').record(1);
  client.gauge('gauge').set('up');
  client.gauge('expiring', { expiresSec: 60 }).set(1);
  client.buffer('buffer', { keepSec: 60 }).add('x');
  client.unique('unique').add('u1');
  client.record('named', 'PercentileCounter', 4);
  t.equal(await client.flush(), true);
  const got = [...agent.parts.entries()].map(({ tab, type, client, events }) =>
    [tab, type, client, events].join(' '),
  );
  t.strictSame(got.sort(), [
    'buffer Buffer c1 1',
    'counter CounterGroup c1 2',
    'expiring ExpiryGauge c1 1',
    'gauge Gauge c1 1',
    'named PercentileCounter c1 1',
    'percentile PercentileGroup c1 4',
    'totals TotalsCounter c1 1',
    'unique UniqueCounter c1 1',
  ]);
  t.match(client.status(), { connected: true, recorded: 12, delivered: 12, buffered: 0, bufferedBytes: 0 });
});

t.test('never throws: counts bad values, names and types, and tells of each code once', async (t) => {
  const faults: string[] = [];
  const { client } = await start(t, {
    onError: ({ code }) => {
      faults.push(code);
      throw new Error('from the handler of errors');
    },
  });
  client.counter('c').record(Number.NaN);
  client.counter('c').record('1' as unknown as number);
  client.counter('no space allowed').increment();
  client.counter('').increment();
  client.tab('t', 'NoSuchType').record(1);
  client.counter('taken').increment();
  client.gauge('taken').set('x');
  const { rejected, rejectedByCode } = client.status();
  t.equal(rejected, 6);
  t.strictSame(rejectedByCode, { bad_value: 2, bad_name: 2, unknown_type: 1, type_conflict: 1 });
  t.strictSame(faults, ['bad_value', 'bad_name', 'unknown_type', 'type_conflict']);
  t.equal(await client.flush(), true);
  t.equal(balance(client), 0);
});

t.test('the same instance gets the same flush again under its number, and counts it once', async (t) => {
  const { agent, client } = await start(t);
  agent.treatment = 'take-silently';
  client.counter('c').increment();
  await agent.until(() => agent.flushes.length === 1);
  client.counter('c').increment();
  agent.treatment = 'take';
  agent.cut();
  t.equal(await client.flush(), true);
  t.equal(agent.flushes[1]?.number, 1);
  t.strictSame(agent.flushes[1]?.payload, agent.flushes[0]?.payload);
  t.equal(agent.events('c'), 2);
  t.match(client.status(), { delivered: 2, lost: 0, buffered: 0 });
});

t.test(
  'another instance never gets an unanswered flush: its events are lost, later ones are not',
  async (t) => {
    const { agent, client } = await start(t);
    agent.treatment = 'take-silently';
    client.counter('c').increment();
    await agent.until(() => agent.flushes.length === 1);
    client.counter('c').increment();
    agent.treatment = 'take';
    agent.restart();
    t.equal(await client.flush(), false, 'not everything was taken over');
    t.match(client.status(), { delivered: 1, lost: 1, lostByReason: { agent_restarted: 1 } });
    t.equal(agent.flushes[1]?.number, 1);
    t.not(agent.flushes[1]?.session, agent.flushes[0]?.session);
    t.equal(agent.events('c'), 2, 'counted once each: sending again would have made it three');
    t.equal(balance(client), 0);
  },
);

t.test('a session that the agent forgot: what was refused once goes out under a new one', async (t) => {
  const { agent, client } = await start(t);
  client.counter('c').increment();
  t.equal(await client.flush(), true);
  agent.sessions.forget(1e12);
  t.equal(agent.sessions.size, 0);
  client.counter('c').increment();
  t.equal(await client.flush(), true);
  t.match(client.status(), { delivered: 2, lost: 0 });
  t.equal(agent.events('c'), 2);
});

t.test('an agent may ask for a pause; whoever waits for a flush does not mind it', async (t) => {
  const agent = await new TinyAgent().start();
  const clock = new FakeClock();
  const engine = new FoldingEngine({
    ...{ clientId: 'c1', url: agent.url, clock, flushIntervalMs: 10, maxBufferBytes: 1e6 },
    ...{ connectTimeoutMs: 1e6, answerTimeoutMs: 1e6 },
  });
  t.teardown(async () => {
    await engine.close(1);
    agent.stop();
  });
  const tab = engine.tab('c', 'CounterGroup');
  agent.pauseMs = 1000;
  tab.record(1);
  t.equal(await engine.flush(), true);
  tab.record(1);
  clock.advance(990);
  tab.record(1);
  t.equal(await engine.flush(), true);
  t.equal(agent.flushes.length, 2, 'nothing was sent in the pause: both went together, when somebody waited');
  tab.record(1);
  clock.advance(1000);
  tab.record(1);
  t.equal(await engine.flush(), true);
  t.equal(agent.flushes.length, 4, 'the first went out by itself when the pause was over');
  t.match(engine.status(), { delivered: 5, lost: 0 });
});

t.test('busy is tried again, refused is lost, rejected Parts are counted', async (t) => {
  const { agent, client } = await start(t);
  agent.treatment = 'busy';
  client.counter('c').increment();
  t.equal(await client.flush(), true);
  t.match(client.status(), { delivered: 1, lost: 0 });
  agent.treatment = 'refuse';
  client.counter('c').increment();
  t.equal(await client.flush(), false);
  t.match(client.status(), { delivered: 1, lostByReason: { refused: 1 } });
  agent.treatment = 'reject-all';
  client.counter('c').increment();
  client.counter('d').increment();
  await client.flush();
  t.match(client.status(), { delivered: 1, rejectedByCode: { denied: 2 } });
  t.equal(balance(client), 0);
});

t.test('an answer may name every tab of a large flush', async (t) => {
  const agent = new TinyAgent();
  agent.maxFrameBytes = 2 ** 22;
  await agent.start();
  const client = createClient({ clientId: 'c1', url: agent.url });
  agent.treatment = 'reject-all';
  const longName = 'n'.repeat(200);
  for (let tab = 0; tab < 6000; tab++) client.record(`${longName}${tab}`, 'TotalsCounter', 1);
  t.equal(await client.flush(), true);
  t.match(client.status(), { delivered: 0, rejectedByCode: { denied: 6000 } });
  t.equal(agent.flushes.length, 1);
  await client.close();
  agent.stop();
});

t.test('who waits for a flush hears that it did not go out before the client was closed', async (t) => {
  const { agent, client } = await start(t);
  agent.treatment = 'ignore';
  client.counter('c').increment();
  const flushed = client.flush();
  await client.close(1);
  t.match(client.status(), { lostByReason: { closed: 1 } });
  t.equal(await flushed, false);
});

t.test('splits what is larger than the frames of the agent', async (t) => {
  const agent = new TinyAgent();
  agent.maxFrameBytes = 2000;
  await agent.start();
  const client = createClient({ clientId: 'c1', url: agent.url });
  for (let tab = 0; tab < 300; tab++) client.counter(`tab${tab}`).increment();
  t.equal(await client.flush(), true);
  t.equal(agent.parts.pairs, 300);
  t.ok(agent.flushes.length > 3);
  t.ok(agent.flushes.every(({ payload }) => payload.length <= 2000));
  await client.close();
  agent.stop();
});

t.test('a flush that the agent takes no more is lost, and does not hold up those behind it', async (t) => {
  const { agent, client } = await start(t);
  agent.treatment = 'ignore';
  for (let tab = 0; tab < 100; tab++) client.counter(`tab${tab}`).increment();
  await agent.until(() => agent.flushes.length === 1);
  agent.treatment = 'take';
  agent.maxFrameBytes = 1000;
  client.counter('c').increment();
  agent.cut();
  t.equal(await client.flush(), false, 'not everything was taken over');
  t.match(client.status(), { delivered: 1, lostByReason: { agent_restarted: 100 } });
  t.equal(balance(client), 0);
});

t.test('memory is bounded by refusing new tabs; known ones go on counting', async (t) => {
  const agent = await new TinyAgent().start();
  const { url } = agent;
  agent.stop();
  const client = createClient({ clientId: 'c1', url, maxBufferBytes: 100_000 });
  for (let tab = 0; tab < 1000; tab++) client.record(`tab${tab}`, 'CounterGroup', 1);
  for (let event = 0; event < 1000; event++) client.record('tab0', 'CounterGroup', event);
  const { buffered, bufferedBytes, lostByReason } = client.status();
  t.ok(buffered > 1000 && buffered < 1500, `${buffered} events wait`);
  t.ok(bufferedBytes < 200_000, `${bufferedBytes} bytes`);
  t.equal(lostByReason.buffer_full, 2000 - buffered);
  t.equal(balance(client), 0);
  await client.close(1);
  t.match(client.status(), { buffered: 0, lostByReason: { closed: buffered } });
  client.counter('late').increment();
  t.match(client.status(), { lostByReason: { closed: buffered + 1 } });
  t.equal(balance(client), 0);
});

t.test('many names do not gather: quiet tabs are forgotten, held ones keep working', async (t) => {
  const { agent, client } = await start(t);
  const held = client.counter('held');
  held.increment();
  await client.flush();
  for (let round = 0; round < 70; round++) {
    for (let tab = 0; tab < 300; tab++) client.record(`r${round}.t${tab}`, 'TotalsCounter', 1);
    await client.flush();
  }
  held.increment();
  client.record('held', 'CounterGroup', 1);
  t.equal(await client.flush(), true);
  t.equal(agent.events('held'), 3);
  t.equal(client.status().rejected, 0);
  t.equal(balance(client), 0);
});

t.test('options that cannot work are told at once', async (t) => {
  t.throws(() => createClient({ clientId: 'a b' }), { code: 'bad_client' });
  t.throws(() => createClient({ clientId: 'a', url: 'localhost:8279' }), { code: 'bad_setting' });
  t.throws(() => createClient({ clientId: 'a', flushIntervalMs: 0 }), { code: 'bad_setting' });
});
