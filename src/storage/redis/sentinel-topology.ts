import type { Redis } from 'ioredis';
import { type BucketRange, RangeMap } from '../../core/buckets.js';
import type { BucketIndex } from '../../core/ids.js';
import { Backoff } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import { type Credentials, connectOnce } from './connection.js';
import type { HostAndPort } from './options.js';
import type { Topology } from './topology.js';

export interface SentinelOptions {
  readonly sentinels: readonly HostAndPort[];
  readonly credentials: Credentials;
  readonly shards: readonly BucketRange[];
  readonly bucketCount: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long one Sentinel may take to answer: the others are asked at the same time. */
const answerWithinMs = 700;

/**
 * Masters found through Sentinel. Every Sentinel that was named is asked and listened to, so that any of them may be away;
 * where their answers differ, most of them decide. A wrong answer costs time only: owners are fenced.
 */
export class SentinelTopology implements Topology {
  readonly shards: readonly string[];
  readonly hasSlots = false;
  readonly controlShard: string;
  readonly #map: RangeMap;
  readonly #watches: SentinelWatch[];
  readonly #moved: ((shard: string, to: HostAndPort) => void)[] = [];

  constructor(options: SentinelOptions) {
    this.#map = new RangeMap(options.shards, options.bucketCount);
    this.shards = this.#map.ranges.map(({ name }) => name);
    this.controlShard = this.#map.nameOf(0 as BucketIndex);
    this.#watches = options.sentinels.map(
      (at) =>
        new SentinelWatch(at, options, (shard, to) => {
          if (!this.shards.includes(shard)) return;
          options.log.warn('master_switched', { shard, to: `${to.host}:${to.port}` });
          for (const moved of this.#moved) moved(shard, to);
        }),
    );
  }

  keepsMeta(): boolean {
    return true;
  }

  bucketsOf(shard: string): string {
    return this.#map.ranges
      .filter(({ name }) => name === shard)
      .map(({ first, last }) => `${first}-${last}`)
      .join(', ');
  }

  shardOf(bucket: BucketIndex): string {
    return this.#map.nameOf(bucket);
  }

  async locate(shard: string): Promise<HostAndPort> {
    const votes = new Map<string, { readonly at: HostAndPort; count: number }>();
    const reasons = new Set<string>();
    return new Promise((resolve, reject) => {
      const decide = (): void => {
        const [best] = [...votes.values()].sort((a, b) => b.count - a.count);
        if (best !== undefined) resolve(best.at);
        else reject(new Error(`no Sentinel names its master (${[...reasons].join('; ')})`));
      };
      let silent = this.#watches.length;
      for (const watch of this.#watches) {
        void watch.masterOf(shard).then((answer) => {
          silent--;
          if (typeof answer === 'string') reasons.add(answer);
          else {
            const vote = votes.get(`${answer.host}:${answer.port}`) ?? { at: answer, count: 0 };
            vote.count++;
            votes.set(`${answer.host}:${answer.port}`, vote);
            // Most of them agree: nobody waits for one that is frozen.
            if (vote.count > this.#watches.length / 2) decide();
          }
          if (silent === 0) decide();
        });
      }
    });
  }

  onMove(moved: (shard: string, to: HostAndPort) => void): void {
    this.#moved.push(moved);
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }
}

/** Two connections to one Sentinel, for asking and for listening, made anew whenever they break. */
class SentinelWatch {
  readonly #at: HostAndPort;
  readonly #options: SentinelOptions;
  readonly #moved: (shard: string, to: HostAndPort) => void;
  readonly #backoff = new Backoff({ firstMs: 100, maxMs: 2000 });
  #asking: Promise<Redis> | undefined;
  #listening: Redis | undefined;
  #callOff: (() => void) | undefined;
  #closed = false;

  constructor(at: HostAndPort, options: SentinelOptions, moved: (shard: string, to: HostAndPort) => void) {
    this.#at = at;
    this.#options = options;
    this.#moved = moved;
    void this.#listen();
  }

  /** @returns the reason in words where it has no answer */
  async masterOf(shard: string): Promise<HostAndPort | string> {
    const name = `${this.#at.host}:${this.#at.port}`;
    let callOff = (): void => {};
    const late = new Promise<string>((resolve) => {
      callOff = this.#options.clock.after(answerWithinMs, () => {
        this.#dropAsking();
        resolve(`${name} does not answer`);
      });
    });
    const asked = this.#ask(shard).catch((error: Error) => {
      this.#dropAsking();
      return error.message.startsWith(name) ? error.message : `${name}: ${error.message}`;
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      callOff();
    }
  }

  async #ask(shard: string): Promise<HostAndPort | string> {
    this.#asking ??= connectOnce(this.#at, this.#options.credentials);
    const redis = await this.#asking;
    if (this.#closed) redis.disconnect();
    const answer = (await redis.call('SENTINEL', 'get-master-addr-by-name', shard)) as
      | [string, string]
      | null;
    if (answer === null) return `${this.#at.host}:${this.#at.port} knows no master ${shard}`;
    return { host: answer[0], port: Number(answer[1]) };
  }

  #dropAsking(): void {
    const asking = this.#asking;
    this.#asking = undefined;
    asking?.then(
      (redis) => redis.disconnect(),
      () => {},
    );
  }

  async #listen(): Promise<void> {
    this.#callOff = undefined;
    try {
      const redis = await connectOnce(this.#at, this.#options.credentials);
      if (this.#closed) {
        redis.disconnect();
        return;
      }
      this.#listening = redis;
      redis.on('message', (_channel, message: string) => {
        // master name, old host, old port, new host, new port
        const [shard, , , host, port] = message.split(' ');
        if (shard !== undefined && host !== undefined) this.#moved(shard, { host, port: Number(port) });
      });
      redis.once('end', () => this.#listenAgain());
      await redis.subscribe('+switch-master');
      this.#backoff.reset();
    } catch {
      if (this.#listening === undefined) this.#listenAgain();
      else this.#listening.disconnect();
    }
  }

  #listenAgain(): void {
    this.#listening = undefined;
    if (this.#closed || this.#callOff !== undefined) return;
    this.#callOff = this.#options.clock.after(this.#backoff.nextMs(), () => void this.#listen());
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
    this.#dropAsking();
    this.#listening?.disconnect();
  }
}
