import { TabaError } from '../../../src/core/errors.js';
import type { BucketIndex, MemberId } from '../../../src/core/ids.js';
import { defaultLimits, type Limits } from '../../../src/core/limits.js';
import type { Peers } from '../../../src/server/cluster/peers.js';
import { type Querying, querying } from '../../../src/server/query/querying.js';
import type { Owners, OwnersOptions } from '../../../src/server/reduce/owners.js';
import type { Member } from '../../../src/storage/coordination.js';
import { openMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { Store } from '../../../src/storage/store.js';
import type { HttpRequest } from '../../../src/transport/inbound/http.js';
import { FakeClock } from '../../support/fake-clock.js';
import { baseMs, block, bucketCount, type Given, newOwners, registry } from '../reduce/owners-kit.js';

/** Names of tabs by the bucket that they belong to: `tabIn[2][0]` is the first in bucket 2. */
export const tabsIn: readonly (readonly string[])[] = Array.from({ length: bucketCount }, (_, bucket) =>
  Array.from({ length: 100 }, (_, index) => `t${String(index).padStart(2, '0')}`).filter(
    (tab) => block({ tab }).bucket === bucket,
  ),
);

/** What the smallest frames that can be set have room for. */
const maxQuestionBytes = 2 ** 16 - 256;

export interface Said {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: { readonly code: string; readonly message: string; readonly [detail: string]: unknown };
}

export interface TinyOptions {
  readonly limits?: Partial<Limits>;
  readonly owners?: Partial<OwnersOptions>;
  readonly examine?: Store['examine'];
}

/** A server as far as queries and administration go. */
export class TinyServer {
  readonly id: MemberId;
  readonly owners: Owners;
  readonly querying: Querying;
  /** How other servers find it. */
  state: 'alive' | 'silent' | 'unreachable' = 'alive';
  /** Whether it may trust its memory. */
  isCurrent = true;
  /** Events that wait here to be discarded. */
  waiting = 0;
  /** Called when another server asks it something, before it answers. */
  beforeAnswer: (name: string) => Promise<void> | void = () => {};
  /** Whom it believes to hold each bucket. */
  readonly believed = new Map<BucketIndex, MemberId>();
  asked = 0;

  constructor(cluster: TinyCluster, index: number, { limits, owners, examine }: TinyOptions) {
    const { clock, store } = cluster;
    this.id = `server-${index}` as MemberId;
    this.owners = newOwners({ clock, store, mayRead: () => this.isCurrent, ...owners });
    this.querying = querying({
      ...{ owners: this.owners, peers: this.#peers(cluster), registry, clock },
      store: examine === undefined ? {} : { examine },
      limits: { ...defaultLimits, ...limits },
      presentSec: () => clock.nowMs() / 1000,
      discardPending: () => {
        const { waiting } = this;
        this.waiting = 0;
        return waiting;
      },
    });
  }

  #peers(cluster: TinyCluster): Peers {
    return {
      self: this.id,
      members: () => cluster.members(),
      holderOf: (bucket) => this.believed.get(bucket),
      notHeldBy: (bucket, member) => {
        const other = cluster.holderOf(bucket);
        if (this.believed.get(bucket) === member && other !== undefined) this.believed.set(bucket, other);
      },
      push: () => Promise.reject(new Error('no Blocks here')),
      ask: async (member, name, body) => {
        const asked = cluster.servers.find(({ id }) => id === member);
        if (asked === undefined || asked.state === 'unreachable') {
          throw new TabaError('unavailable', `server ${member} cannot be reached`);
        }
        if (body.length > maxQuestionBytes) throw new TabaError('frame_too_large', `${body.length} bytes`);
        asked.asked++;
        await asked.beforeAnswer(name);
        if (asked.state === 'silent') return new Promise(() => {});
        const answer = await asked.querying.questions[name]!(body.slice());
        return answer.slice();
      },
    };
  }

  /** As over HTTP: an error becomes its status and its JSON. */
  async ask(path: string, { method = 'GET', accept = 'application/json' } = {}): Promise<Said> {
    const url = new URL(path, 'http://x');
    const route = this.querying.routes.find((one) => one.path === url.pathname && one.method === method);
    if (route === undefined) throw new Error(`no route ${method} ${url.pathname}`);
    const request: HttpRequest = {
      ...{ method, path: url.pathname, query: url.searchParams, headers: new Map([['accept', accept]]) },
      ...{ body: new Uint8Array(), peer: 'test', isAborted: false },
    };
    try {
      const { status, body = '', headers = {} } = await route.handle(request);
      const text = Array.isArray(body) ? Buffer.concat(body).toString() : String(body);
      const json = accept.includes('json') ? JSON.parse(text) : undefined;
      return { status, text, json, headers, error: { code: '', message: '' } };
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      const { code, message, details } = error;
      const fault = { ...details, code, message };
      return { status: error.row.status, text: message, json: { error: fault }, headers: {}, error: fault };
    }
  }

  post(path: string): Promise<Said> {
    return this.ask(path, { method: 'POST' });
  }
}

/** Servers in one process on one store, whose links are calls. */
export class TinyCluster {
  readonly clock = new FakeClock(baseMs);
  readonly store: Store = openMemoryStore({ bucketCount });
  readonly servers: TinyServer[];
  readonly #holders: (TinyServer | undefined)[] = [];
  #producers = 0;

  private constructor(servers: number, options: TinyOptions) {
    this.servers = Array.from({ length: servers }, (_, index) => new TinyServer(this, index, options));
  }

  /** @param shares buckets of each server */
  static async of(shares: readonly (readonly number[])[], options: TinyOptions = {}): Promise<TinyCluster> {
    const cluster = new TinyCluster(shares.length, options);
    for (const [index, buckets] of shares.entries()) {
      for (const bucket of buckets) await cluster.move(bucket, cluster.servers[index]);
    }
    cluster.tell();
    return cluster;
  }

  members(): Member[] {
    return this.servers
      .filter((server) => !this.gone.has(server))
      .map(({ id }, index) => ({
        ...{ id, address: `host:${8300 + index}`, roles: ['be'], version: '1', weight: 1, leaving: false },
        report: new Uint8Array(),
      }));
  }

  /** Those whose lease is over. */
  readonly gone = new Set<TinyServer>();

  holderOf(bucket: number): MemberId | undefined {
    return this.#holders[bucket]?.id;
  }

  /** Hands a bucket over, or takes it from a dead server; nobody is told. */
  async move(bucket: number, to: TinyServer | undefined): Promise<void> {
    const from = this.#holders[bucket];
    if (from !== undefined && !this.gone.has(from)) await from.owners.release([bucket as BucketIndex]);
    this.#holders[bucket] = to;
    await to?.owners.acquire([bucket as BucketIndex]);
  }

  /** Everybody learns who holds what. */
  tell(): void {
    for (const { believed } of this.servers) {
      believed.clear();
      for (const [bucket, holder] of this.#holders.entries()) {
        if (holder !== undefined) believed.set(bucket as BucketIndex, holder.id);
      }
    }
  }

  /** Counts an event at whoever holds its bucket. */
  async count(...all: readonly Given[]): Promise<void> {
    for (const given of all) {
      const sent = block({ ...given, producer: `p${this.#producers++}` });
      const answer = await this.#holders[sent.bucket]?.owners.take(sent);
      if (answer?.kind !== 'acknowledged' || answer.rejected.length > 0) {
        throw new Error(`not counted: ${JSON.stringify(answer)}`);
      }
    }
  }

  /** What `promise` comes to, however long it waits: time passes as fast as it can. */
  async eventually<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    for (let ms = 0; !isSettled && ms < maxMs; ms += 10) await this.clock.advanceAsync(10);
    if (!isSettled) throw new Error(`not settled after ${maxMs} ms`);
    return settled;
  }
}
