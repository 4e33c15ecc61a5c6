import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { Limits } from '../core/limits.js';
import type { Backoff } from '../runtime/backoff.js';
import type { Clock } from '../runtime/clock.js';
import type { Log } from '../runtime/log.js';
import type { FrameLinkEvents } from '../transport/frame-link.js';
import type { EndPoint, Resolve } from './forward/endpoints.js';
import type { GaugeValue, KeyedBody } from './spool/record.js';
import type { Spool } from './spool/spool.js';

export interface ClusterOptions {
  readonly servers: readonly string[];
  readonly spool: Spool | undefined;
  readonly registry: HandlerRegistry;
  readonly limits: Limits;
  /** undefined: what the servers say. */
  readonly bucketCount: number | undefined;
  readonly clientId: string;
  /** Id of this agent, for servers and people. */
  readonly instance: string;
  readonly flushIntervalMs: number;
  readonly maxBlockAgeMs: number;
  readonly lanesPerEndPoint: number;
  readonly answerTimeoutMs: number;
  readonly dnsRefreshMs: number;
  readonly connect: (endPoint: EndPoint, events: FrameLinkEvents) => { close(reason: string): void };
  readonly backoff: () => Backoff;
  readonly newId: () => string;
  readonly resolve?: Resolve;
  /** What the spool must keep beside Parts and Blocks. */
  readonly sessions: () => Iterable<{ readonly session: string; readonly last: number }>;
  readonly gauges?: () => Iterable<GaugeValue>;
  readonly bodies?: () => Iterable<KeyedBody>;
  /** Before each flush: what is gathered elsewhere comes along. */
  readonly beforeFlush?: () => void;
  readonly clock: Clock;
  readonly log: Log;
}
