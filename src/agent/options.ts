import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { Limits } from '../core/limits.js';
import type { DenyLists } from '../intake/deny-lists.js';
import type { OtlpNaming } from '../intake/otlp/points.js';
import type { StatsdOptions } from '../intake/statsd/statsd-door.js';
import type { Clock } from '../runtime/clock.js';
import type { Log } from '../runtime/log.js';
import type { FrameLinkEvents } from '../transport/frame-link.js';
import type { EndPoint, Resolve } from './forward/endpoints.js';
import type { SpoolDisk } from './spool/spool-file.js';

export interface AgentOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** host:port under which others reach this agent, where it is not host and port. */
  readonly advertise?: string;
  /** `http://host:port`; every address behind a name is an end-point. */
  readonly servers: readonly string[];
  /** Keeps what was accepted over a crash; without it, that is in memory only. */
  readonly spoolFolder?: string;
  /** Answers only when the spool has reached the disk. Survives a power cut, at the cost of latency. */
  readonly spoolFsync?: boolean;
  /** Numbered Blocks older than this are dropped, and counted. Must be shorter than the servers' 7 days. */
  readonly spoolMaxAgeMs: number;
  readonly flushIntervalMs: number;
  /** Client of events that name none. */
  readonly clientId: string;
  /** Servers of a second cluster, which gets a copy of everything, best effort. */
  readonly mirror?: readonly string[];
  /** Connections per end-point. Default 1. */
  readonly queuesPerServer?: number;
  readonly registry: HandlerRegistry;
  readonly limits: Limits;
  readonly denyLists: DenyLists;
  /** Default: what the servers say. */
  readonly bucketCount?: number;
  readonly drainDeadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly version?: string;
  /** Whether the agent counts itself, as tabs `taba_agent_…`. Default true. */
  readonly selfInstrument?: boolean;
  /** (tab, client) pairs that may wait for a server; beyond it senders are asked to wait. Default 1,000,000. */
  readonly maxBufferedPairs?: number;
  /** A connection on which nothing comes back for so long, while something is due, is given up. Default 10 s. */
  readonly answerTimeoutMs?: number;
  /** How often names of servers are resolved. Default 30 s. */
  readonly dnsRefreshMs?: number;
  /** How metrics of OTLP become tabs. Default: as the specification of the names in docs/otlp.md, without rules. */
  readonly otlp?: OtlpNaming;
  /** StatsD and DogStatsD; none where it is absent. */
  readonly statsd?: StatsdOptions;
  /** Seams for tests. */
  readonly seams?: AgentSeams;
}

export interface AgentSeams {
  readonly connect?: (endPoint: EndPoint, events: FrameLinkEvents) => { close(reason: string): void };
  readonly resolve?: Resolve;
  readonly disk?: SpoolDisk;
  readonly heapShare?: () => number;
}

/** Servers forget producers that were idle for so long (R11). */
export const serversForgetAfterMs = 7 * 86_400_000;
