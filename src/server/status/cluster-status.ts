import type { Member } from '../../storage/coordination.js';
import { clusterLatency, type LatencyReport, type Lateness } from '../cluster/latency.js';
import type { Peers } from '../cluster/peers.js';
import { type Books, type OwnerAccount, sum, sumOfBooks, sumOfOwners } from './account.js';
import { decodeReport, type MemberReport } from './report.js';

/** One server as every server shows it. Seconds, bytes; figures are as of its last heartbeat, its own as of now. */
export interface ServerRow {
  readonly roles: readonly string[];
  readonly version: string;
  readonly uptime_sec: number;
  /** Buckets that it serves. */
  readonly buckets: number;
  /** Buckets that it is taking over, or handing over. */
  readonly buckets_moving: number;
  /** Its share of the buckets relative to others; 0: it takes none. */
  readonly weight: number;
  /** Decayed rate of events applied, per second. */
  readonly load: number;
  /** As the first Taba had it: every server has one. */
  readonly queues: number;
  /** Blocks that wait. */
  readonly tasks: number;
  /** How long the oldest of them has been waiting, s. */
  readonly age: number;
  /** Entries of the journals that no checkpoint has made superfluous yet. */
  readonly journal_entries: number;
  readonly tabs: number;
  readonly states_in_memory: number;
  readonly memory_bytes: number;
  /** s, from sealed by the producer to applied. */
  readonly latency: number;
  readonly leaving: boolean;
  /** What holds it up; null when nothing does. */
  readonly waiting_for: string | null;
}

/** All live servers together. */
export interface ClusterFigures {
  readonly servers: number;
  readonly buckets: { readonly served: number; readonly of: number };
  readonly tabs: number;
  /** Rows of producers, over all buckets. */
  readonly producers: number;
  readonly journal_entries: number;
  readonly load: number;
  readonly books: Books;
  readonly owners: OwnerAccount;
}

/** What this server would report now. */
export interface OwnReport {
  report(): MemberReport;
  /** The part of it that every query asks for. */
  lateness(): Lateness;
}

/** The cluster as its members report it. */
export class ClusterStatus {
  readonly #peers: Pick<Peers, 'self' | 'members'>;
  readonly #bucketCount: number;
  readonly #own: OwnReport;
  /** Reports as they came, and what they say: they are asked for much more often than they change. */
  readonly #decoded = new WeakMap<Uint8Array, MemberReport>();

  constructor(peers: Pick<Peers, 'self' | 'members'>, bucketCount: number, own: OwnReport) {
    this.#peers = peers;
    this.#bucketCount = bucketCount;
    this.#own = own;
  }

  /** By address. */
  servers(): Record<string, ServerRow> {
    const members = [...this.#peers.members()].sort((a, b) => (a.address < b.address ? -1 : 1));
    return Object.fromEntries(
      members.map((member) => [member.address, rowOf(member, this.#reportOf(member))]),
    );
  }

  roles(): Record<string, readonly string[]> {
    const members = [...this.#peers.members()].sort((a, b) => (a.address < b.address ? -1 : 1));
    return Object.fromEntries(members.map(({ address, roles }) => [address, roles]));
  }

  figures(): ClusterFigures {
    const reports = this.#reports();
    return {
      servers: this.#peers.members().length,
      buckets: { served: sum(reports, ({ buckets }) => buckets.serving), of: this.#bucketCount },
      tabs: sum(reports, ({ tabs }) => tabs),
      producers: sum(reports, ({ producers }) => producers),
      journal_entries: sum(reports, ({ journalEntries }) => journalEntries),
      load: sum(reports, ({ load }) => load),
      books: sumOfBooks(reports.map(({ books }) => books)),
      owners: sumOfOwners(reports.map(({ owners }) => owners)),
    };
  }

  latency(): LatencyReport {
    const others = this.#peers.members().filter(({ id }) => id !== this.#peers.self);
    const reports = others.map((member) => this.#reportOf(member)).filter((report) => report !== undefined);
    return clusterLatency([this.#own.lateness(), ...reports]);
  }

  /** The `cluster_aggregate` of `latency`: every query asks for it. */
  latenessSec(): number {
    let latest = this.#own.lateness().processedSec;
    for (const member of this.#peers.members()) {
      if (member.id === this.#peers.self) continue;
      latest = Math.max(latest, this.#reportOf(member)?.processedSec ?? 0);
    }
    return latest;
  }

  #reports(): MemberReport[] {
    return this.#peers
      .members()
      .map((member) => this.#reportOf(member))
      .filter((report) => report !== undefined);
  }

  /** Undefined for a server of a release that reports otherwise. */
  #reportOf({ id, report: bytes }: Member): MemberReport | undefined {
    if (id === this.#peers.self) return this.#own.report();
    const known = this.#decoded.get(bytes);
    if (known !== undefined) return known;
    try {
      const report = decodeReport(bytes);
      this.#decoded.set(bytes, report);
      return report;
    } catch {
      return undefined;
    }
  }
}

function rowOf({ roles, version, weight, leaving }: Member, report: MemberReport | undefined): ServerRow {
  const { serving = 0, acquiring = 0, leaving: releasing = 0 } = report?.buckets ?? {};
  const unread = `its report cannot be read: it is of release ${version}`;
  return {
    ...{ roles, version, weight, leaving },
    uptime_sec: report?.uptimeSec ?? 0,
    buckets: serving,
    buckets_moving: acquiring + releasing,
    load: report?.load ?? 0,
    queues: 1,
    tasks: report?.pendingBlocks ?? 0,
    age: report?.oldestPendingSec ?? 0,
    journal_entries: report?.journalEntries ?? 0,
    tabs: report?.tabs ?? 0,
    states_in_memory: report?.statesInMemory ?? 0,
    memory_bytes: report?.memoryBytes ?? 0,
    latency: report?.processedSec ?? 0,
    waiting_for: report === undefined ? unread : (report.waitingFor ?? null),
  };
}
