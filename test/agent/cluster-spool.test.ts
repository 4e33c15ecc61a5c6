import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { FakeClock } from '../support/fake-clock.js';
import { bench, imbalance } from './cluster-kit.js';
import { FakeServers } from './fake-servers.js';
import { folderOf } from './spool/kit.js';
import { spoolOn } from './spool-on.js';

const a = 'ws://10.0.0.1:8300/v2';
const b = 'ws://10.0.0.2:8300/v2';

t.test('whatever happens, every event is counted once', async (t) => {
  type Step =
    | 'accept'
    | 'wait'
    | 'cut'
    | 'freeze'
    | 'thaw'
    | 'busy'
    | 'losing'
    | 'well'
    | 'down'
    | 'up'
    | 'slow'
    | 'kill';
  const step = fc.record({
    what: fc.constantFrom<Step>(
      'accept',
      'accept',
      'accept',
      'wait',
      'cut',
      'freeze',
      'thaw',
      'busy',
      'losing',
      'well',
      'down',
      'up',
      'slow',
      'kill',
    ),
    at: fc.constantFrom(a, b),
    ms: fc.integer({ min: 0, max: 4000 }),
    tab: fc.integer({ min: 0, max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock();
      const servers = new FakeServers(clock, [a, b], 4);
      const folder = folderOf(t);
      const expected = new Map<string, number>();
      let ids = 0;
      const newId = (): string => (++ids).toString(16).padStart(32, 'b');
      let run = await bench(clock, servers, {
        spool: spoolOn(folder, clock, newId),
        newId,
        answerTimeoutMs: 2000,
      });
      for (const { what, at, ms, tab } of steps) {
        const behaviour = servers.at(at);
        if (what === 'accept') {
          const names = [`tab${tab}`, `tab${tab + 1}`];
          run.accept(...names);
          for (const name of names) expected.set(`${name} c`, (expected.get(`${name} c`) ?? 0) + 1);
        } else if (what === 'cut') servers.cut(at);
        else if (what === 'freeze') behaviour.frozen = true;
        else if (what === 'thaw') behaviour.frozen = false;
        else if (what === 'busy')
          behaviour.instead = ({ seq }) => (seq % 2 === 0 ? { kind: 'busy', retryAfterMs: 50 } : undefined);
        else if (what === 'losing') behaviour.losesAnswer = ({ seq }) => seq % 2 === 1;
        else if (what === 'slow') behaviour.latencyMs = ms;
        else if (what === 'down') {
          behaviour.down = true;
          servers.cut(at);
        } else if (what === 'up') behaviour.down = false;
        else if (what === 'well') {
          behaviour.instead = () => undefined;
          behaviour.losesAnswer = () => false;
        } else if (what === 'kill') {
          run.cluster.stop();
          run = await bench(clock, servers, {
            spool: spoolOn(folder, clock, newId),
            newId,
            answerTimeoutMs: 2000,
          });
        }
        clock.advance(ms);
        if (imbalance(run.cluster) !== 0) throw new Error(`books: ${JSON.stringify(run.cluster.account())}`);
      }
      for (const behaviour of servers.behaviour.values()) {
        behaviour.frozen = false;
        behaviour.down = false;
        behaviour.latencyMs = 5;
        behaviour.instead = () => undefined;
        behaviour.losesAnswer = () => false;
      }
      clock.advance(60_000);
      run.cluster.stop();
      t.equal(run.cluster.bufferedEvents, 0);
      t.same(servers.faults, []);
      t.same(new Map([...servers.counts].sort()), new Map([...expected].sort()));
    }),
    { numRuns: 150 },
  );
});

t.test('a spool with numbered Blocks does not go to a cluster with another bucket count', async (t) => {
  const clock = new FakeClock();
  const folder = folderOf(t);
  let ids = 0;
  const newId = (): string => (++ids).toString(16).padStart(32, 'c');
  const servers = new FakeServers(clock, [a], 8);
  const first = await bench(clock, servers, { spool: spoolOn(folder, clock, newId) });
  clock.advance(1000);
  servers.at(a).frozen = true;
  first.accept('x');
  clock.advance(1000);
  t.equal(first.cluster.openBlocks, 1);
  first.cluster.stop();

  const others = new FakeServers(clock, [a], 16);
  const second = await bench(clock, others, {
    spool: spoolOn(folder, clock, newId),
  });
  clock.advance(5000);
  t.equal(others.events, 0);
  t.equal(second.log.count('server_refused'), 1);
  t.match(
    second.cluster.lanes()[0]!.lane.lastError,
    /has 16 buckets; the spool holds 1 numbered Blocks of 8/,
  );
  t.equal(second.cluster.bufferedEvents, 1, 'kept');
  second.cluster.stop();
});

t.test('damage in a spool is reported once, put aside, and counted', async (t) => {
  const clock = new FakeClock();
  const folder = folderOf(t);
  let ids = 0;
  const newId = (): string => (++ids).toString(16).padStart(32, 'c');
  const servers = new FakeServers(clock, [a]);
  servers.at(a).down = true;
  const first = await bench(clock, servers, { spool: spoolOn(folder, clock, newId) });
  first.accept('x');
  first.accept('y', 'z');
  first.accept('x');
  first.cluster.stop();
  const path = join(folder, 'spool.log');
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('y')]! ^= 1;
  writeFileSync(path, bytes);
  const second = await bench(clock, servers, { spool: spoolOn(folder, clock, newId) });
  t.match(second.cluster.account(), { received: 4, buffered: 2, dropped: { spool_damaged: 2 } });
  second.cluster.stop();
  t.same(readFileSync(`${path}.damaged`), bytes);
  const third = await bench(clock, servers, { spool: spoolOn(folder, clock, newId) });
  t.match(third.cluster.account(), { received: 2, buffered: 2, dropped: {} });
  third.cluster.stop();
});
