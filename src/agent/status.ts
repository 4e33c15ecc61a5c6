import { type Counts, totalOf } from '../intake/counts.js';
import { renderSamples, type Sample } from '../intake/samples.js';
import { renderStatsd, type StatsdStatus } from '../intake/statsd/statsd-door.js';
import type { ClusterAccount } from './account.js';
import type { Cluster } from './cluster.js';
import type { SpoolStats } from './spool/spool.js';

/** Every event that the agent received is in exactly one of the others. */
export interface BooksStatus {
  readonly received: number;
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: Counts;
  readonly dropped: Counts;
  /** received - all others: 0, or there is a defect. */
  readonly balance: number;
}

export interface EndPointStatus {
  readonly server: string;
  readonly address: string;
  readonly state: string;
  readonly buckets: number;
  readonly in_flight_blocks: number;
  readonly in_flight_bytes: number;
  readonly acked_blocks: number;
  readonly latency_ms: number | null;
  readonly reconnects: number;
  readonly last_error: string | null;
}

export interface ClusterStatus {
  readonly books: BooksStatus;
  readonly servers: readonly EndPointStatus[];
  readonly bucket_count: number | null;
  readonly bucket_moves: number;
  readonly producer: string | null;
  readonly open_blocks: number;
  readonly buffered_pairs: number;
  readonly name_error: string | null;
  readonly spool: SpoolStatus | null;
}

export interface SpoolStatus {
  readonly bytes: number;
  readonly records: number;
  readonly compactions: number;
  readonly fsync: boolean;
  readonly waiting_for: string | null;
  readonly damage: readonly string[];
}

export interface AgentStatus extends ClusterStatus {
  readonly role: 'agent';
  readonly version: string;
  readonly instance: string;
  readonly client_id: string;
  readonly uptime_sec: number;
  /** Blocks that wait for their acknowledgement. */
  readonly total_tasks: number;
  readonly accepting: boolean;
  /** What there is no room in, or else why nothing comes in or is handed over; null when all is well. */
  readonly waiting_for: string | null;
  readonly requests: number;
  readonly refused_bodies: number;
  readonly clamped_timestamps: number;
  readonly connections: number;
  readonly sessions: number;
  /** What the names take up that stand behind numbers on connections; 64 MiB at most. */
  readonly definition_bytes: number;
  readonly known_tabs: number;
  readonly known_clients: number;
  readonly mirror: ClusterStatus | null;
  readonly statsd: StatsdStatus | null;
  readonly malformed: readonly Sample[];
}

/** @param received counted where events come in, independently of the account */
export function booksOf(received: number, rejectedBefore: Counts, account: ClusterAccount): BooksStatus {
  const rejected: Record<string, number> = { ...rejectedBefore };
  for (const [code, events] of Object.entries(account.rejected))
    rejected[code] = (rejected[code] ?? 0) + events;
  const { buffered, delivered, dropped } = account;
  const balance = received - buffered - delivered - totalOf(rejected) - totalOf(dropped);
  return { received, buffered, delivered, rejected, dropped, balance };
}

export function clusterStatus(
  cluster: Cluster,
  books: BooksStatus,
  spool: SpoolStats | undefined,
): ClusterStatus {
  return {
    books,
    servers: cluster.lanes().map(({ lane, buckets }) => {
      const latencyMs = lane.latencyMs();
      return {
        server: lane.id,
        address: lane.endPoint.id,
        state: lane.state,
        buckets,
        in_flight_blocks: lane.inFlightBlocks,
        in_flight_bytes: lane.inFlightBytes,
        acked_blocks: lane.ackedBlocks,
        latency_ms: latencyMs === undefined ? null : Math.round(latencyMs * 100) / 100,
        reconnects: lane.reconnects,
        last_error: lane.lastError ?? null,
      };
    }),
    bucket_count: cluster.bucketCount ?? null,
    bucket_moves: cluster.routes?.moves ?? 0,
    producer: cluster.producerId ?? null,
    open_blocks: cluster.openBlocks,
    buffered_pairs: cluster.pairs,
    name_error: cluster.endPointError ?? null,
    spool:
      spool === undefined
        ? null
        : {
            bytes: spool.bytes,
            records: spool.records,
            compactions: spool.compactions,
            fsync: spool.fsync,
            waiting_for: spool.waitingFor ?? null,
            damage: spool.damage,
          },
  };
}

/** A server that is restarted, or hands its buckets over, is no news. */
const newsAfterMs = 2000;

/** Why nothing is handed over, or some of it; undefined when all is well. */
export function missingServers(cluster: Cluster): string | undefined {
  const lanes = cluster.lanes().map(({ lane }) => lane);
  if (lanes.some(({ up }) => up)) {
    const { buckets, longestMs } = cluster.routes?.heldUp ?? { buckets: 0, longestMs: 0 };
    if (longestMs < newsAfterMs) return undefined;
    const what = buckets === 1 ? '1 bucket' : `${buckets} buckets`;
    return `servers to take what they refuse: ${what}, for ${Math.round(longestMs / 1000)} s`;
  }
  const [lane] = lanes;
  if (lane === undefined) return `a server: ${cluster.endPointError ?? 'no address is known yet'}`;
  return `a server: ${lane.id}: ${lane.lastError ?? 'not connected yet'}`;
}

/** For people. */
export function renderStatus(status: AgentStatus): string {
  const lines = [
    `taba agent ${status.version}, up ${Math.round(status.uptime_sec)} s, client ${status.client_id}`,
    [
      status.accepting ? 'accepting events' : 'not accepting events',
      ...(status.waiting_for === null ? [] : [`waiting for ${status.waiting_for}`]),
    ].join(', '),
    `${status.requests} requests, ${status.refused_bodies} refused for want of room, ${status.connections} connections, ` +
      `${status.sessions} sessions, ${status.known_tabs} tabs, ${status.known_clients} clients`,
    '',
    ...renderCluster(status),
  ];
  if (status.statsd !== null) lines.push('', ...renderStatsd(status.statsd));
  if (status.mirror !== null) lines.push('', 'mirror', ...renderCluster(status.mirror));
  if (status.malformed.length > 0) lines.push('', ...renderSamples(status.malformed));
  return `${lines.join('\n')}\n`;
}

function renderCluster(status: ClusterStatus): string[] {
  const { books, spool } = status;
  const lines = [
    ...table([
      ['received', 'buffered', 'delivered', 'rejected', 'dropped', 'balance'],
      [
        books.received,
        books.buffered,
        books.delivered,
        totalOf(books.rejected),
        totalOf(books.dropped),
        books.balance,
      ],
    ]),
  ];
  for (const [title, counts] of [
    ['rejected', books.rejected],
    ['dropped', books.dropped],
  ] as const) {
    for (const [reason, events] of Object.entries(counts)) lines.push(`  ${title} as ${reason}: ${events}`);
  }
  lines.push(
    '',
    ...table([
      ['server', 'state', 'buckets', 'in flight', 'bytes', 'acked', 'latency ms', 'reconnects', 'last error'],
      ...status.servers.map((row) => [
        row.server,
        row.state,
        row.buckets,
        row.in_flight_blocks,
        row.in_flight_bytes,
        row.acked_blocks,
        row.latency_ms ?? '-',
        row.reconnects,
        row.last_error ?? '-',
      ]),
    ]),
  );
  if (status.name_error !== null) lines.push(`names: ${status.name_error}`);
  lines.push(
    `${status.bucket_count ?? 'unknown number of'} buckets, ${status.bucket_moves} moved, ${status.open_blocks} open Blocks, ` +
      `${status.buffered_pairs} (tab, client) pairs wait`,
  );
  if (spool !== null) {
    const waiting = spool.waiting_for === null ? '' : `, waiting for: ${spool.waiting_for}`;
    lines.push(
      `spool ${spool.bytes} bytes, ${spool.records} records${spool.fsync ? ', fsync' : ''}${waiting}`,
    );
    for (const text of spool.damage) lines.push(`  damaged: ${text}`);
  }
  return lines;
}

/** Columns of equal width, all but the first to the right. */
function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? String(cell).padEnd(widths[column]!) : String(cell).padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
