import { FlushSessions } from '../../src/core/producer/sessions.js';
import { BlockSender } from './block-sender.js';
import type { Cluster } from './cluster.js';
import { makeSessions } from './mutants.js';
import { decodeParts } from './payload.js';
import { SimCrash, SpoolModel } from './spool-model.js';
import { epochMs, SimNode } from './world.js';

export type FlushAnswer = { readonly kind: 'ok' } | { readonly kind: 'gap'; readonly expected: number };

/** An agent with a spool: it may die at any write to the spool, and between any two steps. */
export class SimAgent {
  readonly node: SimNode;
  readonly #cluster: Cluster;
  readonly #spool: SpoolModel;
  #sender: BlockSender | undefined;
  #sessions: FlushSessions;
  /** Lies in the spool, and is lost with it. */
  #instance: string;

  constructor(name: string, cluster: Cluster) {
    this.node = new SimNode(name);
    this.#cluster = cluster;
    this.#instance = cluster.world.id();
    this.#spool = new SpoolModel(cluster.without);
    const { world, profile } = cluster;
    this.#spool.dies = () => world.faults && world.chance(profile.agentCrash / 10);
    this.#sessions = new FlushSessions({ maxSessions: 100, forgetAfterMs: 3_600_000 });
    this.start();
  }

  get idle(): boolean {
    return (
      this.#sender !== undefined &&
      this.#sender.producer.bufferedEvents === 0 &&
      this.#sender.producer.openBlocks === 0
    );
  }

  get balance(): number {
    return this.#sender?.producer.books().balance ?? 0;
  }

  start(): void {
    const { world } = this.#cluster;
    const { blocks, parts, sessions } = this.#spool.read();
    world.log(
      () => `${this.node.name}: starts with ${blocks.length} Blocks and ${parts.events} events in the spool`,
    );
    this.#sessions = makeSessions(this.#cluster.without);
    this.#sessions.restore(sessions);
    this.#sender = new BlockSender(this.#cluster, this.node, (action) => this.#guarded(action), {
      record: this.#spool,
    });
    this.#sender.producer.restore({ blocks, parts });
    this.#tick();
    this.#retry();
  }

  crash(): void {
    if (this.#sender === undefined) return;
    this.#cluster.world.log(() => `${this.node.name}: dies`);
    this.node.life++;
    this.#sender = undefined;
    const { world } = this.#cluster;
    world.after(20 + world.delayMs(200), () => this.start());
  }

  /** A session is one of an SDK with this instance (R9). */
  newSession(): string {
    return `${this.#cluster.world.id()} ${this.#instance}`;
  }

  /** It dies, and is started again without its spool. */
  loseSpool(): void {
    this.#cluster.world.log(() => `${this.node.name}: its spool is deleted`);
    this.crash();
    this.#spool.remove();
    this.#instance = this.#cluster.world.id();
  }

  /** `taba flush-all`: gives up what waits. */
  flushAll(): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    // Where it dies on the way, some are in the spool no more.
    const events = sender.producer.bufferedEvents;
    this.#cluster.world.log(() => `${this.node.name}: gives up ${events} events`);
    this.#cluster.ledger.gaveUp('flushed', events);
    this.#guarded(() => sender.producer.discard('flushed'));
  }

  compact(): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    this.#cluster.world.log(() => `${this.node.name}: compacts its spool`);
    this.#guarded(() => this.#spool.compact(sender.producer, this.#sessions.entries()));
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
      this.crash();
    }
  }

  #tick(): void {
    this.#guarded(() => this.#sender?.flush());
    this.#cluster.world.after(60 + this.#cluster.world.delayMs(60), () => this.#tick(), this.node);
  }

  #retry(): void {
    this.#guarded(() => this.#sender?.resend());
    this.#cluster.world.after(400, () => this.#retry(), this.node);
  }

  /** A flush of an SDK: answered when it is in the spool (R8, R9). */
  flush(session: string, number: number, payload: Uint8Array, answered: (answer: FlushAnswer) => void): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    if (!session.endsWith(this.#instance)) {
      answered({ kind: 'gap', expected: 0 });
      return;
    }
    const nowMs = epochMs + this.#cluster.world.nowMs;
    const verdict = this.#sessions.judge(session, number, nowMs);
    this.#cluster.world.log(
      () => `${this.node.name}: flush ${session.slice(0, 4)}#${number} is ${verdict.kind}`,
    );
    if (verdict.kind === 'gap') answered(verdict);
    if (verdict.kind === 'repeat') answered({ kind: 'ok' });
    if (verdict.kind !== 'next') return;
    this.#guarded(() => {
      this.#spool.flush(payload, { session, last: number, usedAtMs: nowMs });
      this.#sessions.taken(session, number, nowMs);
      sender.producer.add(decodeParts(payload));
      answered({ kind: 'ok' });
    });
  }
}
