import type { Redis } from 'ioredis';
import { inTime } from '../../runtime/in-time.js';
import { type Credentials, commandTimeoutMs, connectOnce } from './connection.js';
import { answersOf, joinCalls } from './joined-calls.js';
import type { HostAndPort } from './options.js';
import { evalshaArguments, type ScriptCall, scriptNames, scriptSources } from './scripts.js';

/** Called once, when a link has ended. */
type Dropped = (reason: string) => void;

/**
 * One generation of connections to one master: one for writes and WAIT, which blocks it, one for reads. It lives once: when
 * either breaks, when Sentinel names another master, or when an answer takes too long, it ends for good, and whatever waits
 * on it has an unknown outcome (R3).
 */
export class ShardLink {
  readonly at: HostAndPort;
  readonly #writes: Redis;
  readonly #reads: Redis;
  readonly #joins: boolean;
  readonly #dropped: Dropped;
  #endReason: string | undefined;

  private constructor(at: HostAndPort, writes: Redis, reads: Redis, dropped: Dropped, joins: boolean) {
    this.at = at;
    this.#writes = writes;
    this.#reads = reads;
    this.#joins = joins;
    this.#dropped = dropped;
    for (const redis of [writes, reads]) redis.once('end', () => this.drop('the connection was closed'));
  }

  /**
   * @param joins whether one run of a script may touch the keys of several buckets
   * @throws when there is no master at that place: an answer of ROLE other than `master` is a fault too
   */
  static async open(
    at: HostAndPort,
    credentials: Credentials,
    dropped: Dropped,
    joins: boolean,
  ): Promise<ShardLink> {
    const opened = await Promise.allSettled([connectOnce(at, credentials), connectOnce(at, credentials)]);
    const [writes, reads] = opened.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
    try {
      const failed = opened.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      const role = ((await inTime(writes!.call('ROLE'), commandTimeoutMs)) as [string])[0];
      if (role !== 'master') throw new Error(`${at.host}:${at.port} is a ${role}`);
      for (const name of scriptNames) {
        await inTime(writes!.script('LOAD', scriptSources[name]), commandTimeoutMs);
      }
      const link = new ShardLink(at, writes!, reads!, dropped, joins);
      if (writes!.status !== 'ready' || reads!.status !== 'ready') {
        throw new Error(`${at.host}:${at.port} closed the connection`);
      }
      return link;
    } catch (error) {
      writes?.disconnect();
      reads?.disconnect();
      throw error;
    }
  }

  get address(): string {
    return `${this.at.host}:${this.at.port}`;
  }

  get isOpen(): boolean {
    return this.#endReason === undefined;
  }

  get endReason(): string | undefined {
    return this.#endReason;
  }

  /** Runs calls in order, one pipeline; an answer or an error for each. @throws when the connection broke */
  async write(calls: readonly ScriptCall[]): Promise<(unknown | Error)[]> {
    const pipeline = this.#writes.pipeline();
    const joined = joinCalls(calls, this.#joins);
    for (const call of joined) pipeline.evalsha(...(evalshaArguments(call) as unknown as [string, number]));
    const results = await inTime(pipeline.exec(), commandTimeoutMs);
    if (results === null) throw new Error('the pipeline was not carried out');
    return results.flatMap(([error, value], index) => answersOf(joined[index]!, error ?? value));
  }

  /** @returns replicas that have everything this connection wrote, within the time given */
  async wait(replicas: number, timeoutMs: number): Promise<number> {
    return (await inTime(this.#writes.call('WAIT', replicas, timeoutMs), commandTimeoutMs)) as number;
  }

  /** A call beside the line of writes: its answer, binary. */
  run(call: ScriptCall): Promise<unknown> {
    return inTime(
      this.#reads.callBuffer('EVALSHA', ...(evalshaArguments(call) as unknown as [string, number])),
      commandTimeoutMs,
    );
  }

  command(name: string, ...args: (string | number)[]): Promise<unknown> {
    return inTime(this.#reads.call(name, ...args), commandTimeoutMs);
  }

  commandBuffer(name: string, ...args: (string | number)[]): Promise<unknown> {
    return inTime(this.#reads.callBuffer(name, ...args), commandTimeoutMs);
  }

  /** Ends it. Idempotent. */
  drop(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#writes.disconnect();
    this.#reads.disconnect();
    this.#dropped(reason);
  }
}

/** What a shard needs of a link: the simulation has its own. */
export type Link = Pick<ShardLink, keyof ShardLink>;
