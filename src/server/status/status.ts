import type { Sample, Samples } from '../../intake/samples.js';
import type { StatsdDoor, StatsdStatus } from '../../intake/statsd/statsd-door.js';
import type { Clock } from '../../runtime/clock.js';
import type { Store } from '../../storage/store.js';
import type { Latency, LatencyReport, Lateness } from '../cluster/latency.js';
import type { Flushes } from '../receive/flushes.js';
import type { Links } from '../receive/links.js';
import type { OwnProducer } from '../receive/own-producer.js';
import type { RawDoor } from '../receive/raw-door.js';
import type { Router } from '../receive/router.js';
import type { Owners } from '../reduce/owners.js';
import { type Books, booksOf, type OwnerAccount, ownerAccountOf } from './account.js';
import type { ClusterFigures, ClusterStatus, OwnReport, ServerRow } from './cluster-status.js';
import type { DecayedRate } from './load.js';
import type { MemberReport } from './report.js';

/** `/status`: the cluster as this server knows it, then this server. Seconds, bytes. */
export interface ServerStatus {
  readonly role: 'server';
  /** Of all servers. */
  readonly total_tasks: number;
  readonly max_age: number;
  readonly servers: Readonly<Record<string, ServerRow>>;
  readonly cluster: ClusterFigures;
  readonly latency: LatencyReport;
  /** From here on, of this server. */
  readonly address: string;
  readonly version: string;
  readonly roles: readonly string[];
  readonly uptime_sec: number;
  readonly books: Books;
  readonly owners: OwnerAccount;
  /** By state. */
  readonly buckets: Readonly<Record<string, number>>;
  readonly tabs: number;
  readonly clients: number;
  readonly producers: number;
  readonly states_in_memory: number;
  /** null: no bound. */
  readonly max_states_in_memory: number | null;
  readonly dirty_buckets: number;
  readonly clamped_timestamps: number;
  /** null where it is not taken. */
  readonly statsd: StatsdStatus | null;
  /** What StatsD brought and was not taken, the last few. */
  readonly malformed: readonly Sample[];
  readonly checkpoint: { readonly rounds: number; readonly took_sec: number; readonly age_sec: number };
  readonly accepting: boolean;
  /** What holds this node up; null when nothing does. */
  readonly waiting_for: string | null;
  readonly connections: number;
  readonly agents: number;
  readonly sessions: number;
  /** What the names take up that stand behind numbers on connections; 64 MiB at most. */
  readonly definition_bytes: number;
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

export interface NodeStatusOptions {
  readonly store: Store;
  readonly owners: Owners;
  readonly door: RawDoor;
  readonly producer: OwnProducer;
  readonly router: Router;
  readonly flushes: Flushes;
  readonly links: Links;
  readonly latency: Latency;
  readonly load: DecayedRate;
  readonly clock: Clock;
  readonly version: string;
  readonly roles: readonly string[];
  /** host:port under which others reach this server. */
  address(): string;
  /** Events that the node recorded about itself. */
  ownEvents(): number;
  readonly statsd: StatsdDoor | undefined;
  readonly samples: Samples;
  accepting(): boolean;
  waitingFor(): string | undefined;
  connections(): number;
}

/** What a server knows about itself. */
export class NodeStatus implements OwnReport {
  readonly #options: NodeStatusOptions;
  readonly #startedAtMs: number;

  constructor(options: NodeStatusOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
  }

  lateness(): Lateness {
    const { latency, load } = this.#options;
    return { ...latency.measure(), load: load.perSec };
  }

  /** What goes to the others with every heartbeat. */
  report(): MemberReport {
    const { owners, producer, router, clock, waitingFor } = this.#options;
    const stats = owners.stats();
    const { buckets, tabs, clients, statesInMemory, producers, journalEntries, checkpoint } = stats;
    return {
      ...this.lateness(),
      ...{ buckets, tabs, clients, statesInMemory, producers, journalEntries, checkpoint },
      uptimeSec: Math.round((clock.monotonicMs() - this.#startedAtMs) / 100) / 10,
      // Blocks that came from here wait at an owner elsewhere, or at one of our own.
      pendingBlocks: Math.max(stats.pendingBlocks, router.pendingBlocks + producer.openBlocks),
      oldestPendingSec: Math.max(stats.oldestPendingMs, router.oldestPendingMs, producer.oldestOpenMs) / 1000,
      memoryBytes: process.memoryUsage.rss(),
      waitingFor: waitingFor(),
      books: this.#books(),
      owners: ownerAccountOf(owners.books),
    };
  }

  #books(): Books {
    const { ownEvents, statsd } = this.#options;
    return booksOf({ ...this.#options, ownEvents: ownEvents(), gatheredEvents: statsd?.waiting ?? 0 });
  }

  status(cluster: ClusterStatus): ServerStatus {
    const { store, owners, door, flushes, links, clock, version, roles } = this.#options;
    const report = this.report();
    const stats = owners.stats();
    const { rounds, tookMs, endedAtMs } = stats.checkpoint;
    const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage();
    const servers = cluster.servers();
    const rows = Object.values(servers);
    return {
      role: 'server',
      total_tasks: rows.reduce((total, { tasks }) => total + tasks, 0),
      max_age: rows.reduce((oldest, { age }) => Math.max(oldest, age), 0),
      servers,
      cluster: cluster.figures(),
      latency: cluster.latency(),
      address: this.#options.address(),
      version,
      roles,
      uptime_sec: report.uptimeSec,
      books: report.books,
      owners: report.owners,
      buckets: stats.buckets,
      tabs: stats.tabs,
      clients: stats.clients,
      producers: stats.producers,
      states_in_memory: stats.statesInMemory,
      max_states_in_memory: Number.isFinite(stats.maxStatesInMemory) ? stats.maxStatesInMemory : null,
      dirty_buckets: stats.dirtyBuckets,
      clamped_timestamps: door.clamped,
      statsd: this.#options.statsd?.status() ?? null,
      malformed: this.#options.samples.all(),
      checkpoint: {
        rounds,
        took_sec: tookMs / 1000,
        age_sec: rounds === 0 ? 0 : Math.max(0, clock.nowMs() - endedAtMs) / 1000,
      },
      accepting: this.#options.accepting(),
      waiting_for: report.waitingFor ?? null,
      connections: this.#options.connections(),
      agents: links.size,
      sessions: flushes.sessions,
      definition_bytes: flushes.definitionBytes,
      store: storeStatus(store, store.stats()),
      memory: { rss_bytes: rssBytes, heap_bytes: heapBytes },
    };
  }
}

function storeStatus(
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
