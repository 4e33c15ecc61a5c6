import type { BlockRejection } from '../core/block.js';
import type { ClientId, ProducerId, TabName, TabType } from '../core/ids.js';
import type { PartMap } from '../core/parts.js';
import { defaultBlockBytes } from '../core/producer/options.js';
import { Producer } from '../core/producer/producer.js';
import { addCounts, type Counts, totalOf } from '../intake/counts.js';
import { untilBeat } from '../runtime/beat.js';
import { blockOverheadBytes } from '../wire/block-size.js';
import type { Hello } from '../wire/frame.js';
import { decodeParts, encodeParts } from '../wire/parts.js';
import type { ClusterAccount } from './account.js';
import type { ClusterOptions } from './cluster-options.js';
import { Backlog } from './forward/backlog.js';
import { type EndPoint, EndPointList } from './forward/endpoints.js';
import { Lane } from './forward/lane.js';
import { Lanes } from './forward/lanes.js';
import { mapMismatch } from './forward/map-check.js';
import { Routes } from './forward/routes.js';
import { Sealer } from './forward/sealer.js';
import type { Origin, SpoolRecord } from './spool/record.js';

const rebalanceIntervalMs = 1000;
const expireIntervalMs = 10_000;
/**
 * Clients flush in the first moments of a second, and of even parts of it (see `FoldingEngine`). An agent that flushes so long after that
 * hands on what they have just brought; at any other moment it would have waited for half an interval on average.
 */
const behindClientsMs = 80;

/**
 * Everything between accepted Parts and a cluster that acknowledges them: producer, spool, lanes to the end-points. How many
 * buckets there are is the servers' to say; until the first hello, Parts merge by tab, and nothing is numbered.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #endPoints: EndPointList;
  readonly #lanes: Lanes;
  readonly #startedAtMs: number;
  /** Before the first hello; afterwards empty. */
  #backlog: Backlog;
  /** What was rejected before the first hello. */
  #earlier: Counts = {};
  #bucketCount: number | undefined;
  #generation: number | undefined;
  #producer: Producer | undefined;
  #producerId: ProducerId | undefined;
  #routes: Routes | undefined;
  #sendWhenSealed = false;
  #rebalanceAtMs = 0;
  #expireAtMs = 0;
  #cancelTick: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;
  #stopped = false;
  #sealer: Sealer | undefined;

  constructor(options: ClusterOptions) {
    const { spool, clock, log } = options;
    this.#options = options;
    this.#startedAtMs = clock.nowMs();
    this.#backlog = new Backlog(options.registry, spool?.restored);
    this.#bucketCount = options.bucketCount;
    this.#lanes = new Lanes(options.lanesPerEndPoint, (id, endPoint) => this.#makeLane(id, endPoint));
    this.#endPoints = new EndPointList({
      servers: options.servers,
      refreshMs: options.dnsRefreshMs,
      clock,
      log,
      ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      changed: (endPoints) => this.#lanes.set(endPoints, (lanes) => this.#routes?.setLanes(lanes)),
    });
    this.#mendSpool();
  }

  /** Damage that was reported once must not be reported, and counted, at every start. */
  #mendSpool(): void {
    const { spool } = this.#options;
    if (spool === undefined || spool.restored.damage.length === 0) return;
    spool.keepDamaged();
    spool.compact(this.#live());
  }

  /** Connects, in the background. */
  async start(): Promise<void> {
    this.#armTick();
    await this.#endPoints.start();
  }

  /** Everything that is held, un-numbered and open. */
  get bufferedEvents(): number {
    return this.#producer?.bufferedEvents ?? this.#backlog.events;
  }

  /** (tab, client) pairs that wait un-numbered. */
  get pairs(): number {
    return this.#producer?.pairs ?? this.#backlog.parts.pairs;
  }

  holds(tab: TabName, client: ClientId): boolean {
    return this.#producer?.holds(tab, client) ?? this.#backlog.holds(tab, client);
  }

  /** The type under which `tab` waits; another cannot wait beside it. */
  typeOf(tab: TabName): TabType | undefined {
    return (this.#producer ?? this.#backlog).typeOf(tab);
  }

  get producerId(): ProducerId | undefined {
    return this.#producerId;
  }

  get bucketCount(): number | undefined {
    return this.#bucketCount;
  }

  get openBlocks(): number {
    return this.#producer?.openBlocks ?? this.#backlog.blocks.length;
  }

  get routes(): Pick<Routes, 'moves' | 'heldUp'> | undefined {
    return this.#routes;
  }

  get endPointError(): string | undefined {
    return this.#endPoints.lastError;
  }

  lanes(): readonly { readonly lane: Lane; readonly buckets: number }[] {
    return this.#lanes.all.map((lane) => ({ lane, buckets: this.#routes?.bucketsOf(lane) ?? 0 }));
  }

  account(): ClusterAccount {
    const lost = Object.fromEntries(this.#options.spool?.restored.lost ?? []);
    const books = this.#producer?.books();
    const rejected = addCounts(this.#backlog.rejected, this.#earlier, books?.rejected ?? {});
    const dropped = addCounts(lost, books?.dropped ?? {});
    return {
      received:
        (books?.received ?? this.#backlog.events) +
        totalOf(addCounts(lost, this.#backlog.rejected, this.#earlier)),
      buffered: this.bufferedEvents,
      delivered: books?.delivered ?? 0,
      rejected,
      dropped,
    };
  }

  /**
   * Takes Parts over: into the spool first (R8), then into memory. `parts` is empty afterwards.
   * @param encoded the same Parts, see wire/parts.ts; called only where there is a spool
   * @returns Parts that cannot wait beside what waits already @throws TabaError `store_failed`; nothing was taken then
   */
  accept(parts: PartMap, encoded: () => Uint8Array, origin?: Origin): readonly BlockRejection[] {
    const { spool } = this.#options;
    if (spool !== undefined) spool.accept(encoded(), parts.events, origin);
    return (this.#producer ?? this.#backlog).add(parts);
  }

  #makeLane(id: string, endPoint: EndPoint): Lane {
    const { connect, limits, answerTimeoutMs, backoff, clock, log } = this.#options;
    return new Lane({
      id,
      endPoint,
      connect,
      hello: () => this.#hello(),
      maxFrameBytes: limits.maxFrameBytes,
      answerTimeoutMs,
      backoff: backoff(),
      clock,
      log,
      events: {
        greeted: (_lane, hello) => this.#greeted(hello),
        answered: (lane, block, answer) => this.#routes?.answered(lane, block, answer),
        down: (lane) => this.#routes?.laneDown(lane),
        up: () => {
          this.#routes?.place();
          this.#send();
        },
        room: () => {
          this.#room();
          this.#checkEmpty();
        },
      },
    });
  }

  #hello(): Hello {
    const { instance, clientId, limits, clock } = this.#options;
    const bucketCount = this.#bucketCount;
    return {
      kind: 'hello',
      versions: [2],
      role: 'agent',
      id: instance,
      name: clientId,
      hash: 'xxh32',
      ...(bucketCount === undefined ? {} : { bucketCount }),
      ...(this.#generation === undefined ? {} : { generation: this.#generation }),
      maxFrameBytes: limits.maxFrameBytes,
      maxInFlight: 1,
      nowMs: clock.nowMs(),
    };
  }

  /** @returns why this server is not to be used */
  #greeted(hello: Hello): string | undefined {
    const mismatch = mapMismatch(
      {
        bucketCount: this.#bucketCount,
        generation: this.#generation,
        restored: this.#backlog.blocks,
        restoredBucketCount: this.#backlog.bucketCount,
      },
      hello,
    );
    if (mismatch !== undefined) return mismatch;
    this.#generation ??= hello.generation;
    if (this.#producer === undefined) this.#begin(hello.bucketCount!, hello);
    return undefined;
  }

  /** The first hello: now Blocks can be numbered. */
  #begin(bucketCount: number, hello: Hello): void {
    const { spool, registry, limits, clock, newId } = this.#options;
    this.#bucketCount = bucketCount;
    spool?.rememberBuckets(bucketCount);
    this.#producerId = newId() as ProducerId;
    const frameBytes = Math.min(limits.maxFrameBytes, hello.maxFrameBytes) - blockOverheadBytes;
    // The store's clock decides about forgetting (R11); a hello tells how far ours is from it.
    const storeAheadMs = hello.nowMs - clock.nowMs();
    const producer = new Producer({
      id: this.#producerId,
      birthMs: this.#startedAtMs + storeAheadMs,
      storeAheadMs,
      registry,
      bucketCount,
      limits,
      encode: (parts) => encodeParts(parts, registry),
      decode: (payload) => decodeParts(payload, registry),
      newId: () => newId() as ProducerId,
      maxBlockBytes: Math.min(defaultBlockBytes, frameBytes),
      ...(spool === undefined ? {} : { record: spool }),
    });
    producer.restore(this.#backlog);
    this.#earlier = this.#backlog.rejected;
    this.#backlog = new Backlog(registry, undefined);
    this.#producer = producer;
    this.#routes = new Routes({
      bucketCount,
      producer,
      safe: (block) => spool?.safe(block) ?? true,
      clock,
      log: this.#options.log,
    });
    this.#sealer = new Sealer({
      producer,
      routes: this.#routes,
      flushIntervalMs: this.#options.flushIntervalMs,
      send: () => this.#send(),
    });
    this.#routes.setLanes(this.#lanes.all);
  }

  /** How long whoever can fold had better do that, because servers are behind; nobody waits while no server is there. */
  get pauseMs(): number {
    const isUp = this.#lanes.all.some(({ up }) => up);
    return isUp ? (this.#sealer?.pauseMs(this.#options.clock.nowMs()) ?? 0) : 0;
  }

  /** A server has taken something. */
  #room(): void {
    const { spool, clock } = this.#options;
    // With a spool, what is sealed has to be written first, with each flush.
    if (this.#sealer?.hasMore === true && spool === undefined) this.#sealer.sealMore(clock.nowMs());
    else this.#send();
  }

  #armTick(leastMs = 0): void {
    if (this.#stopped) return;
    const { clock, flushIntervalMs: intervalMs } = this.#options;
    const waitMs = untilBeat({ intervalMs, offsetMs: behindClientsMs }, clock.nowMs(), leastMs);
    this.#cancelTick = clock.after(waitMs, () => {
      // One that was late need not be followed at once.
      this.#armTick(intervalMs / 2);
      this.#options.beforeFlush?.();
      this.flush();
    });
  }

  /** Seals and sends what is ready; called on every flush interval. */
  flush(): void {
    const { clock, spool } = this.#options;
    const now = clock.monotonicMs();
    spool?.probe();
    if (this.#producer !== undefined && this.#routes !== undefined) {
      if (now >= this.#expireAtMs) this.#expire(now);
      // While the spool cannot be written, sealing would only end the merging early.
      if (spool?.flush() ?? true) this.#sealer?.seal(clock.nowMs());
      if (now >= this.#rebalanceAtMs) {
        this.#rebalanceAtMs = now + rebalanceIntervalMs;
        this.#routes.rebalance();
      }
      this.#send();
    }
    if (spool?.wantsCompaction === true) spool.compact(this.#live());
    this.#checkEmpty();
  }

  #expire(now: number): void {
    const { clock, log, maxBlockAgeMs } = this.#options;
    this.#expireAtMs = now + expireIntervalMs;
    const events = this.#producer!.expire(clock.nowMs() - maxBlockAgeMs);
    if (events === 0) return;
    this.#routes!.abandoned();
    log.error('events_dropped', { reason: 'too_old', events, maxAgeMs: maxBlockAgeMs });
  }

  /** Sends whatever is recorded; several calls while a sync is under way become one. */
  #send(): void {
    const { spool } = this.#options;
    if (spool === undefined) {
      this.#routes?.pump();
      return;
    }
    if (this.#sendWhenSealed) return;
    this.#sendWhenSealed = true;
    const asked = spool.secure(() => {
      this.#sendWhenSealed = false;
      this.#routes?.pump();
    });
    if (!asked) this.#sendWhenSealed = false;
  }

  /** What of the spool is of use. */
  *#live(): Iterable<SpoolRecord> {
    const { registry, sessions, gauges, bodies } = this.#options;
    for (const { session, last } of sessions()) yield { kind: 'session', session, flush: last };
    if (gauges !== undefined) yield { kind: 'gauges', gauges: [...gauges()] };
    const keyed = [...(bodies?.() ?? [])];
    if (keyed.length > 0) yield { kind: 'keys', bodies: keyed };
    const producer = this.#producer;
    for (const block of this.#backlog.blocks) yield { kind: 'open', block };
    for (const bucket of producer?.openBuckets() ?? []) {
      for (const block of producer!.open(bucket)) yield { kind: 'open', block };
    }
    for (const parts of producer?.unnumbered() ?? [this.#backlog.parts]) {
      if (parts.pairs === 0) continue;
      const encoded = encodeParts(parts, registry);
      yield { kind: 'accepted', session: '', flush: 0, events: parts.events, parts: encoded };
    }
  }

  #checkEmpty(): void {
    if (this.#onEmpty !== undefined && this.bufferedEvents === 0) this.#onEmpty();
  }

  /** Hands over everything that is held. @returns events that are still held at the deadline */
  async drain(deadlineMs: number): Promise<number> {
    if (this.bufferedEvents === 0) return 0;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(deadlineMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
      this.flush();
    });
    this.#onEmpty = undefined;
    return this.bufferedEvents;
  }

  /** Ends connections and timers; what is still held is counted as dropped where no spool keeps it. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelTick?.();
    this.#endPoints.stop();
    this.#routes?.stop();
    this.#lanes.close('the agent stops');
    if (this.#options.spool === undefined) this.#producer?.discard('shut_down');
    this.#options.spool?.close();
  }
}
