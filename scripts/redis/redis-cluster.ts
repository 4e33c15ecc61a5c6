import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../process/free-port.js';
import { TemporaryFolder } from '../process/temporary-folder.js';
import { type RedisAccess, RedisProcess, serverConfig } from './redis-process.js';

export interface RedisClusterOptions extends RedisAccess {
  /** Names of the masters, or how many: shard1, shard2, … 2 unless given. */
  readonly shards?: number | readonly string[];
  /** Per shard; 1 unless given. */
  readonly replicas?: number;
  /** 3 unless given. */
  readonly sentinels?: number;
  /** Lines of redis.conf for masters and replicas. */
  readonly config?: readonly string[];
  /** Who may ask the sentinels. */
  readonly sentinelAccess?: Pick<RedisAccess, 'user' | 'password'>;
  /** A name of loopback such as `localhost`: sentinels then name hosts instead of addresses. */
  readonly hostName?: string;
  /** Where the masters and the sentinels listen, in order; free ports where there are none. */
  readonly ports?: { readonly masters?: readonly number[]; readonly sentinels?: readonly number[] };
  /** A server silent for so long is down to a sentinel; 1000 unless given. On a busy machine higher values avoid false alarms. */
  readonly downAfterMs?: number;
  /** Sentinel repeats an attempt that failed after twice this long. */
  readonly failoverTimeoutMs?: number;
  /**
   * Asked once for each master and replica: the port under which everybody, sentinels and replicas included, reaches it;
   * that of a proxy, say. Its own port unless given.
   */
  readonly reachedAt?: (name: string, port: number) => Promise<number>;
}

/** One master with its replicas; which of them is the master, Sentinel says. */
export interface RedisShard {
  readonly name: string;
  /** shard1-a, shard1-b, …: the first was the master at the beginning. */
  readonly servers: readonly RedisProcess[];
}

const readyDeadlineMs = 30_000;

/** Redis shards watched by Sentinel, all on loopback and in one temporary folder. */
export class RedisCluster {
  readonly shards: readonly RedisShard[];
  readonly sentinels: readonly RedisProcess[];
  readonly hostName: string;
  readonly #folder: TemporaryFolder;
  readonly #reachedAt: ReadonlyMap<number, RedisProcess>;

  constructor(parts: {
    readonly shards: readonly RedisShard[];
    readonly sentinels: readonly RedisProcess[];
    readonly hostName: string;
    readonly folder: TemporaryFolder;
    readonly reachedAt: ReadonlyMap<number, RedisProcess>;
  }) {
    this.shards = parts.shards;
    this.sentinels = parts.sentinels;
    this.hostName = parts.hostName;
    this.#folder = parts.folder;
    this.#reachedAt = parts.reachedAt;
  }

  /** As `--sentinel` wants them. */
  get sentinelAddresses(): readonly string[] {
    return this.sentinels.map(({ port }) => `${this.hostName}:${port}`);
  }

  /** Masters, replicas and sentinels. */
  get processes(): readonly RedisProcess[] {
    return [...this.shards.flatMap(({ servers }) => servers), ...this.sentinels];
  }

  shard(name: string): RedisShard {
    const shard = this.shards.find((candidate) => candidate.name === name);
    if (shard === undefined) throw new Error(`there is no ${name}`);
    return shard;
  }

  /**
   * The master of a shard as most of the sentinels that answer name it.
   *
   * @throws when none answers
   */
  async master(shard: string): Promise<RedisProcess> {
    const votes = new Map<RedisProcess, number>();
    const answers = await Promise.allSettled(
      this.sentinels
        .filter((sentinel) => sentinel.running && !sentinel.frozen)
        .map((sentinel) => sentinel.ask('sentinel', 'get-master-addr-by-name', shard)),
    );
    for (const answer of answers) {
      if (answer.status !== 'fulfilled' || !Array.isArray(answer.value)) continue;
      const named = this.#reachedAt.get(Number(answer.value[1]));
      if (named !== undefined) votes.set(named, (votes.get(named) ?? 0) + 1);
    }
    const [first] = [...votes].sort(([, left], [, right]) => right - left);
    if (first === undefined) throw new Error(`no sentinel names the master of ${shard}`);
    return first[0];
  }

  /** Those of a shard that are not its master. */
  async replicas(shard: string): Promise<RedisProcess[]> {
    const master = await this.master(shard);
    return this.shard(shard).servers.filter((server) => server !== master);
  }

  /**
   * Whether every other server of the shard follows the master and has all that it has written: what `WAIT` for that
   * many replicas would confirm.
   */
  async isInSync(shard: string): Promise<boolean> {
    try {
      const master = await this.master(shard);
      const { role, connected_slaves, ...replication } = await master.info('replication');
      const replicas = this.shard(shard).servers.length - 1;
      if (role !== 'master' || Number(connected_slaves) < replicas) return false;
      for (let index = 0; index < replicas; index++) {
        if (!/state=online,.*lag=[01]$/.test(replication[`slave${index}`] ?? '')) return false;
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until Sentinel names another master of the shard than `before`. @returns the new one */
  async failedOver(shard: string, before: RedisProcess, deadlineMs = readyDeadlineMs): Promise<RedisProcess> {
    let present = before;
    await until(`a fail-over of ${shard}`, deadlineMs, async () => {
      present = await this.master(shard);
      return present !== before && (await present.info('replication')).role === 'master';
    });
    return present;
  }

  /** Waits until every replica of a shard is in sync. */
  async inSync(shard: string, deadlineMs = readyDeadlineMs): Promise<void> {
    await until(`${shard} to be in sync`, deadlineMs, () => this.isInSync(shard));
  }

  /** Waits until every replica of every shard is in sync. */
  async settled(deadlineMs = readyDeadlineMs): Promise<void> {
    for (const { name } of this.shards) await this.inSync(name, deadlineMs);
  }

  /** Copies the log of each process into a folder, as `shard1-a.log`. */
  async saveLogs(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const redis of this.processes) {
      await copyFile(redis.logFile, join(folder, `${redis.name}.log`)).catch(() => {});
    }
  }

  /** Kills every process and removes the folder. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.map((redis) => redis.kill()));
    await this.#folder.remove();
  }
}

async function until(what: string, deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`);
    await pause(50);
  }
}

/** Starts the shards, waits for their replicas, and then starts the sentinels; resolves when these know everything. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const folder = await TemporaryFolder.create('taba-redis-');
  const started: RedisProcess[] = [];
  try {
    return await start(options, folder, started);
  } catch (error) {
    await Promise.all(started.map((redis) => redis.kill()));
    await folder.remove();
    throw error;
  }
}

async function start(
  options: RedisClusterOptions,
  folder: TemporaryFolder,
  started: RedisProcess[],
): Promise<RedisCluster> {
  const { shards = 2, replicas = 1, sentinels: sentinelCount = 3, hostName = '127.0.0.1' } = options;
  const names =
    typeof shards === 'number' ? Array.from({ length: shards }, (_, index) => `shard${index + 1}`) : shards;
  const { user, password, tls } = options;
  const access: RedisAccess = {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
  const reachedAt = new Map<number, RedisProcess>();

  const startServer = async (name: string, port: number, master: number | undefined) => {
    const reached = (await options.reachedAt?.(name, port)) ?? port;
    const redis = await RedisProcess.start({
      name,
      port,
      folder: join(folder.path, name),
      config: [
        ...serverConfig(access),
        `replica-announce-ip ${hostName}`,
        `replica-announce-port ${reached}`,
        ...(master === undefined ? [] : [`replicaof ${hostName} ${master}`]),
        ...(options.config ?? []),
      ],
      access,
    });
    started.push(redis);
    reachedAt.set(reached, redis);
    return { redis, reached };
  };

  const monitored: { readonly name: string; readonly port: number }[] = [];
  const running = await Promise.all(
    names.map(async (name, index): Promise<RedisShard> => {
      const master = await startServer(
        `${name}-a`,
        options.ports?.masters?.[index] ?? (await freePort()),
        undefined,
      );
      monitored[index] = { name, port: master.reached };
      const servers = [master.redis];
      for (let replica = 0; replica < replicas; replica++) {
        const letter = String.fromCharCode('b'.charCodeAt(0) + replica);
        servers.push((await startServer(`${name}-${letter}`, await freePort(), master.reached)).redis);
      }
      await until(`the replicas of ${name}`, readyDeadlineMs, async () => {
        return Number((await master.redis.info('replication')).connected_slaves) === replicas;
      });
      return { name, servers };
    }),
  );

  const sentinels: RedisProcess[] = [];
  for (let index = 0; index < sentinelCount; index++) {
    const name = `sentinel${index + 1}`;
    const sentinel = await RedisProcess.start({
      name,
      port: options.ports?.sentinels?.[index] ?? (await freePort()),
      folder: join(folder.path, name),
      config: sentinelConfig(options, hostName, monitored, Math.floor(sentinelCount / 2) + 1),
      access: { ...options.sentinelAccess, ...(tls === undefined ? {} : { tls }) },
      sentinel: true,
    });
    started.push(sentinel);
    sentinels.push(sentinel);
  }
  const cluster = new RedisCluster({ shards: running, sentinels, hostName, folder, reachedAt });
  for (const sentinel of sentinels) {
    for (const name of names) {
      await until(`${sentinel.name} to know ${name}`, readyDeadlineMs, async () => {
        const fields = (await sentinel.ask('sentinel', 'master', name)) as readonly string[];
        const field = (key: string): number => Number(fields[fields.indexOf(key) + 1]);
        return field('num-slaves') === replicas && field('num-other-sentinels') === sentinelCount - 1;
      });
    }
  }
  return cluster;
}

function sentinelConfig(
  options: RedisClusterOptions,
  hostName: string,
  monitored: readonly { readonly name: string; readonly port: number }[],
  quorum: number,
): string[] {
  const { user, password, sentinelAccess = {}, downAfterMs = 1000, failoverTimeoutMs = 3000 } = options;
  const lines: string[] = [];
  if (hostName !== '127.0.0.1') {
    lines.push('sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes');
    lines.push(`sentinel announce-ip ${hostName}`);
  }
  if (sentinelAccess.password !== undefined) {
    if (sentinelAccess.user === undefined) lines.push(`requirepass ${sentinelAccess.password}`);
    else {
      lines.push('user default off');
      lines.push(`user ${sentinelAccess.user} on >${sentinelAccess.password} ~* &* +@all`);
      lines.push(`sentinel sentinel-user ${sentinelAccess.user}`);
    }
    lines.push(`sentinel sentinel-pass ${sentinelAccess.password}`);
  }
  for (const { name, port } of monitored) {
    lines.push(`sentinel monitor ${name} ${hostName} ${port} ${quorum}`);
    lines.push(`sentinel down-after-milliseconds ${name} ${downAfterMs}`);
    lines.push(`sentinel failover-timeout ${name} ${failoverTimeoutMs}`);
    if (password !== undefined) {
      if (user !== undefined) lines.push(`sentinel auth-user ${name} ${user}`);
      lines.push(`sentinel auth-pass ${name} ${password}`);
    }
  }
  return lines;
}
