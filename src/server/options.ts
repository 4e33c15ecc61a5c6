import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { Limits } from '../core/limits.js';
import type { DenyLists } from '../intake/deny-lists.js';
import type { OtlpNaming } from '../intake/otlp/points.js';
import type { StatsdOptions } from '../intake/statsd/statsd-door.js';
import type { Clock } from '../runtime/clock.js';
import type { Log } from '../runtime/log.js';
import type { Store } from '../storage/store.js';
import type { MemoryBudget } from './reduce/capacity.js';

export type ServerRole = 'fe' | 'be' | 'ctrl';

export interface ServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** host:port under which others reach this server, where it is not host and port. */
  readonly advertise?: string;
  readonly roles: readonly ServerRole[];
  /** Share of the buckets in proportion to the other servers with the role be; 0: none. Default 1. */
  readonly weight?: number;
  /** On a store that servers share: how often this one tells the others that it lives. */
  readonly heartbeatMs: number;
  /** And after how long a silence it is taken to be dead. */
  readonly leaseMs: number;
  /** The server closes it when it ends. */
  readonly store: Store;
  readonly bucketCount: number;
  /** Client of raw events that name none. */
  readonly clientId: string;
  readonly registry: HandlerRegistry;
  readonly limits: Limits;
  readonly denyLists: DenyLists;
  /** How metrics of OTLP become tabs. Default: see docs/otlp.md. */
  readonly otlp?: OtlpNaming;
  /** StatsD and DogStatsD; none where it is absent. */
  readonly statsd?: StatsdOptions;
  readonly checkpointIntervalMs: number;
  /** A client's State is forgotten so long after its last event. */
  readonly pruneClientSec: number;
  /** A tab is forgotten so long after its last event. */
  readonly pruneTabSec: number;
  /** What States may take in memory; colder ones are read from the store when they are touched. Default: no bound. */
  readonly memory?: MemoryBudget;
  /** Whether the server counts itself, as tabs `taba_…`. */
  readonly selfInstrument: boolean;
  readonly drainDeadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}
