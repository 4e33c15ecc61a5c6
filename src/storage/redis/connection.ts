import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { inTime } from '../../runtime/in-time.js';
import type { HostAndPort, RedisStoreOptions } from './options.js';

export interface Credentials {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  readonly tls?: RedisStoreOptions['tls'] | undefined;
}

/** How long a server may take to accept a connection and to answer its greeting. */
const connectTimeoutMs = 1500;
/** How long a command may take: beyond it the server is taken to be frozen. Higher values bear longer stalls, at the cost of a later fail-over. */
export const commandTimeoutMs = 3000;

/**
 * A connection that lives once: what breaks is not made again, nothing waits for a connection, and nothing is sent twice
 * (R3). Whoever needs another one makes another one. Its commands may take for ever: whoever gives one limits its time.
 *
 * @throws when there is none within the time limit
 */
export async function connectOnce(at: HostAndPort, credentials: Credentials): Promise<Redis> {
  const { user, password, database, tls } = credentials;
  const redis = new Redis({
    host: at.host,
    port: at.port,
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { db: database }),
    ...(tls !== undefined && { tls: tlsOptions(tls) }),
    lazyConnect: true,
    enableReadyCheck: false,
    ...neverAgain,
  });
  // Every command that fails says so to whoever gave it.
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  try {
    await inTime(
      redis.connect().then(() => redis.ping()),
      connectTimeoutMs,
    );
    return redis;
  } catch (error) {
    redis.disconnect();
    const reason = lastError?.message || (error as Error).message;
    throw new Error(`${at.host}:${at.port}: ${reason}`);
  }
}

const neverAgain = {
  retryStrategy: () => null,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // A server that is frozen does not say goodbye: whatever waits for its answers must hear at once that none will come.
  disconnectTimeout: 1,
} satisfies RedisOptions;

function tlsOptions({ caFile, certFile, keyFile }: NonNullable<RedisStoreOptions['tls']>): {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
} {
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(certFile !== undefined && { cert: readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
  };
}
