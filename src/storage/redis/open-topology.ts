import { TabaError } from '../../core/errors.js';
import { inTime } from '../../runtime/in-time.js';
import { type Credentials, commandTimeoutMs, connectOnce } from './connection.js';
import type { RedisStoreOptions } from './options.js';
import { SentinelTopology } from './sentinel-topology.js';
import { singleTopology } from './single-topology.js';
import { slotTopology } from './slot-topology.js';
import type { Topology } from './topology.js';

/** A topology, and how its servers are entered. */
export interface OpenTopology {
  readonly topology: Topology;
  readonly credentials: Credentials;
}

/** @throws TabaError `store_failed` when the first server cannot be asked, `bad_setting` */
export async function openTopology(options: RedisStoreOptions): Promise<OpenTopology> {
  const { topology, bucketCount, clock, log, prefix, tls } = options;
  if (topology.kind === 'sentinel') {
    const { sentinels, shards, sentinelUser, sentinelPassword } = topology;
    return {
      topology: new SentinelTopology({
        ...{ sentinels, shards, bucketCount, clock, log },
        credentials: { user: sentinelUser, password: sentinelPassword, tls },
      }),
      credentials: { user: options.user, password: options.password, tls },
    };
  }
  const url = new URL(topology.url);
  const at = { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || 6379) };
  const credentials: Credentials = {
    user: options.user ?? (decodeURIComponent(url.username) || undefined),
    password: options.password ?? (decodeURIComponent(url.password) || undefined),
    database: Number(url.pathname.slice(1) || 0) || undefined,
    tls: tls ?? (url.protocol === 'rediss:' ? {} : undefined),
  };
  try {
    const first = await connectOnce(at, credentials);
    try {
      const info = await inTime(first.info('cluster'), commandTimeoutMs);
      if (/cluster_enabled:1/.test(info)) {
        return { topology: await slotTopology({ at, credentials, prefix }), credentials };
      }
    } finally {
      first.disconnect();
    }
  } catch (error) {
    if (error instanceof TabaError) throw error;
    throw new TabaError('store_failed', `redis: ${(error as Error).message}`);
  }
  return { topology: singleTopology(at, bucketCount), credentials };
}
