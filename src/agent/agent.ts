import { mkdirSync } from 'node:fs';
import { TabaError } from '../core/errors.js';
import { FlushSessions } from '../core/producer/sessions.js';
import { addCounts } from '../intake/counts.js';
import { Gathering } from '../intake/gathering.js';
import type { Mapping } from '../intake/mapping/mapping.js';
import { defaultNaming } from '../intake/otlp/points.js';
import { SelfMetrics, selfIntervalMs } from '../intake/self-metrics.js';
import { StatsdDoor, safeWithinMs } from '../intake/statsd/statsd-door.js';
import { FolderInUse, type FolderLock, lockFolder } from '../runtime/folder-lock.js';
import { throttled } from '../runtime/throttled-log.js';
import type { HttpServer } from '../transport/inbound/http.js';
import { startHttpServer } from '../transport/inbound/http-server.js';
import { openLinePort } from '../transport/inbound/line-port.js';
import type { Hello } from '../wire/frame.js';
import type { Cluster } from './cluster.js';
import { parseServerUrl } from './forward/endpoints.js';
import { KeyedBodies } from './keyed-bodies.js';
import { Mirror } from './mirror.js';
import { type AgentOptions, serversForgetAfterMs } from './options.js';
import { Reception } from './reception.js';
import { Room } from './room.js';
import { agentRoutes } from './routes.js';
import { SdkLinks } from './sdk-links.js';
import { selfReport } from './self.js';
import type { Spool } from './spool/spool.js';
import { type AgentStatus, booksOf, clusterStatus, missingServers } from './status.js';
import { makeCluster, newId, openSpool } from './upstream.js';

export type { AgentOptions } from './options.js';
export type { AgentStatus } from './status.js';

export interface RunningAgent {
  /** `http://host:port` */
  readonly url: string;
  status(): AgentStatus;
  /** From now on metrics of StatsD and OTLP become tabs by these rules. */
  setMapping(mapping: Mapping): void;
  /** Stops taking, hands over what is held until the deadline, and ends. Idempotent. */
  close(deadlineMs?: number): Promise<void>;
}

const defaultMaxBufferedPairs = 1_000_000;
const sessionsForgottenAfterMs = 86_400_000;
/** Pushes of one SDK that may wait for their answer. */
const maxInFlightFlushes = 16;

/**
 * Starts an agent: it takes events over HTTP and v2 frames, folds them, and hands them to the owners of their buckets.
 * It is ready when this resolves, whether or not a server can be reached.
 *
 * @throws TabaError `bad_setting`, `port_in_use`, `folder_in_use`, `store_mismatch`, `store_failed`
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  checkOptions(options);
  const agent = new Agent(options);
  await agent.start();
  return agent;
}

function checkOptions({ servers, mirror, spoolMaxAgeMs }: AgentOptions): void {
  if (servers.length === 0) throw new TabaError('bad_setting', 'servers: at least one is needed');
  for (const server of [...servers, ...(mirror ?? [])]) parseServerUrl(server);
  if (spoolMaxAgeMs >= serversForgetAfterMs) {
    throw new TabaError(
      'bad_setting',
      `spool-max-age: ${spoolMaxAgeMs} ms; it must be shorter than the ${serversForgetAfterMs} ms after which servers forget a producer`,
    );
  }
}

class Agent implements RunningAgent {
  readonly #options: AgentOptions;
  readonly #startedAtMs: number;
  #lock: FolderLock | undefined;
  #spool: Spool | undefined;
  #sessions!: FlushSessions;
  #cluster!: Cluster;
  #mirror: Mirror | undefined;
  #room!: Room;
  #reception!: Reception;
  #gathering: Gathering | undefined;
  #sdk!: SdkLinks;
  #statsd: StatsdDoor | undefined;
  #http: HttpServer | undefined;
  #instance = '';
  #restoredEvents = 0;
  #cancelSelf: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
  }

  get url(): string {
    const { advertise, host } = this.#options;
    if (advertise !== undefined) return `http://${advertise}`;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#http?.port ?? this.#options.port}`;
  }

  get #version(): string {
    return this.#options.version ?? 'unknown';
  }

  async start(): Promise<void> {
    try {
      await this.#lockSpool();
      this.#build();
      this.#http = await startHttpServer({
        host: this.#options.host,
        port: this.#options.port,
        routes: agentRoutes({
          ...{ reception: this.#reception, room: this.#room, version: this.#version },
          clock: this.#options.clock,
          status: () => this.status(),
          trouble: () => this.#statsd?.waitingFor,
        }),
        frames: this.#sdk,
        maxBodyBytes: this.#options.limits.maxBodyBytes,
        maxFrameBytes: this.#options.limits.maxFrameBytes,
        maxConnections: this.#options.limits.maxConnections,
        clock: this.#options.clock,
        onError: (error, where) => this.#options.log.error('request_failed', { where, error }),
      });
      await this.#statsd?.open();
    } catch (error) {
      await this.#release();
      throw error;
    }
    void this.#cluster.start();
    void this.#mirror?.cluster.start();
    if (this.#options.selfInstrument ?? true)
      this.#countItself(new SelfMetrics(this.#options.registry, this.#reception.client));
  }

  async #lockSpool(): Promise<void> {
    const { spoolFolder } = this.#options;
    if (spoolFolder === undefined) return;
    try {
      mkdirSync(spoolFolder, { recursive: true });
      this.#lock = await lockFolder(spoolFolder);
    } catch (error) {
      if (error instanceof FolderInUse) throw new TabaError('folder_in_use', error.message);
      throw new TabaError('store_failed', error instanceof Error ? error.message : String(error));
    }
  }

  #build(): void {
    const options = this.#options;
    const { clock, limits, servers, mirror } = options;
    const log = throttled(options.log, { clock });
    const maxPairs = options.maxBufferedPairs ?? defaultMaxBufferedPairs;
    this.#spool = openSpool(options, log);
    this.#instance = this.#spool?.instance ?? newId();
    this.#sessions = new FlushSessions({
      maxSessions: limits.maxClients,
      forgetAfterMs: sessionsForgottenAfterMs,
    });
    const nowMs = clock.nowMs();
    const restored = [...(this.#spool?.restored.sessions ?? [])];
    this.#sessions.restore(restored.map(([session, last]) => ({ session, last, usedAtMs: nowMs })));
    const instance = this.#instance;
    const bodies = new KeyedBodies({ clock, restored: this.#spool?.restored.bodies ?? [] });
    this.#cluster = makeCluster(options, {
      servers,
      spool: this.#spool,
      instance,
      sessions: () => this.#sessions.entries(),
      gauges: () => this.#statsd?.gauges() ?? this.#spool?.restored.gauges ?? [],
      bodies: () => bodies.entries(),
      beforeFlush: () => {
        this.#statsd?.handOver();
        this.#gathering?.handOver();
      },
      bucketCount: options.bucketCount,
      log,
    });
    this.#restoredEvents = this.#cluster.account().received;
    if (mirror !== undefined && mirror.length > 0) {
      const mirrorLog = log.with({ cluster: 'mirror' });
      const spool = openSpool(options, mirrorLog, 'mirror');
      const own = {
        servers: mirror,
        spool,
        instance: spool?.instance ?? instance,
        sessions: () => [],
        bucketCount: undefined,
      };
      this.#mirror = new Mirror(makeCluster(options, { ...own, log: mirrorLog }), spool, maxPairs);
    }
    if (this.#spool === undefined && this.#mirror === undefined) {
      this.#gathering = new Gathering({
        registry: options.registry,
        nextSequence: () => this.#reception.nextSequence(),
        handOver: (parts) => this.#reception.takeAnswered(parts),
        refuse: (events, code, message) => {
          this.#reception.door.reject(code, events);
          this.#reception.samples.add('bodies', code, message);
        },
      });
    }
    this.#room = new Room({
      cluster: this.#cluster,
      gathering: this.#gathering,
      spoolStuck: () => this.#spool?.stuck ?? false,
      maxPairs,
      ...(options.seams?.heapShare === undefined ? {} : { heapShare: options.seams.heapShare }),
    });
    this.#reception = new Reception({
      agent: options,
      cluster: this.#cluster,
      mirror: this.#mirror,
      room: this.#room,
      spool: this.#spool,
      ...{ gathering: this.#gathering, bodies },
      log,
      naming: options.otlp ?? defaultNaming,
    });
    this.#statsd = this.#statsdDoor(maxPairs);
    this.#sdk = new SdkLinks({
      reception: this.#reception,
      sessions: this.#sessions,
      hello: () => this.#hello(),
      durable: () => this.#reception.durable(),
      pauseMs: () => this.#cluster.pauseMs,
      clock,
    });
  }

  #statsdDoor(maxPairs: number): StatsdDoor | undefined {
    const { statsd, host, registry, limits, denyLists: deny, clock, log } = this.#options;
    if (statsd === undefined) return undefined;
    const reception = this.#reception;
    const { client, door, samples } = reception;
    return new StatsdDoor({
      ...{ statsd, host, registry, limits, client, deny, maxPairs, clock, log, samples },
      counters: door,
      gauges: this.#spool?.restored.gauges ?? [],
      open: openLinePort,
      nextSequence: () => reception.nextSequence(),
      handOver: (parts, changed) => reception.takeGathered(parts, changed),
      // Without a spool it is no safer there: the longer it stays in columns, the fewer Parts it makes.
      handOverMs: this.#spool === undefined ? undefined : safeWithinMs,
    });
  }

  #hello(): Hello {
    const { clientId, limits, clock } = this.#options;
    return {
      kind: 'hello',
      versions: [2],
      role: 'agent',
      id: this.#instance,
      name: clientId,
      maxFrameBytes: limits.maxFrameBytes,
      maxInFlight: maxInFlightFlushes,
      nowMs: clock.nowMs(),
    };
  }

  #countItself(metrics: SelfMetrics): void {
    const { clock } = this.#options;
    this.#cancelSelf = clock.after(selfIntervalMs, () => {
      if (this.#closed !== undefined) return;
      this.#countItself(metrics);
      const report = selfReport(this.status(), this.#reception.ownEvents);
      this.#reception.takeOwn(metrics.gather(report, clock.nowMs() / 1000));
    });
  }

  status(): AgentStatus {
    const { clock, clientId } = this.#options;
    const { door, known, samples } = this.#reception;
    const shortage = this.#reception.stopping ? undefined : this.#room.shortage();
    const account = this.#cluster.account();
    const books = booksOf(this.#restoredEvents + door.received, door.rejected, {
      ...account,
      buffered: account.buffered + (this.#statsd?.waiting ?? 0) + (this.#gathering?.waiting ?? 0),
      dropped: addCounts(account.dropped, door.dropped),
    });
    return {
      role: 'agent',
      version: this.#version,
      instance: this.#instance,
      client_id: clientId,
      uptime_sec: Math.round((clock.monotonicMs() - this.#startedAtMs) / 100) / 10,
      total_tasks: this.#cluster.openBlocks,
      accepting: shortage === undefined && !this.#reception.stopping,
      waiting_for: shortage ?? this.#statsd?.waitingFor ?? missingServers(this.#cluster) ?? null,
      ...clusterStatus(this.#cluster, books, this.#spool?.stats()),
      requests: door.requests,
      refused_bodies: door.refusedBodies,
      clamped_timestamps: door.clamped,
      connections: this.#http?.connections ?? 0,
      sessions: this.#sessions.size,
      definition_bytes: this.#reception.definitionBytes,
      known_tabs: known.tabs,
      known_clients: known.clients,
      mirror: this.#mirror?.status() ?? null,
      statsd: this.#statsd?.status() ?? null,
      malformed: samples.all(),
    };
  }

  setMapping(mapping: Mapping): void {
    this.#statsd?.setMapping(mapping);
    this.#reception.naming = { ...this.#reception.naming, mapping };
  }

  close(deadlineMs = this.#options.drainDeadlineMs): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number): Promise<void> {
    // Timers and connections do not keep a process alive, and listening ends first: without this, draining might not be awaited.
    const awake = setInterval(() => {}, 60_000);
    try {
      await this.#drain(deadlineMs);
      await this.#release();
    } finally {
      clearInterval(awake);
    }
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { log, clock } = this.#options;
    const beganAtMs = clock.monotonicMs();
    this.#cancelSelf?.();
    this.#reception.stop();
    this.#http?.stopListening();
    // What came in before is handed over yet.
    await this.#statsd?.close();
    this.#gathering?.handOver();
    const [left, mirrorLeft] = await Promise.all([
      this.#cluster.drain(deadlineMs),
      this.#mirror?.cluster.drain(deadlineMs) ?? 0,
    ]);
    const fields = {
      leftEvents: left,
      mirrorLeftEvents: mirrorLeft,
      tookMs: Math.round(clock.monotonicMs() - beganAtMs),
    };
    if (left === 0) log.info('agent_drained', fields);
    else if (this.#spool !== undefined)
      log.warn('agent_drained_in_part', { ...fields, hint: 'the spool keeps the rest' });
    else log.error('events_lost', { ...fields, hint: 'a spool would have kept them: --spool DIR' });
  }

  async #release(): Promise<void> {
    this.#http?.close();
    await this.#statsd?.close();
    this.#cluster?.stop();
    this.#mirror?.cluster.stop();
    await this.#lock?.release();
  }
}
