import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Child } from '../process/child.js';
import { freePort } from '../process/free-port.js';
import { redisServerProgram } from '../process/system-program.js';
import { TemporaryFolder } from '../process/temporary-folder.js';

/** Who may ask it, and over what. */
export interface RedisAccess {
  readonly user?: string;
  readonly password?: string;
  /** Listens with TLS only. Replication and Sentinel use it as well. */
  readonly tls?: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
}

export interface RedisOptions extends RedisAccess {
  /** Lines of redis.conf, such as 'maxmemory 100mb'. They stand last and so win. */
  readonly config?: readonly string[];
  /** A free one below 32768 unless given. */
  readonly port?: number;
}

/** Where and as what a process runs, beyond what people choose. */
export interface RedisPlace {
  readonly name: string;
  /** For its configuration, its data and its log; made where missing. */
  readonly folder: string;
  readonly port: number;
  readonly config: readonly string[];
  readonly access: RedisAccess;
  readonly sentinel?: boolean;
}

const readyDeadlineMs = 15_000;
const answerDeadlineMs = 1000;

/** A redis-server (or a sentinel) on loopback that a test kills, freezes, and starts again on its port and in its folder. */
export class RedisProcess {
  readonly name: string;
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly folder: string;
  readonly access: RedisAccess;
  readonly #child: Child;
  readonly #printed: readonly string[];

  /** @param printed what the child prints, which it does only before it has a log */
  private constructor(place: RedisPlace, child: Child, printed: readonly string[]) {
    this.name = place.name;
    this.port = place.port;
    this.folder = place.folder;
    this.access = place.access;
    this.#child = child;
    this.#printed = printed;
  }

  /** Writes its configuration and starts it. @throws when it does not answer, with its last log lines */
  static async start(place: RedisPlace): Promise<RedisProcess> {
    await mkdir(place.folder, { recursive: true });
    const file = join(place.folder, 'redis.conf');
    await writeFile(file, `${[...listening(place), ...place.config].join('\n')}\n`);
    const command = [await redisServerProgram(), file, ...(place.sentinel ? ['--sentinel'] : [])];
    const printed: string[] = [];
    const child = new Child(place.name, command, {
      cwd: place.folder,
      onLine: (line) => printed.push(line),
    });
    const redis = new RedisProcess(place, child, printed);
    await redis.restart();
    return redis;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.running;
  }

  get frozen(): boolean {
    return this.#child.frozen;
  }

  get logFile(): string {
    return join(this.folder, 'redis.log');
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#child.kill();
  }

  freeze(): void {
    this.#child.freeze();
  }

  thaw(): void {
    this.#child.thaw();
  }

  /** SIGTERM: it saves what its configuration says, and ends. */
  async stop(): Promise<void> {
    await this.#child.stop();
  }

  /** In place: same port, same folder, with what it had on disk. Kills it first where it runs. Ready when it resolves. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#child.spawn();
    const deadline = performance.now() + readyDeadlineMs;
    for (;;) {
      if (!this.running)
        throw new Error(`${this.name} ended with ${this.#child.ending}:\n${await this.log()}`);
      if ((await this.ask('ping').catch(() => undefined)) === 'PONG') return;
      if (performance.now() > deadline) {
        await this.kill();
        throw new Error(
          `${this.name} did not answer within ${readyDeadlineMs / 1000} s:\n${await this.log()}`,
        );
      }
      await pause(20);
    }
  }

  /**
   * One command on a connection of its own.
   *
   * @throws when it is refused, or not answered within a second
   */
  async ask(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const connection = this.connect();
    try {
      await connection.connect();
      return await connection.call(command, ...args.map(String));
    } finally {
      connection.disconnect();
    }
  }

  /** A connection that is neither made yet (`connect()`) nor ever made again. */
  connect(): Redis {
    const { user, password, tls } = this.access;
    const connection = new Redis({
      host: this.host,
      port: this.port,
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: answerDeadlineMs,
      commandTimeout: answerDeadlineMs,
      retryStrategy: () => null,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls: { rejectUnauthorized: false } }),
    });
    // What fails is told to whoever asked.
    connection.on('error', () => {});
    return connection;
  }

  /** A part of INFO by field: `(await redis.info('replication')).role`. */
  async info(section: string): Promise<Readonly<Record<string, string>>> {
    const lines = String(await this.ask('info', section)).split('\r\n');
    return Object.fromEntries(
      lines
        .filter((line) => line.includes(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
  }

  /** The end of its log, and of what it printed. */
  async log(): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return [...text.split('\n').slice(-20), ...this.#printed.slice(-20)].join('\n').trim();
  }
}

function listening({ folder, port, access: { tls } }: RedisPlace): string[] {
  const common = [
    'bind 127.0.0.1',
    'protected-mode no',
    'daemonize no',
    `dir ${folder}`,
    `logfile ${join(folder, 'redis.log')}`,
  ];
  if (tls === undefined) return [...common, `port ${port}`];
  return [
    ...common,
    'port 0',
    `tls-port ${port}`,
    `tls-ca-cert-file ${tls.caFile}`,
    `tls-cert-file ${tls.certFile}`,
    `tls-key-file ${tls.keyFile}`,
    'tls-auth-clients optional',
    'tls-replication yes',
  ];
}

/** What every data server of a test has: the append-only file, replication that begins at once, and its password. */
export function serverConfig({ user, password }: RedisAccess): string[] {
  const lines = ['appendonly yes', 'appendfsync everysec', 'save ""', 'repl-diskless-sync-delay 0'];
  if (password === undefined) return lines;
  lines.push(`masterauth ${password}`);
  if (user === undefined) return [...lines, `requirepass ${password}`];
  return [...lines, `masteruser ${user}`, 'user default off', `user ${user} on >${password} ~* &* +@all`];
}

export interface SingleRedis {
  readonly redis: RedisProcess;
  /** `redis://…` or `rediss://…`, user and password included. */
  readonly url: string;
  /** Ends it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/** One Redis in a temporary folder. */
export async function startRedis(options: RedisOptions = {}): Promise<SingleRedis> {
  const folder = await TemporaryFolder.create('taba-redis-');
  const { config = [], port, ...access } = options;
  try {
    const redis = await RedisProcess.start({
      name: 'redis',
      folder: folder.path,
      port: port ?? (await freePort()),
      config: [...serverConfig(access), ...config],
      access,
    });
    return {
      redis,
      url: urlOf(redis),
      stop: async () => {
        await redis.kill();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function urlOf({ host, port, access: { user = '', password, tls } }: RedisProcess): string {
  const login = password === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  return `${tls === undefined ? 'redis' : 'rediss'}://${login}${host}:${port}`;
}
