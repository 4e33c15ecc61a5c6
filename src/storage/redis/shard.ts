import { Backoff } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { Credentials } from './connection.js';
import { denialIn, endsLink, isMisplaced, isRefusal, ShardUnavailable } from './faults.js';
import { type ScriptCall, sizeOf } from './scripts.js';
import { type Link, ShardLink } from './shard-link.js';
import type { Topology } from './topology.js';

export interface ShardOptions {
  readonly name: string;
  readonly topology: Topology;
  readonly credentials: Credentials;
  readonly waitReplicas: number;
  readonly clock: Clock;
  readonly log: Log;
  /** A new link is made: what must hold before anything goes over it. @throws to refuse it */
  greet(link: Link): Promise<void>;
  /** Makes a link; the simulation has its own. */
  readonly open?: (...asked: Parameters<typeof ShardLink.open>) => Promise<Link>;
  /** In [0, 1), for the pauses between attempts. */
  readonly random?: () => number;
}

interface Waiting {
  readonly call: ScriptCall;
  /** Survives the loss of the link while it waits in line: it depends on nothing written before. */
  readonly begins: boolean;
  readonly deadlineMs: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Calls and bytes of one group. Higher values cost less per call, at the cost of those who wait behind it. */
const maxGroupCalls = 256;
const maxGroupBytes = 4 * 2 ** 20;
/** One WAIT; it may be repeated, on the connection that wrote (R3). */
const waitTimeoutMs = 500;
/** After so long the writes of a group count as failed. */
const giveUpWaitMs = 10_000;
/** A Redis that denied writes is taken to be well again after so long without a denial: somebody has to try. */
const denialHoldsMs = 5000;
/** What a Redis that is out of memory carries out as well: no sign that it is well again. */
const undeniable: ReadonlySet<string> = new Set(['acquire', 'trim']);
/** How long closing waits for what is under way. */
const closeWithinMs = 3000;
/** How long an acquisition waits for a connection: all of them go on at once when there is one. */
const beginWithinMs = 5000;

/**
 * One master: a link that is made anew whenever it breaks, and the writes that wait for it, in groups: one pipeline of
 * scripts, then one WAIT for all of them (R2). While a group is under way the next one gathers.
 */
export class Shard {
  readonly name: string;
  readonly #options: ShardOptions;
  readonly #backoff: Backoff;
  #waiting: Waiting[] = [];
  #link: Link | undefined;
  #callOffConnect: (() => void) | undefined;
  #isConnecting = false;
  #isCommitting = false;
  #isScheduled = false;
  #trouble: string | undefined;
  #denial: { readonly reason: string; readonly atMs: number } | undefined;
  #lastError = 'not connected yet';
  #closed = false;
  #idle: (() => void)[] = [];
  commits = 0;

  constructor(options: ShardOptions) {
    this.name = options.name;
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: options.random ?? Math.random });
  }

  /** The first connection; afterwards the shard looks after itself. @throws when it cannot be had now */
  async open(): Promise<void> {
    await this.#connect();
  }

  /** What writes wait for; undefined when they do not. */
  get waitingFor(): string | undefined {
    if (this.#link === undefined) return `${this.name}: ${this.#lastError}`;
    return this.#trouble ?? this.#deniedFor;
  }

  get #deniedFor(): string | undefined {
    if (this.#denial === undefined) return undefined;
    const { reason, atMs } = this.#denial;
    return this.#options.clock.monotonicMs() - atMs > denialHoldsMs ? undefined : `${this.name}: ${reason}`;
  }

  /** Resolves with the script's answer once that is durable. @param begins it starts anew: it may wait for a connection */
  write(call: ScriptCall, begins = false): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ShardUnavailable(this.name, this.#lastError));
    if (this.#link === undefined && !begins) {
      return Promise.reject(new ShardUnavailable(this.name, this.#lastError));
    }
    const deadlineMs = this.#options.clock.monotonicMs() + beginWithinMs;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, begins, deadlineMs, resolve, reject });
      if (this.#link === undefined) this.#connectSoon(0);
      else this.#schedule();
    });
  }

  /** Runs a script beside the line of writes, unconfirmed: its answer, binary. @throws what the script refuses with, or ShardUnavailable */
  async run(call: ScriptCall): Promise<unknown> {
    return this.#over((link) => link.run(call));
  }

  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#over((link) => link.command(name, ...args));
  }

  async commandBuffer(name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#over((link) => link.commandBuffer(name, ...args));
  }

  async #over<T>(ask: (link: Link) => Promise<T>): Promise<T> {
    const link = this.#link;
    if (link === undefined) {
      throw new ShardUnavailable(this.name, this.#lastError);
    }
    let answer: T;
    try {
      answer = await ask(link);
    } catch (error) {
      this.#judge(link, error as Error);
      throw this.#asFault(link, error as Error);
    }
    // Sentinel named another master meanwhile: what this one says may be old.
    if (!link.isOpen) throw new ShardUnavailable(this.name, link.endReason!);
    return answer;
  }

  /** What a script refuses is its caller's to take. After anything else the outcome is unknown. */
  #asFault(link: Link, error: Error): Error {
    return isRefusal(error) ? error : new ShardUnavailable(this.name, link.endReason ?? error.message);
  }

  #judge(link: Link, error: Error): void {
    if (isMisplaced(error)) this.#options.topology.refresh?.().catch(() => {});
    else if (endsLink(error)) link.drop(error.message);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isCommitting) return;
    this.#isScheduled = true;
    // What else comes in this turn goes along.
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      void this.#commitAll();
    });
  }

  async #commitAll(): Promise<void> {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    while (this.#waiting.length > 0 && this.#link !== undefined) await this.#commit(this.#link);
    this.#isCommitting = false;
    if (this.#waiting.length === 0 || this.#link === undefined)
      for (const done of this.#idle.splice(0)) done();
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    let end = 0;
    while (end < this.#waiting.length && end < maxGroupCalls && bytes < maxGroupBytes) {
      bytes += sizeOf(this.#waiting[end++]!.call);
    }
    return this.#waiting.splice(0, end);
  }

  async #commit(link: Link): Promise<void> {
    const group = this.#nextGroup();
    try {
      const answers = await link.write(group.map(({ call }) => call));
      const refused = answers.filter((answer) => answer instanceof Error);
      for (const error of refused) this.#judge(link, error);
      this.#watchDenials(group, answers);
      if (refused.length < group.length) await this.#confirm(link);
      this.commits++;
      for (const [index, { resolve, reject }] of group.entries()) {
        const answer = answers[index];
        if (answer instanceof Error) reject(this.#asFault(link, answer));
        else resolve(answer);
      }
    } catch (error) {
      link.drop((error as Error).message);
      for (const { reject } of group) reject(new ShardUnavailable(this.name, link.endReason!));
    }
  }

  /** R2: every replica asked for has it, or nobody may see it. WAIT is repeated on the connection that wrote, and nowhere else. */
  async #confirm(link: Link): Promise<void> {
    const { waitReplicas, clock, topology } = this.#options;
    if (waitReplicas === 0) {
      if (!link.isOpen) throw new Error(link.endReason);
      return;
    }
    const startMs = clock.monotonicMs();
    for (;;) {
      const confirmed = await link.wait(waitReplicas, waitTimeoutMs);
      if (!link.isOpen) throw new Error(link.endReason);
      if (confirmed >= waitReplicas) break;
      this.#trouble = `${this.name}: ${confirmed} of ${waitReplicas} replicas to confirm`;
      if (clock.monotonicMs() - startMs > giveUpWaitMs) {
        throw new Error(`${confirmed} of ${waitReplicas} replicas confirmed within ${giveUpWaitMs / 1000} s`);
      }
      const named = await topology.locate(this.name).catch(() => undefined);
      if (named !== undefined && (named.host !== link.at.host || named.port !== link.at.port)) {
        throw new Error(`Sentinel names another master, ${named.host}:${named.port}`);
      }
    }
    this.#trouble = undefined;
  }

  #watchDenials(group: readonly Waiting[], answers: readonly (unknown | Error)[]): void {
    let isWell = false;
    for (const [index, answer] of answers.entries()) {
      const reason = answer instanceof Error ? denialIn(answer) : undefined;
      if (reason !== undefined) {
        this.#denial = { reason, atMs: this.#options.clock.monotonicMs() };
        return;
      }
      isWell ||= !(answer instanceof Error) && !undeniable.has(group[index]!.call.script);
    }
    if (isWell) this.#denial = undefined;
  }

  /** Sentinel says that the master is elsewhere now. */
  moved(to: { readonly host: string; readonly port: number }): void {
    const link = this.#link;
    if (link === undefined) this.#connectNow();
    else if (link.at.host !== to.host || link.at.port !== to.port) {
      link.drop(`fail-over to ${to.host}:${to.port}`);
    }
  }

  /** Cuts the pause between two attempts short. */
  #connectNow(): void {
    if (this.#closed || this.#callOffConnect === undefined) return;
    this.#callOffConnect();
    this.#callOffConnect = undefined;
    this.#connectSoon(0);
  }

  async #connect(): Promise<void> {
    const { topology, credentials, greet, log, open = ShardLink.open } = this.#options;
    let link: Link | undefined;
    this.#isConnecting = true;
    try {
      const at = await topology.locate(this.name);
      link = await open(at, credentials, (reason) => this.#lost(link, reason), !topology.hasSlots);
      await greet(link);
      if (!link.isOpen) throw new Error(link.endReason);
    } catch (error) {
      link?.drop((error as Error).message);
      throw error;
    } finally {
      this.#isConnecting = false;
    }
    if (this.#closed) {
      link.drop(this.#lastError);
      return;
    }
    this.#link = link;
    this.#backoff.reset();
    log.info('shard_connected', { shard: this.name, master: link.address });
    this.#schedule();
  }

  #lost(link: Link | undefined, reason: string): void {
    if (link === undefined || this.#link !== link) return;
    this.#link = undefined;
    this.#trouble = undefined;
    this.#lastError = reason;
    const { log } = this.#options;
    if (!this.#closed) log.warn('shard_lost', { shard: this.name, master: link.address, reason });
    // Numbers behind a write of unknown fate are void with it; what begins anew is not.
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ begins }) => begins && !this.#closed);
    for (const one of waiting) {
      if (!one.begins || this.#closed) one.reject(new ShardUnavailable(this.name, reason));
    }
    this.#connectSoon(this.#backoff.nextMs() / 4);
  }

  /** Makes a link, unless there is one or it is being made: for a shard that came about later, of a Redis Cluster. */
  connectSoon(): void {
    if (this.#link === undefined) this.#connectSoon(0);
  }

  #connectSoon(delayMs: number): void {
    if (this.#closed || this.#callOffConnect !== undefined || this.#isConnecting) return;
    this.#callOffConnect = this.#options.clock.after(delayMs, () => {
      this.#callOffConnect = undefined;
      this.#connect().catch((error: Error) => {
        if (this.#closed) return;
        if (this.#lastError !== error.message) {
          this.#options.log.warn('shard_unreachable', { shard: this.name, reason: error.message });
        }
        this.#lastError = error.message;
        this.#giveUpLate(error.message);
        this.#connectSoon(this.#backoff.nextMs());
      });
    });
  }

  /** Acquisitions that have waited long enough for a connection. */
  #giveUpLate(reason: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const one of waiting) {
      if (one.deadlineMs <= nowMs) one.reject(new ShardUnavailable(this.name, reason));
    }
  }

  /** Waits for what is under way, as long as there is a connection and not for ever, then ends it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#link !== undefined && (this.#waiting.length > 0 || this.#isCommitting)) {
      await new Promise<void>((resolve) => {
        const callOff = this.#options.clock.after(closeWithinMs, resolve);
        this.#idle.push(() => {
          callOff();
          resolve();
        });
        this.#schedule();
      });
    }
    this.end('the store is closed');
  }

  /** Ends it at once: whatever is under way has an unknown outcome. Idempotent. */
  end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lastError = reason;
    this.#callOffConnect?.();
    this.#link?.drop(reason);
    for (const { reject } of this.#waiting.splice(0)) reject(new ShardUnavailable(this.name, reason));
    for (const done of this.#idle.splice(0)) done();
  }
}
