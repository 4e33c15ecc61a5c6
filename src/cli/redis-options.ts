import type { Clock } from '../runtime/clock.js';
import type { Log } from '../runtime/log.js';
import type { HostAndPort, RedisStoreOptions, RedisTopology } from '../storage/redis/options.js';
import type { SettingValues } from './settings/table.js';

/** The redis store, as the settings describe it. */
export function redisOptions(
  settings: SettingValues,
  { clock, log }: { clock: Clock; log: Log },
): RedisStoreOptions {
  const user = settings['redis-user'];
  const password = settings['redis-password'];
  return {
    topology: topologyOf(settings),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...((settings['redis-tls'] || settings.redis?.startsWith('rediss:')) && { tls: tlsOf(settings) }),
    prefix: settings['redis-prefix'],
    waitReplicas: settings['redis-wait'] ?? 0,
    bucketCount: settings.buckets,
    leaseMs: settings.lease,
    clock,
    log,
  };
}

function topologyOf(settings: SettingValues): RedisTopology {
  const { redis, sentinel = [], shard = [] } = settings;
  if (redis !== undefined) return { kind: 'url', url: redis };
  const user = settings['sentinel-user'];
  const password = settings['sentinel-password'];
  return {
    kind: 'sentinel',
    sentinels: sentinel.map(hostAndPortOf),
    shards: shard,
    ...(user !== undefined && { sentinelUser: user }),
    ...(password !== undefined && { sentinelPassword: password }),
  };
}

/** An IPv6 address stands in brackets in the setting, and without in a connection. */
function hostAndPortOf(written: string): HostAndPort {
  const colon = written.lastIndexOf(':');
  const host = written.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(written.slice(colon + 1)) };
}

function tlsOf(settings: SettingValues): NonNullable<RedisStoreOptions['tls']> {
  const [caFile, certFile, keyFile] = [settings['redis-ca'], settings['redis-cert'], settings['redis-key']];
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}
