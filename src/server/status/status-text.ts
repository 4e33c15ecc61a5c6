import { type Counts, totalOf } from '../../intake/counts.js';
import { renderSamples } from '../../intake/samples.js';
import { renderStatsd } from '../../intake/statsd/statsd-door.js';
import type { Books, OwnerAccount } from './account.js';
import type { ServerRow } from './cluster-status.js';
import { columns, named } from './columns.js';
import type { ServerStatus } from './status.js';

type Line = readonly [name: string, value: string];

/** `/status` for people: the cluster, a line for each server, this server. */
export function statusText(status: ServerStatus): string {
  const { servers, statsd, malformed } = status;
  const parts = [clusterText(status), serversText(servers), nodeText(status)];
  if (statsd !== null) parts.push(`${renderStatsd(statsd).join('\n')}\n`);
  if (malformed.length > 0) parts.push(`${renderSamples(malformed).join('\n')}\n`);
  return parts.join('\n');
}

function clusterText({ cluster, latency, total_tasks, max_age }: ServerStatus): string {
  const { served, of } = cluster.buckets;
  return named([
    [
      'cluster',
      `${cluster.servers} server${cluster.servers === 1 ? '' : 's'}, ${served} of ${of} buckets served`,
    ],
    ['tabs', String(cluster.tabs)],
    ['load', `${cluster.load.toFixed(1)} events/s`],
    ['tasks', `${total_tasks}, oldest ${seconds(max_age)}`],
    ['journal', `${cluster.journal_entries} entries`],
    [
      'latency',
      `${seconds(latency.enqueue_avg)} to the owner, ${seconds(latency.processed_avg)} to applied, up to ${seconds(latency.cluster_aggregate)}`,
    ],
    ...booksLines(cluster.books),
    ...ownersLines(cluster.owners),
  ]);
}

function serversText(servers: Readonly<Record<string, ServerRow>>): string {
  const header = ['server', 'roles', 'version', 'up', 'buckets', 'weight', 'load/s', 'tasks', 'oldest'];
  const rows = Object.entries(servers).map(([address, row]) => [
    ...[address, row.leaving ? `${row.roles.join(',')} (leaving)` : row.roles.join(','), row.version],
    duration(row.uptime_sec),
    row.buckets_moving === 0 ? row.buckets : `${row.buckets} (${row.buckets_moving} moving)`,
    ...[row.weight, row.load.toFixed(1), row.tasks, seconds(row.age)],
    ...[row.journal_entries, mebibytes(row.memory_bytes), row.waiting_for ?? ''],
  ]);
  return columns([...header, 'journal', 'memory', 'waiting for'], rows);
}

function nodeText(status: ServerStatus): string {
  const { store, checkpoint, memory } = status;
  const states = Object.entries(status.buckets).filter(([, count]) => count > 0);
  const bound = status.max_states_in_memory === null ? '' : ` of at most ${status.max_states_in_memory}`;
  return named([
    ['this server', status.address],
    ['version', status.version],
    ['roles', status.roles.join(', ')],
    ['up', duration(status.uptime_sec)],
    ['accepting', status.accepting ? 'yes' : 'no'],
    ['waiting for', status.waiting_for ?? 'nothing'],
    ['buckets', states.map(([state, count]) => `${count} ${state}`).join(', ') || 'none'],
    ['tabs, clients', `${status.tabs}, ${status.clients}`],
    ['states in memory', `${status.states_in_memory}${bound}`],
    ...booksLines(status.books),
    ...ownersLines(status.owners),
    ['store', `${store.engine}: ${store.durability}`],
    ['  journal', `${store.journal_entries} entries, ${store.journal_bytes} bytes`],
    ['  pages', String(store.pages)],
    ['  on disk', `${store.bytes_on_disk} bytes`],
    ['  damage', store.damage.length === 0 ? 'none' : `${store.damage.length}:`],
    ...store.damage.map((line): Line => ['', line]),
    [
      'checkpoint',
      checkpoint.rounds === 0
        ? 'none yet'
        : `${seconds(checkpoint.age_sec)} ago, took ${seconds(checkpoint.took_sec)}; ${status.dirty_buckets} buckets have more since`,
    ],
    ['connections', `${status.connections}, of agents and SDKs ${status.agents}`],
    ['memory', mebibytes(memory.rss_bytes)],
  ]);
}

function booksLines(books: Books): Line[] {
  return [
    ['events received', String(books.received)],
    ['  buffered', String(books.buffered)],
    ['  applied', String(books.applied)],
    ['  rejected', countsText(books.rejected)],
    ['  dropped', countsText(books.dropped)],
    ['  balance', balanceText(books.balance)],
  ];
}

function ownersLines({ applied, pending, returned, replayed, kept_aside, balance }: OwnerAccount): Line[] {
  return [
    ['owners applied', `${applied}, pending ${pending}, sent back ${returned}, replayed ${replayed}`],
    ['  kept aside', String(kept_aside)],
    ['  balance', balanceText(balance)],
  ];
}

function balanceText(balance: number): string {
  return balance === 0 ? '0' : `${balance}: the books do not balance, this is a defect`;
}

function countsText(counts: Counts): string {
  const all = Object.entries(counts);
  if (all.length === 0) return '0';
  return `${totalOf(counts)} (${all.map(([reason, events]) => `${reason} ${events}`).join(', ')})`;
}

function seconds(sec: number): string {
  return `${sec.toFixed(3)} s`;
}

/** `45 s`, `12 min`, `5 h`, `3 d`: as exact as anybody wants to know. */
function duration(sec: number): string {
  if (sec < 120) return `${Math.round(sec)} s`;
  if (sec < 7_200) return `${Math.round(sec / 60)} min`;
  return sec < 172_800 ? `${Math.round(sec / 3_600)} h` : `${Math.round(sec / 86_400)} d`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
