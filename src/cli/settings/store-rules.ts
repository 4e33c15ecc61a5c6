import { RangeMap } from '../../core/buckets.js';
import { TabaError } from '../../core/errors.js';
import { showDuration } from './kinds.js';
import { redisSettings } from './redis-settings.js';
import type { Rule } from './rule.js';
import { servers } from './setting.js';
import { type Setting, type SettingName, type SettingValues, settings } from './table.js';

const shared = '--redis, or --sentinel with --shard, makes a store that servers share';

/** Settings that go with the redis store only. */
const ofRedis = Object.keys(redisSettings) as SettingName[];
const ofSentinel = ['sentinel-user', 'sentinel-password'] as const satisfies readonly SettingName[];
const ofTls = ['redis-ca', 'redis-cert', 'redis-key'] as const satisfies readonly SettingName[];

/** A setting as it would be written as a flag; a secret without its value. */
function shown(values: SettingValues, name: SettingName): string {
  const { kind } = settings[name] as Setting;
  return `--${name} ${kind.show(values[name])}`;
}

/** What belongs to which store, and what the redis store needs. */
export const storeRules: readonly Rule[] = [
  {
    of: servers,
    fault: (values) =>
      values.redis !== undefined && values.sentinel !== undefined
        ? `${shown(values, 'redis')} and ${shown(values, 'sentinel')} both say where the store is: give one of them`
        : undefined,
  },
  {
    of: servers,
    fault(values, isGiven) {
      if (values.store !== 'redis') {
        const stray = ofRedis.find(isGiven);
        return stray && `${shown(values, stray)} has no effect with --store ${values.store}: ${shared}`;
      }
      return values.redis === undefined && values.sentinel === undefined
        ? '--store redis needs --redis URL, or --sentinel HOST:PORT with --shard NAME:FIRST-LAST'
        : undefined;
    },
  },
  {
    of: servers,
    fault: (values) =>
      values.sentinel !== undefined && values.shard === undefined
        ? `${shown(values, 'sentinel')} needs --shard NAME:FIRST-LAST for each master: a Sentinel does not say which holds which buckets`
        : undefined,
  },
  {
    of: servers,
    fault: (values) =>
      values.redis !== undefined && values.shard !== undefined
        ? `${shown(values, 'shard')} goes with --sentinel: ${shown(values, 'redis')} holds every bucket`
        : undefined,
  },
  { of: servers, fault: shardsFault },
  {
    of: servers,
    fault(values, isGiven) {
      const stray = values.sentinel === undefined ? ofSentinel.find(isGiven) : undefined;
      return stray && `${shown(values, stray)} goes with --sentinel, not with ${shown(values, 'redis')}`;
    },
  },
  {
    of: servers,
    fault(values, isGiven) {
      if (values['redis-tls'] || values.redis?.startsWith('rediss:')) return undefined;
      const stray = ofTls.find(isGiven);
      return stray && `${shown(values, stray)} has no effect without --redis-tls (or rediss://)`;
    },
  },
  {
    of: servers,
    fault: (values) =>
      (values['redis-cert'] === undefined) === (values['redis-key'] === undefined)
        ? undefined
        : `--redis-cert and --redis-key belong together: ${shown(values, values['redis-cert'] === undefined ? 'redis-key' : 'redis-cert')} came alone`,
  },
  {
    of: servers,
    fault(values) {
      const { username, password } = new URL(values.redis ?? 'redis://-');
      const twice =
        (username !== '' && values['redis-user'] !== undefined && 'redis-user') ||
        (password !== '' && values['redis-password'] !== undefined && 'redis-password');
      return twice
        ? `${shown(values, twice)} and ${shown(values, 'redis')} both say it: give one of them`
        : undefined;
    },
  },
  {
    of: ['server'],
    fault: ({ store, role }) =>
      role.includes('be') || store === 'redis'
        ? undefined
        : `--role ${role.join(',')} lacks be, and --store ${store} has no other server to be it: ${shared}`,
  },
  {
    of: ['server'],
    fault: ({ store, workers }) =>
      workers > 1 && store !== 'redis'
        ? `--workers ${workers} with --store ${store}: several processes cannot use one; ${shared}`
        : undefined,
  },
  {
    of: servers,
    fault: ({ store, data }, isGiven) =>
      store === 'memory' && isGiven('data')
        ? `--data ${data} has no effect with --store memory, which keeps nothing`
        : undefined,
  },
  {
    of: ['server'],
    fault: ({ store, data }, isGiven) =>
      store === 'redis' && isGiven('data')
        ? `--data ${data} has no effect with --store redis, which keeps everything in Redis`
        : undefined,
  },
  {
    of: servers,
    fault({ lease, 'heartbeat-interval': heartbeat }) {
      const beats = lease / heartbeat;
      return Number.isInteger(beats) && beats >= minBeatsPerLease
        ? undefined
        : `--lease ${showDuration(lease)} must be a multiple of --heartbeat-interval ${showDuration(heartbeat)}, ${minBeatsPerLease} times as long at least: one late heartbeat is not a death`;
    },
  },
];

const minBeatsPerLease = 3;

/** Every bucket belongs to one shard, and every shard is named once. */
function shardsFault({ shard, buckets, sentinel }: SettingValues): string | undefined {
  if (shard === undefined || sentinel === undefined) return undefined;
  const names = shard.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `--shard: ${twice} is given twice; a shard holds one range of buckets`;
  try {
    new RangeMap(shard, buckets);
    return undefined;
  } catch (error) {
    if (!(error instanceof TabaError)) throw error;
    return `--shard: ${error.message.replace(/^shards: /, '')} (--buckets ${buckets})`;
  }
}
