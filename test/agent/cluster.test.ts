import t from 'tap';
import { missingServers } from '../../src/agent/status.js';
import { FakeClock } from '../support/fake-clock.js';
import { bench, imbalance } from './cluster-kit.js';
import { FakeServers } from './fake-servers.js';
import { folderOf } from './spool/kit.js';
import { spoolOn } from './spool-on.js';

const a = 'ws://10.0.0.1:8300/v2';
const b = 'ws://10.0.0.2:8300/v2';
const tabs = (count: number): string[] => Array.from({ length: count }, (_, index) => `tab${index}`);

t.test('what is accepted before any server is known arrives, once', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a]);
  servers.at(a).down = true;
  const { cluster, accept } = await bench(clock, servers);
  accept('x', 'y', 'x');
  clock.advance(5000);
  t.equal(cluster.bufferedEvents, 3);
  t.equal(cluster.openBlocks, 0, 'nothing is numbered before the first hello');
  t.match(missingServers(cluster), /^a server: 10\.0\.0\.1:8300: ./);
  servers.at(a).down = false;
  clock.advance(20_000);
  t.same(Object.fromEntries(servers.counts), { 'x c': 2, 'y c': 1 });
  t.equal(cluster.bufferedEvents, 0);
  t.equal(imbalance(cluster), 0);
  t.equal(cluster.account().delivered, 3);
  t.equal(missingServers(cluster), undefined);
  cluster.stop();
});

t.test('an outage of ten minutes keeps the memory flat, and loses nothing', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a], 1000);
  let ids = 0;
  const newId = (): string => (++ids).toString(16).padStart(32, 'd');
  const spool = spoolOn(folderOf(t), clock, newId, 2 ** 20);
  const { cluster, accept } = await bench(clock, servers, { spool });
  const names = tabs(1000);
  accept(...names);
  clock.advance(1000);
  t.equal(servers.events, 1000);
  servers.at(a).down = true;
  servers.cut(a);
  let accepted = 1000;
  let pairsAfterAMinute = 0;
  let largestSpoolBytes = 0;
  for (let second = 1; second <= 600; second++) {
    // The same tabs again and again, as a host does that counts a thousand things a thousand times a second.
    accept(...names);
    accepted += 1000;
    clock.advance(1000);
    if (second === 60) pairsAfterAMinute = cluster.pairs;
    largestSpoolBytes = Math.max(largestSpoolBytes, spool.stats().bytes);
  }
  t.equal(cluster.bufferedEvents, 600_000);
  t.equal(pairsAfterAMinute, 1000);
  t.equal(cluster.pairs, 1000, 'as many pairs after ten minutes as after one');
  t.equal(cluster.openBlocks, 0, 'nobody to send to: nothing more is numbered');
  t.ok(largestSpoolBytes < 4 * 2 ** 20, `the spool is compacted: it had ${largestSpoolBytes} bytes at most`);
  servers.at(a).down = false;
  clock.advance(30_000);
  t.equal(servers.events, accepted);
  t.ok([...servers.counts.values()].every((events) => events === 601));
  t.equal(imbalance(cluster), 0);
  cluster.stop();
});

t.test(
  'a server that answers nothing any more is given up; another gets everything, in order, from the oldest on',
  async (t) => {
    const clock = new FakeClock();
    const servers = new FakeServers(clock, [a, b]);
    const { cluster, accept } = await bench(clock, servers);
    clock.advance(2000);
    servers.at(a).frozen = true;
    const names = tabs(50);
    for (let round = 0; round < 8; round++) {
      accept(...names);
      clock.advance(250);
    }
    t.ok(cluster.bufferedEvents > 0, 'some are stuck on the frozen one');
    clock.advance(15_000);
    t.equal(servers.events, 400);
    t.equal(cluster.bufferedEvents, 0);
    const seqs = new Map<string, number>();
    for (const { producer, bucket, seq } of servers.applied) {
      t.equal(seq, (seqs.get(`${producer} ${bucket}`) ?? 0) + 1);
      seqs.set(`${producer} ${bucket}`, seq);
    }
    cluster.stop();
  },
);

t.test('buckets move from a slow server to a fast one', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a, b], 40);
  const { cluster, accept } = await bench(clock, servers);
  const names = tabs(100);
  const run = (seconds: number): void => {
    for (let turn = 0; turn < seconds * 4; turn++) {
      accept(...names);
      clock.advance(250);
    }
  };
  run(5);
  const bucketsOf = (url: string): number =>
    cluster.lanes().find(({ lane }) => lane.endPoint.url === url)!.buckets;
  t.ok(Math.abs(bucketsOf(a) - bucketsOf(b)) <= 12, `equals share: ${bucketsOf(a)} and ${bucketsOf(b)}`);
  servers.at(a).latencyMs = 2000;
  run(60);
  t.ok(bucketsOf(a) <= 8, `the slow one has ${bucketsOf(a)} of 40`);
  t.ok(cluster.routes!.moves > 0);
  servers.at(a).latencyMs = 5;
  run(120);
  t.ok(bucketsOf(a) >= 12, `recovered, it has ${bucketsOf(a)} of 40 again`);
  clock.advance(10_000);
  t.equal(servers.events, 100 * 4 * 185);
  t.equal(servers.gaps, 0, 'moves never overtake what is under way');
  t.equal(servers.repeats, 0, 'and nothing is sent twice');
  cluster.stop();
});

t.test('busy and not_owner are asked again, in order', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a], 4);
  const { cluster, accept } = await bench(clock, servers);
  clock.advance(1000);
  let calls = 0;
  servers.at(a).instead = () => {
    calls++;
    if (calls % 3 === 1) return { kind: 'busy', retryAfterMs: 100 };
    if (calls % 3 === 2) return { kind: 'not_owner' };
    return undefined;
  };
  for (let round = 0; round < 20; round++) {
    accept(...tabs(10));
    clock.advance(100);
  }
  servers.at(a).instead = () => undefined;
  clock.advance(5000);
  t.equal(servers.events, 200);
  t.equal(imbalance(cluster), 0);
  cluster.stop();
});

t.test('a server that is always busy is not asked in a tight loop', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a], 1);
  const { cluster, accept } = await bench(clock, servers);
  clock.advance(1000);
  let calls = 0;
  servers.at(a).instead = () => {
    calls++;
    return { kind: 'busy', retryAfterMs: 0 };
  };
  accept('x');
  clock.advance(60_000);
  t.ok(calls > 30 && calls < 100, `${calls} calls in a minute`);
  t.match(missingServers(cluster), /^servers to take what they refuse: 1 bucket, for 60 s$/);
  servers.at(a).instead = () => undefined;
  clock.advance(2000);
  t.equal(servers.events, 1);
  t.equal(missingServers(cluster), undefined);
  cluster.stop();
});

t.test(
  'a store that lost what it had acknowledged: counted, and it goes on under a new producer id',
  async (t) => {
    const clock = new FakeClock();
    const servers = new FakeServers(clock, [a], 1);
    const { cluster, accept, log } = await bench(clock, servers);
    for (let round = 0; round < 3; round++) {
      accept('x');
      clock.advance(1000);
    }
    servers.lose();
    accept('x');
    clock.advance(5000);
    accept('x');
    clock.advance(5000);
    t.equal(cluster.bufferedEvents, 0, 'no bucket hangs');
    t.ok(log.count('events_dropped') > 0, 'said out loud');
    t.ok(cluster.account().dropped.store_lost! >= 1);
    t.equal(imbalance(cluster), 0);
    cluster.stop();
  },
);

t.test('a server with another bucket map is refused out loud, and tried again later', async (t) => {
  for (const hello of [{ bucketCount: 9 }, { hash: 'md5' as never }, { generation: 2 }, { versions: [3] }]) {
    const clock = new FakeClock();
    const servers = new FakeServers(clock, [a, b]);
    servers.at(b).latencyMs = 50;
    servers.at(b).hello = hello;
    const { cluster, accept, log } = await bench(clock, servers);
    clock.advance(1000);
    accept(...tabs(30));
    clock.advance(5000);
    t.equal(servers.events, 30, 'the other one gets everything');
    t.equal(servers.blocksOf.get(b), undefined);
    t.equal(log.count('server_refused'), 1, JSON.stringify(hello));
    t.equal(cluster.lanes().find(({ lane }) => lane.endPoint.url === b)!.lane.state, 'refused');
    servers.at(b).hello = {};
    clock.advance(30_000);
    t.ok(
      cluster.lanes().every(({ lane }) => lane.up),
      'once it fits it is used',
    );
    cluster.stop();
  }
});

t.test('Parts larger than a frame are spread over several Blocks', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a], 1);
  servers.at(a).hello = { maxFrameBytes: 4096 };
  const { cluster, accept } = await bench(clock, servers);
  accept(...tabs(500));
  clock.advance(20_000);
  t.equal(servers.events, 500);
  t.ok(servers.applied.length > 3);
  t.ok(servers.applied.every(({ payload }) => payload.length < 4096));
  cluster.stop();
});

t.test('Blocks older than allowed are dropped by reason, and the bucket goes on', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a], 1);
  const { cluster, accept } = await bench(clock, servers, { maxBlockAgeMs: 60_000 });
  clock.advance(1000);
  servers.at(a).frozen = true;
  accept('x');
  clock.advance(100_000);
  t.same(cluster.account().dropped, { too_old: 1 });
  servers.at(a).frozen = false;
  accept('x');
  clock.advance(30_000);
  t.equal(servers.events, 1);
  t.equal(imbalance(cluster), 0);
  cluster.stop();
});

t.test('drain hands over what is held, or says how much is left', async (t) => {
  const clock = new FakeClock();
  const servers = new FakeServers(clock, [a]);
  const { cluster, accept } = await bench(clock, servers);
  clock.advance(1000);
  accept('x', 'y');
  const drained = cluster.drain(10_000);
  clock.advance(1000);
  t.equal(await drained, 0);
  t.equal(servers.events, 2);
  servers.at(a).frozen = true;
  accept('x');
  const left = cluster.drain(3000);
  clock.advance(3000);
  t.equal(await left, 1);
  cluster.stop();
  t.same(cluster.account().dropped, { shut_down: 1 });
  t.equal(clock.timers, 0, 'nothing is left behind');
});

t.test('an address that another name takes over is connected to anew, under that name', async (t) => {
  const clock = new FakeClock();
  const [byA, byB] = ['ws://a:8300/v2', 'ws://b:8300/v2'];
  const servers = new FakeServers(clock, [byA, byB]);
  const names = new Map([
    ['a', ['10.0.0.1']],
    ['b', ['10.0.0.1']],
  ]);
  const { cluster, accept } = await bench(clock, servers, { resolve: async (host) => names.get(host) ?? [] });
  accept('x');
  clock.advance(1000);
  t.same([...servers.blocksOf], [[byA, 1]]);
  names.set('a', ['10.0.0.2']);
  clock.advance(30_000);
  await new Promise(setImmediate);
  servers.at(byA).down = true;
  servers.cut(byA);
  accept('x');
  clock.advance(1000);
  t.same(Object.fromEntries(servers.counts), { 'x c': 2 });
  t.equal(servers.blocksOf.get(byB), 1);
  cluster.stop();
});

t.test('an agent flushes just after its clients, by the clock', async (t) => {
  const clock = new FakeClock();
  // Started at any moment of an interval.
  clock.advance(190);
  const servers = new FakeServers(clock, [a]);
  const { cluster, accept } = await bench(clock, servers);
  const sentAt: number[] = [];
  for (let ms = 191; ms <= 1600; ms++) {
    const before = servers.blocksOf.get(a) ?? 0;
    accept('x');
    clock.advance(1);
    if ((servers.blocksOf.get(a) ?? 0) > before) sentAt.push(ms);
  }
  t.ok(sentAt.length >= 5, `${sentAt}`);
  // What the way to the server takes is behind it.
  t.same(
    sentAt.map((ms) => Math.floor((ms % 250) / 10)),
    sentAt.map(() => 8),
    `${sentAt}`,
  );
  cluster.stop();
});
