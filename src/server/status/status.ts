import { addCounts, type Counts, totalOf } from '../../intake/counts.js';
import type { Store } from '../../storage/store.js';
import type { LatencyReport } from '../cluster/latency.js';
import type { OwnProducer } from '../receive/own-producer.js';
import type { RawDoor } from '../receive/raw-door.js';
import type { Router } from '../receive/router.js';
import type { Owners } from '../reduce/owners.js';

/** Every event that this node received is in exactly one of the others. */
export interface BooksStatus {
  readonly received: number;
  readonly buffered: number;
  readonly applied: number;
  readonly rejected: Counts;
  readonly dropped: Counts;
  /** received - all others: 0, or there is a defect. */
  readonly balance: number;
}

/** What the owners of this process did, counted by themselves. */
export interface OwnersStatus {
  readonly received: number;
  readonly pending: number;
  readonly applied: number;
  readonly rejected: Counts;
  /** Sent back because their bucket was lost; the journal knows whether they were counted. */
  readonly returned: number;
  /** Applied again from the journal after an acquisition. */
  readonly replayed: number;
  readonly kept_aside: number;
  readonly balance: number;
}

export interface ServerRow {
  readonly roles: readonly string[];
  /** Blocks that wait, from agents and of this server's own. */
  readonly queues: number;
  readonly tasks: number;
  /** How long the oldest of them has been waiting, s. */
  readonly age: number;
  /** Decayed rate of events applied, per second. */
  readonly load: number;
  readonly weight: number;
}

export interface ServerStatus {
  readonly role: 'server';
  readonly version: string;
  readonly roles: readonly string[];
  readonly uptime_sec: number;
  readonly total_tasks: number;
  readonly max_age: number;
  readonly servers: Readonly<Record<string, ServerRow>>;
  readonly books: BooksStatus;
  readonly owners: OwnersStatus;
  readonly buckets: Readonly<Record<string, number>>;
  readonly tabs: number;
  readonly clients: number;
  readonly states_in_memory: number;
  readonly dirty_buckets: number;
  readonly clamped_timestamps: number;
  readonly accepting: boolean;
  /** What holds this node up; null when nothing does. */
  readonly waiting_for: string | null;
  readonly connections: number;
  readonly agents: number;
  readonly sessions: number;
  readonly latency: LatencyReport;
  readonly store: {
    readonly engine: string;
    readonly durability: string;
    readonly damage: readonly string[];
    readonly journal_entries: number;
    readonly journal_bytes: number;
    readonly pages: number;
    readonly bytes_on_disk: number;
    readonly commits: number;
    readonly waiting_for: string | null;
  };
  readonly memory: { readonly rss_bytes: number; readonly heap_bytes: number };
}

/** The books of the whole node: its door and its own producer, and Blocks from elsewhere. */
export function booksOf(
  door: RawDoor,
  producer: OwnProducer,
  router: Router,
  ownEvents: number,
): BooksStatus {
  const own = producer.account;
  const blocks = router.books;
  const { keyed } = door;
  const received = door.received + ownEvents + blocks.received;
  const buffered = own.unnumbered + own.open + blocks.pending + keyed.waiting;
  const applied = own.delivered + blocks.applied + keyed.applied;
  const rejected = addCounts(door.rejected, own.rejected, blocks.rejected);
  const dropped = addCounts(own.dropped, keyed.unknown === 0 ? {} : { unacknowledged: keyed.unknown });
  const balance = received - buffered - applied - totalOf(rejected) - totalOf(dropped);
  return { received, buffered, applied, rejected, dropped, balance };
}

export function ownersStatus({ books }: Owners): OwnersStatus {
  const { received, pending, applied, returned, replayed, keptAside, balance } = books;
  const rejected = Object.fromEntries(books.rejected);
  return { received, pending, applied, rejected, returned, replayed, kept_aside: keptAside, balance };
}

export function storeStatus(
  { engine, opened, stats }: Store,
  current: ReturnType<typeof stats>,
): ServerStatus['store'] {
  return {
    engine,
    durability: opened.durability,
    damage: opened.damage,
    journal_entries: current.journalEntries,
    journal_bytes: current.journalBytes,
    pages: current.pages,
    bytes_on_disk: current.bytesOnDisk,
    commits: current.commits,
    waiting_for: current.waitingFor ?? null,
  };
}

/** For people. */
export function statusText(status: ServerStatus): string {
  const { books, owners, store, latency } = status;
  const rows: [string, string][] = [
    ['version', status.version],
    ['roles', status.roles.join(', ')],
    ['up', `${status.uptime_sec} s`],
    ['accepting', status.accepting ? 'yes' : 'no'],
    ['waiting for', status.waiting_for ?? 'nothing'],
    ['tabs, clients', `${status.tabs}, ${status.clients}`],
    [
      'buckets',
      Object.entries(status.buckets)
        .filter(([, count]) => count > 0)
        .map(([state, count]) => `${count} ${state}`)
        .join(', ') || 'none',
    ],
    ['tasks', `${status.total_tasks}, oldest ${status.max_age.toFixed(3)} s`],
    [
      'latency',
      `${latency.enqueue_avg.toFixed(3)} s to here, ${latency.processed_avg.toFixed(3)} s to applied`,
    ],
    ['events received', String(books.received)],
    ['  buffered', String(books.buffered)],
    ['  applied', String(books.applied)],
    ['  rejected', countsText(books.rejected)],
    ['  dropped', countsText(books.dropped)],
    ['  balance', balanceText(books.balance)],
    [
      'owners applied',
      `${owners.applied}, pending ${owners.pending}, sent back ${owners.returned}, replayed ${owners.replayed}`,
    ],
    ['  kept aside', String(owners.kept_aside)],
    ['  balance', balanceText(owners.balance)],
    ['store', `${store.engine}: ${store.durability}`],
    ['  journal', `${store.journal_entries} entries, ${store.journal_bytes} bytes`],
    ['  pages', String(store.pages)],
    ['  on disk', `${store.bytes_on_disk} bytes`],
    ['  damage', store.damage.length === 0 ? 'none' : `${store.damage.length}:`],
    ...store.damage.map((line): [string, string] => ['', line]),
    ['connections', `${status.connections}, of agents and SDKs ${status.agents}`],
    ['memory', `${Math.round(status.memory.rss_bytes / 2 ** 20)} MiB`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const servers = Object.entries(status.servers).map(
    ([server, row]) =>
      `${server}  ${row.roles.join(',')}  tasks ${row.tasks}  age ${row.age.toFixed(3)} s  load ${row.load.toFixed(1)}/s  weight ${row.weight}\n`,
  );
  return `${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')}\n${servers.join('')}`;
}

function balanceText(balance: number): string {
  return balance === 0 ? '0' : `${balance}: the books do not balance, this is a defect`;
}

function countsText(counts: Counts): string {
  const all = Object.entries(counts);
  if (all.length === 0) return '0';
  return `${totalOf(counts)} (${all.map(([reason, events]) => `${reason} ${events}`).join(', ')})`;
}
