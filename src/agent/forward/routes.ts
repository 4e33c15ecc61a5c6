import type { AddressedAnswer, Block } from '../../core/block.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Producer } from '../../core/producer/producer.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import { frameCostOf } from '../../wire/block-size.js';
import type { Lane } from './lane.js';
import { place } from './placement.js';

export interface RoutesOptions {
  readonly bucketCount: number;
  readonly producer: Producer;
  /** Whether a Block may be sent: its record is in the spool. */
  readonly safe: (block: Block) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a bucket's Blocks travel. */
interface Route {
  lane: Lane | undefined;
  /** Where the bucket moves once nothing is in flight on the present lane. */
  next: Lane | undefined;
  /** Sent on the present lane and not answered. */
  readonly inFlight: Set<Block>;
  /** A Block came back: once nothing is in flight any more, all are sent again from the oldest on. */
  restart: boolean;
  pausedUntilMs: number;
  /** Answers in a row that were no acknowledgement. */
  setbacks: number;
  /** When the first of these came, monotonic ms. */
  setBackAtMs: number;
}

/** Buckets whose Blocks come back again and again. */
export interface HeldUp {
  readonly buckets: number;
  /** Since the first of them had one acknowledged, ms. */
  readonly longestMs: number;
}

/** Pause after the first setback; it doubles with each. */
const firstPauseMs = 10;
const longestPauseMs = 1000;
/** After so many setbacks in a row, another way is tried. */
const setbacksBeforeMove = 4;
/** Load of a bucket fades by this factor at every rebalancing. */
const loadFading = 0.8;

/**
 * One route per bucket at a time (R10): which lane a bucket's Blocks travel on, what is in flight there, and what is sent
 * again when. On a change of route everything unacknowledged is sent again, from the oldest on; the owner tells repeats
 * by their number.
 */
export class Routes {
  readonly #options: RoutesOptions;
  readonly #routes: Route[];
  readonly #load: Float64Array;
  /** Buckets that may have something to send. */
  readonly #due = new Set<BucketIndex>();
  #lanes: readonly Lane[] = [];
  #cancelWake: (() => void) | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  moves = 0;

  constructor(options: RoutesOptions) {
    this.#options = options;
    this.#load = new Float64Array(options.bucketCount);
    this.#routes = Array.from({ length: options.bucketCount }, () => ({
      lane: undefined,
      next: undefined,
      inFlight: new Set<Block>(),
      restart: false,
      pausedUntilMs: 0,
      setbacks: 0,
      setBackAtMs: 0,
    }));
    for (const bucket of options.producer.openBuckets()) this.#due.add(bucket);
  }

  bucketsOf(lane: Lane): number {
    let count = 0;
    for (const route of this.#routes) if (route.lane === lane) count++;
    return count;
  }

  /** What no server takes, though there are some. */
  get heldUp(): HeldUp {
    const now = this.#now();
    let buckets = 0;
    let longestMs = 0;
    for (const { setbacks, setBackAtMs } of this.#routes) {
      if (setbacks === 0) continue;
      buckets++;
      longestMs = Math.max(longestMs, now - setBackAtMs);
    }
    return { buckets, longestMs };
  }

  /** Whether any lane would take a Block. */
  get hasRoom(): boolean {
    return this.#lanes.some((lane) => lane.hasRoom);
  }

  /** Whether a Block sealed now would be sent at once: sealing earlier would only end the merging early. */
  ready(bucket: BucketIndex): boolean {
    const route = this.#routes[bucket]!;
    if (route.lane?.hasRoom !== true || route.next !== undefined || route.restart) return false;
    return !this.#due.has(bucket) && route.pausedUntilMs <= this.#now();
  }

  /** There is a new Block in `bucket`. */
  sealed(bucket: BucketIndex): void {
    this.#due.add(bucket);
  }

  /** Sends what can be sent. */
  pump(): void {
    const { producer, safe } = this.#options;
    const now = this.#now();
    const outboxes = new Map<Lane, Block[]>();
    for (const bucket of this.#due) {
      const route = this.#routes[bucket]!;
      if (!this.#settleRoute(route, now)) continue;
      const lane = route.lane!;
      let outbox = outboxes.get(lane);
      if (outbox === undefined) {
        outbox = [];
        outboxes.set(lane, outbox);
      }
      let complete = true;
      for (const block of producer.open(bucket)) {
        if (route.inFlight.has(block)) continue;
        if (!safe(block)) {
          complete = false;
          break;
        }
        outbox.push(block);
      }
      if (complete) this.#due.delete(bucket);
    }
    for (const [lane, blocks] of outboxes) this.#send(lane, blocks);
  }

  /** Carries out what waits for the route to be empty or for a pause to end. @returns whether Blocks may be sent */
  #settleRoute(route: Route, now: number): boolean {
    if (route.inFlight.size === 0) {
      route.restart = false;
      if (route.next !== undefined) {
        route.lane = route.next;
        route.next = undefined;
      }
    }
    if (route.restart || route.next !== undefined || route.lane?.up !== true) return false;
    if (route.pausedUntilMs > now) {
      this.#wake(route.pausedUntilMs);
      return false;
    }
    return true;
  }

  #send(lane: Lane, blocks: readonly Block[]): void {
    const sent = lane.trySend(blocks);
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index]!;
      if (index < sent) {
        this.#routes[block.bucket]!.inFlight.add(block);
        this.#load[block.bucket]! += frameCostOf(block);
      } else {
        this.#due.add(block.bucket);
      }
    }
  }

  #wake(atMs: number): void {
    if (atMs >= this.#wakeAtMs) return;
    this.#cancelWake?.();
    this.#wakeAtMs = atMs;
    this.#cancelWake = this.#options.clock.after(Math.max(1, atMs - this.#now()), () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.pump();
    });
  }

  answered(lane: Lane, block: Block, addressed: AddressedAnswer): void {
    const { producer, clock, log } = this.#options;
    const { bucket } = block;
    const route = this.#routes[bucket]!;
    if (route.lane !== lane) return;
    route.inFlight.delete(block);
    const outcome = producer.take(addressed, clock.nowMs());
    switch (outcome.kind) {
      case 'settled':
        route.setbacks = 0;
        if (route.restart || route.next !== undefined) this.#due.add(bucket);
        break;
      case 'wait':
        this.#setBack(bucket, route, outcome.retryAfterMs);
        break;
      case 'resend':
      case 'reroute':
      case 'stale':
        this.#setBack(bucket, route, 0);
        break;
      case 'abandoned':
        log.error('events_dropped', { bucket, reason: outcome.reason, events: outcome.events });
        route.setbacks = 0;
        this.#dropStale(bucket, route);
        break;
    }
  }

  /** A Block came back unacknowledged. */
  #setBack(bucket: BucketIndex, route: Route, retryAfterMs: number): void {
    this.#due.add(bucket);
    const first = !route.restart;
    route.restart = true;
    if (first && route.setbacks++ === 0) route.setBackAtMs = this.#now();
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(route.setbacks - 1, 10));
    route.pausedUntilMs = Math.max(route.pausedUntilMs, this.#now() + Math.max(retryAfterMs, pauseMs));
    if (route.setbacks % setbacksBeforeMove !== 0 || !first) return;
    const others = this.#lanes.filter((lane) => lane.up && lane !== route.lane);
    if (others.length > 0) route.next = others[bucket % others.length];
  }

  /** Blocks that the producer gave up are in flight no more: nothing waits for their answers. */
  #dropStale(bucket: BucketIndex, route: Route): void {
    const open = new Set(this.#options.producer.open(bucket));
    for (const block of route.inFlight) if (!open.has(block)) route.inFlight.delete(block);
    this.#due.add(bucket);
  }

  /** The producer gave Blocks up on its own (their age, an operator). */
  abandoned(): void {
    for (let bucket = 0; bucket < this.#routes.length; bucket++) {
      const route = this.#routes[bucket]!;
      if (this.#options.producer.open(bucket as BucketIndex).length === 0) route.setbacks = 0;
      if (route.inFlight.size > 0) this.#dropStale(bucket as BucketIndex, route);
    }
  }

  /** The lanes there are; buckets of those that went are placed anew. */
  setLanes(lanes: readonly Lane[]): void {
    this.#lanes = lanes;
    this.rebalance();
  }

  laneDown(lane: Lane): void {
    for (const [bucket, route] of this.#routes.entries()) {
      if (route.next === lane) route.next = undefined;
      if (route.lane !== lane) continue;
      route.lane = undefined;
      route.inFlight.clear();
      route.restart = false;
      route.pausedUntilMs = 0;
      if (this.#options.producer.open(bucket as BucketIndex).length > 0) this.#due.add(bucket as BucketIndex);
    }
    this.place();
    this.pump();
  }

  /** Looks at the measured loads, and moves buckets; called about once a second, and whenever a lane comes up. */
  rebalance(): void {
    for (let bucket = 0; bucket < this.#load.length; bucket++) this.#load[bucket]! *= loadFading;
    this.place();
  }

  /** Places the buckets that have no lane, and relieves lanes far above their share. */
  place(): void {
    const byId = new Map(this.#lanes.map((lane) => [lane.id, lane]));
    const moves = place({
      lanes: this.#lanes.map((lane) => ({ id: lane.id, up: lane.up, latencyMs: lane.latencyMs() })),
      laneOf: this.#routes.map((route) => (route.next ?? route.lane)?.id),
      loadOf: [...this.#load],
    });
    for (const { bucket, to } of moves) {
      const route = this.#routes[bucket]!;
      if (route.lane !== undefined) this.moves++;
      route.next = byId.get(to);
      if (route.inFlight.size === 0) this.#settleRoute(route, this.#now());
      else this.#due.add(bucket as BucketIndex);
    }
  }

  stop(): void {
    this.#cancelWake?.();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
