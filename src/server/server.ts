import { randomBytes } from 'node:crypto';
import { TabaError } from '../core/errors.js';
import type { MemberId, ProducerId } from '../core/ids.js';
import { checkClientId } from '../core/names.js';
import { defaultBlockBytes } from '../core/producer/options.js';
import type { Mapping } from '../intake/mapping/mapping.js';
import { defaultNaming, type OtlpNaming } from '../intake/otlp/points.js';
import { Samples } from '../intake/samples.js';
import { SelfMetrics, selfIntervalMs } from '../intake/self-metrics.js';
import type { StatsdDoor } from '../intake/statsd/statsd-door.js';
import { Lifecycle } from '../runtime/lifecycle.js';
import { watchLiveMemory } from '../runtime/live-memory.js';
import type { Log } from '../runtime/log.js';
import { ProcessMetrics } from '../runtime/process-metrics.js';
import { throttled } from '../runtime/throttled-log.js';
import { Turn } from '../runtime/turn.js';
import type { Member } from '../storage/coordination.js';
import type { HttpServer } from '../transport/inbound/http.js';
import { startHttpServer } from '../transport/inbound/http-server.js';
import { metricsRoute } from '../transport/inbound/metrics-route.js';
import { openApiRoute } from '../transport/inbound/openapi.js';
import { blockOverheadBytes } from '../wire/block-size.js';
import type { Hello } from '../wire/frame.js';
import { encodeParts } from '../wire/parts.js';
import type { Cluster } from './cluster/cluster.js';
import { discountSec, Latency } from './cluster/latency.js';
import { SharedCluster } from './cluster/shared-cluster.js';
import { soleCluster } from './cluster/sole-cluster.js';
import { serverFigures } from './metrics/server-figures.js';
import type { ServerOptions } from './options.js';
import { type Querying, querying } from './query/querying.js';
import { Flushes } from './receive/flushes.js';
import { KeyedDelivery } from './receive/keyed-delivery.js';
import { Links } from './receive/links.js';
import { OwnProducer } from './receive/own-producer.js';
import { RawDoor } from './receive/raw-door.js';
import { rawRoutes } from './receive/raw-routes.js';
import { Router } from './receive/router.js';
import { statsdDoor } from './receive/statsd.js';
import { Owners } from './reduce/owners.js';
import { ClusterStatus } from './status/cluster-status.js';
import { DecayedRate } from './status/load.js';
import { encodeReport } from './status/report.js';
import { selfReport } from './status/self.js';
import { NodeStatus, type ServerStatus } from './status/status.js';
import { statusRoutes } from './status/status-routes.js';

export type { ServerOptions, ServerRole } from './options.js';
export type { ServerStatus } from './status/status.js';

export interface RunningServer {
  /** `http://host:port` */
  readonly url: string;
  status(): ServerStatus;
  /** From now on metrics of StatsD and OTLP become tabs by these rules. */
  setMapping(mapping: Mapping): void;
  /** Stops taking, finishes what is under way until the deadline, writes everything down, closes the store. Idempotent. */
  close(deadlineMs?: number): Promise<void>;
}

/** Bytes of Blocks and (tab, client) pairs of raw events that may wait; beyond it, senders are told to come again. */
const maxPendingBytes = 256 * 2 ** 20;
/** Part of the memory budget that waiting Blocks may take, where that is less. */
const pendingShare = 1 / 8;
const maxWaitingPairs = 200_000;
/** Blocks of one connection that may wait for their answer. */
const maxInFlight = 1024;
const pruneIntervalMs = 3_600_000;

/**
 * Starts a server: it owns every bucket of the store, takes Blocks and raw events, and answers queries. Resolves when all
 * of that works.
 *
 * @throws TabaError `bad_setting`, `port_in_use`, `store_mismatch`
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const found = options.store.opened.bucketCount;
  if (found !== options.bucketCount) {
    throw new TabaError(
      'store_mismatch',
      `the store has ${found} buckets, the settings say ${options.bucketCount}`,
    );
  }
  const server = new Server(options);
  try {
    await server.start();
  } catch (error) {
    // It listens already: nobody may be answered by a server that did not start.
    await server.close(0);
    throw error;
  }
  return server;
}

class Server implements RunningServer {
  readonly #options: ServerOptions;
  readonly #id = randomBytes(16).toString('hex') as MemberId;
  readonly #latency: Latency;
  readonly #load: DecayedRate;
  readonly #owners: Owners;
  readonly #cluster: Cluster;
  readonly #querying: Querying;
  readonly #router: Router;
  readonly #door: RawDoor;
  readonly #producer: OwnProducer;
  readonly #flushes: Flushes;
  readonly #links: Links;
  readonly #status: NodeStatus;
  readonly #clusterStatus: ClusterStatus;
  #http: HttpServer | undefined;
  readonly #samples: Samples;
  readonly #statsd: StatsdDoor | undefined;
  #naming: OtlpNaming;
  #ownEvents = 0;
  #stopping = false;
  #closed: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { store, registry, limits, bucketCount, clock } = options;
    // One fault of the store is a line per bucket.
    const log = throttled(options.log, { clock });
    // One for all: each with slices of its own would make what comes in wait for all of them.
    const turn = new Turn(clock);
    this.#options = options;
    this.#naming = options.otlp ?? defaultNaming;
    this.#samples = new Samples(clock);
    this.#latency = new Latency(() => clock.nowMs());
    this.#load = new DecayedRate(() => clock.monotonicMs());
    this.#owners = new Owners({
      ...{ store, registry, clock, log, limits, turn },
      ownerId: this.#id,
      checkpointIntervalMs: options.checkpointIntervalMs,
      pruneClientSec: options.pruneClientSec,
      pruneTabSec: options.pruneTabSec,
      ...(options.memory !== undefined && { memory: options.memory }),
      watchMemory: (measured) => watchLiveMemory(options.memory?.maxBytes, measured),
      onApplied: (moment) => {
        this.#latency.applied(moment);
        this.#load.add(moment.events);
      },
      assignedPlace: (bucket, mayBeTaken) => this.#cluster.assignedPlace(bucket, mayBeTaken),
      mayRead: () => this.#cluster.mayRead,
      isCurrent: () => this.#cluster.isCurrent,
    });
    this.#cluster = this.#joined(log);
    const deliver = this.#cluster.deliver.bind(this.#cluster);
    const budget = options.memory?.maxBytes ?? Number.POSITIVE_INFINITY;
    const pendingBytes = Math.min(maxPendingBytes, budget * pendingShare);
    this.#router = new Router({ deliver, maxPendingBytes: pendingBytes, clock });
    this.#producer = new OwnProducer({
      ...{ deliver, registry, bucketCount, limits, clock },
      encode: (parts) => encodeParts(parts, registry),
      maxBlockBytes: Math.min(defaultBlockBytes, limits.maxFrameBytes - blockOverheadBytes),
      newId: newProducerId,
    });
    this.#door = new RawDoor({
      ...{ registry, limits, clock },
      denyLists: options.denyLists,
      clientId: checkClientId(options.clientId),
      typeOf: (tab) => this.#owners.reading.typeOf(tab),
    });
    const refuses = (): TabaError | undefined => this.#refusal();
    this.#statsd = statsdDoor(options, {
      ...{ door: this.#door, producer: this.#producer, samples: this.#samples },
      maxPairs: maxWaitingPairs,
      // What came in before is taken to the end.
      refuses: () => (this.#stopping ? undefined : this.#refusal()),
    });
    this.#flushes = new Flushes({
      ...{ door: this.#door, producer: this.#producer, refuses, clock },
      maxSessions: limits.maxClients,
    });
    this.#querying = querying({
      ...{ owners: this.#owners, peers: this.#cluster.peers, store, registry, limits, clock },
      presentSec: () => clock.nowMs() / 1000 - discountSec(this.#clusterStatus.latenessSec()),
      discardPending: (buckets) => this.#producer.discard('flushed', buckets),
    });
    this.#links = new Links({
      router: this.#router,
      own: (block) => this.#owners.take(block),
      questions: { ...this.#querying.questions, ...this.#cluster.questions },
      flushes: this.#flushes,
      hello: () => this.#hello(),
      ...{ turn, clock, log },
    });
    this.#status = new NodeStatus({
      ...{ store, clock, version: options.version, roles: options.roles },
      ...{ owners: this.#owners, door: this.#door, producer: this.#producer, router: this.#router },
      ...{ statsd: this.#statsd, samples: this.#samples },
      ...{ flushes: this.#flushes, links: this.#links, latency: this.#latency, load: this.#load },
      address: () => this.#address,
      ownEvents: () => this.#ownEvents,
      accepting: () => this.#refusal() === undefined,
      waitingFor: () => this.#trouble(),
      connections: () => this.#http?.connections ?? 0,
    });
    this.#clusterStatus = new ClusterStatus(this.#cluster.peers, bucketCount, this.#status);
  }

  /** One of many on a store that servers share; else the whole cluster. */
  #joined(log: Log): Cluster {
    const { store, heartbeatMs, leaseMs, limits, clock } = this.#options;
    const describe = (): Member => this.#describe();
    const { coordination } = store;
    if (coordination === undefined) return soleCluster(this.#owners, this.#id, describe);
    return new SharedCluster({
      ...{ coordination, owners: this.#owners, heartbeatMs, leaseMs, describe, clock, log },
      maxFrameBytes: limits.maxFrameBytes,
      hello: () => this.#hello(),
    });
  }

  #describe(): Member {
    const { roles, version, weight = 1 } = this.#options;
    const status = this.#status;
    return {
      id: this.#id,
      address: this.#address,
      roles,
      version,
      weight: roles.includes('be') ? weight : 0,
      leaving: this.#stopping,
      // Made when somebody looks at it: most want to know who it is only.
      get report() {
        return encodeReport(status.report());
      },
    };
  }

  get url(): string {
    return `http://${this.#address}`;
  }

  get #address(): string {
    const { advertise, host, port } = this.#options;
    return advertise ?? `${host.includes(':') ? `[${host}]` : host}:${this.#http?.port ?? port}`;
  }

  async start(): Promise<void> {
    const { store, clock, log, limits, host, port, selfInstrument } = this.#options;
    for (const damage of store.opened.damage) log.error('store_damaged', { damage });
    // Listening first would let requests meet buckets that are not served yet; but a port in use should be said at once.
    this.#http = await startHttpServer({
      ...{ host, port, clock },
      routes: this.#routes(),
      frames: this.#links,
      maxBodyBytes: limits.maxBodyBytes,
      maxFrameBytes: limits.maxFrameBytes,
      maxConnections: limits.maxConnections,
      onError: (error, where) =>
        log.error('request_failed', { where, error: String(error), stack: (error as Error).stack }),
    });
    await this.#statsd?.open();
    await this.#cluster.start();
    this.#repeat(pruneIntervalMs, () => void this.#owners.administration.prune());
    if (selfInstrument) this.#countItself();
  }

  #routes(): Parameters<typeof startHttpServer>[0]['routes'] {
    const { registry, limits, bucketCount, clock } = this.#options;
    const deliver = this.#cluster.deliver.bind(this.#cluster);
    const routes = [
      ...rawRoutes({
        ...{ door: this.#door, producer: this.#producer, limits, clock },
        keyed: new KeyedDelivery({ registry, bucketCount, clock, deliver }),
        refuses: () => this.#refusal(),
        naming: () => this.#naming,
      }),
      ...this.#querying.routes,
      metricsRoute(this.#metrics()),
      ...statusRoutes({
        status: () => this.status(),
        servers: () => this.#clusterStatus.roles(),
        latency: () => this.#clusterStatus.latency(),
        notReady: () => this.#notReady(),
      }),
    ];
    return [...routes, openApiRoute(routes, { title: 'Taba server', version: this.#options.version })];
  }

  #metrics(): ProcessMetrics {
    const { version, roles, clock } = this.#options;
    return new ProcessMetrics({
      clock,
      about: { version, role: roles.join(',') },
      figures: () => serverFigures(this.status()),
    });
  }

  #hello(): Hello {
    const { bucketCount, clientId, limits, clock } = this.#options;
    return {
      kind: 'hello',
      versions: [2],
      role: 'server',
      id: this.#id,
      name: clientId,
      bucketCount,
      hash: 'xxh32',
      generation: 1,
      maxFrameBytes: limits.maxFrameBytes,
      maxInFlight,
      nowMs: clock.nowMs(),
    };
  }

  /** Why no raw events are taken at the moment; nothing of them was counted then. */
  #refusal(): TabaError | undefined {
    if (this.#stopping) return new TabaError('stopping', 'the server is shutting down');
    const waitingFor = this.#waitingFor();
    if (waitingFor !== undefined) return new TabaError('overloaded', `the server waits for ${waitingFor}`);
    return undefined;
  }

  #waitingFor(): string | undefined {
    const { waitingFor } = this.#options.store.stats();
    if (waitingFor !== undefined) return `the store: ${waitingFor}`;
    if (this.#cluster.waitingFor !== undefined) return this.#cluster.waitingFor;
    if (!this.#router.hasRoom || this.#producer.pairs >= maxWaitingPairs) return 'owners to catch up';
    return undefined;
  }

  #notReady(): string | undefined {
    if (this.#stopping) return 'the server is shutting down';
    return this.#trouble();
  }

  /** What keeps this server from doing its part, the cause before what comes of it. */
  #trouble(): string | undefined {
    return this.#waitingFor() ?? this.#statsd?.waitingFor ?? this.#cluster.trouble;
  }

  #repeat(periodMs: number, action: () => void): void {
    this.#options.clock.after(periodMs, () => {
      if (this.#stopping) return;
      action();
      this.#repeat(periodMs, action);
    });
  }

  #countItself(): void {
    const { registry, clientId, clock } = this.#options;
    const metrics = new SelfMetrics(registry, checkClientId(clientId));
    this.#repeat(selfIntervalMs, () => {
      const parts = metrics.gather(selfReport(this.#status.report(), this.#ownEvents), clock.nowMs() / 1000);
      this.#ownEvents += parts.events;
      if (parts.events > 0) void this.#producer.deliver(parts);
    });
  }

  status(): ServerStatus {
    return this.#status.status(this.#clusterStatus);
  }

  setMapping(mapping: Mapping): void {
    this.#naming = { ...this.#naming, mapping };
    this.#statsd?.setMapping(mapping);
  }

  close(deadlineMs = this.#options.drainDeadlineMs): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  /** Starting reversed: nothing new comes in, what is under way is finished, everything is written down. */
  async #close(deadlineMs: number): Promise<void> {
    const { store, clock, log } = this.#options;
    // Timers and connections do not keep a process alive, and listening ends first: without this, draining might not be awaited.
    const awake = setInterval(() => {}, 60_000);
    const lifecycle = new Lifecycle({ clock, log });
    this.#stopping = true;
    lifecycle.onStop('store', () => store.close(), deadlineMs);
    lifecycle.onStop('links', () => this.#cluster.close());
    lifecycle.onStop('connections', () => this.#http?.close());
    lifecycle.onStop('membership', () => this.#cluster.leave(), deadlineMs);
    lifecycle.onStop('owners', () => this.#owners.close(), deadlineMs);
    lifecycle.onStop('listening', () => this.#http?.stopListening());
    // The others have to reach this server for that.
    lifecycle.onStop('hand-over', () => this.#cluster.handOver(deadlineMs / 2), deadlineMs);
    lifecycle.onStop('own events', () => this.#producer.empty(), deadlineMs);
    lifecycle.onStop('statsd', () => this.#statsd?.close(), deadlineMs);
    await lifecycle.stop();
    clearInterval(awake);
  }
}

function newProducerId(): ProducerId {
  return randomBytes(16).toString('hex') as ProducerId;
}
