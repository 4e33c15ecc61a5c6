import t from 'tap';
import type { MemberId } from '../../../src/core/ids.js';
import { ClusterStatus } from '../../../src/server/status/cluster-status.js';
import type { MemberReport } from '../../../src/server/status/report.js';
import type { Member } from '../../../src/storage/coordination.js';
import { memberOf, reportOf } from './status-kit.js';

const self = 'me' as MemberId;

function clusterOf(members: readonly Member[], own: MemberReport = reportOf()): ClusterStatus {
  const { enqueueSec, processedSec, load } = own;
  return new ClusterStatus({ self, members: () => members }, 1000, {
    report: () => own,
    lateness: () => ({ enqueueSec, processedSec, load }),
  });
}

/** What the heartbeat said of oneself is older than what one knows. */
const me = memberOf('me', 'a:8301', reportOf(9));
const other = memberOf(
  'other',
  'a:8300',
  { ...reportOf(2), waitingFor: 'the store: slow' },
  { leaving: true },
);

t.test('a row for each server, by address: its own figures as they are now', async (t) => {
  const rows = clusterOf([me, other]).servers();
  t.same(Object.keys(rows), ['a:8300', 'a:8301']);
  t.strictSame(rows['a:8300'], {
    roles: ['fe', 'be'],
    version: '1.2.3',
    weight: 1,
    leaving: true,
    uptime_sec: 21,
    buckets: 200,
    buckets_moving: 3,
    load: 2000,
    queues: 1,
    tasks: 6,
    age: 0.5,
    journal_entries: 40,
    tabs: 20,
    states_in_memory: 120,
    memory_bytes: 2 ** 28,
    latency: 0.4,
    waiting_for: 'the store: slow',
  });
  t.match(rows['a:8301'], { uptime_sec: 10.5, buckets: 100, waiting_for: null, leaving: false });
  t.same(clusterOf([me, other]).roles(), { 'a:8300': ['fe', 'be'], 'a:8301': ['fe', 'be'] });
});

t.test('the books of the cluster are the sum of its servers’, and balance', async (t) => {
  const figures = clusterOf([me, other]).figures();
  t.strictSame(figures.books, {
    received: 300,
    buffered: 30,
    applied: 240,
    rejected: { bad_value: 18 },
    dropped: { flushed: 12 },
    balance: 0,
  });
  t.match(figures.owners, { received: 600, applied: 510, rejected: { type_conflict: 21 }, balance: 0 });
  t.match(figures, {
    servers: 2,
    buckets: { served: 300, of: 1000 },
    tabs: 30,
    journal_entries: 60,
    load: 3000,
  });
});

t.test('an imbalance anywhere shows', async (t) => {
  const { books } = reportOf();
  const odd = memberOf('other', 'a:8300', { ...reportOf(), books: { ...books, applied: books.applied - 1 } });
  t.equal(clusterOf([me, odd]).figures().books.balance, 1);
});

t.test('the latency is that of the latest server, oneself included', async (t) => {
  for (const [cluster, due] of [
    [clusterOf([me, other]), 0.4],
    [clusterOf([me, other], reportOf(5)), 1],
  ] as const) {
    t.equal(cluster.latency().cluster_aggregate, due);
    t.equal(cluster.latenessSec(), due);
  }
});

t.test('a server whose report cannot be read is there, and says why it has no figures', async (t) => {
  const strange = memberOf('other', 'a:8300', Uint8Array.of(1, 2, 3), { version: '9.0.0' });
  const cluster = clusterOf([me, strange]);
  t.match(cluster.servers()['a:8300'], {
    buckets: 0,
    waiting_for: /cannot be read: it is of release 9\.0\.0/,
  });
  t.match(cluster.figures(), { servers: 2, buckets: { served: 100 } });
});
