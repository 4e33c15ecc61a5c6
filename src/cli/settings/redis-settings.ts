import {
  bucketRange,
  duration,
  flag,
  hostAndPort,
  integer,
  list,
  path,
  redisUrl,
  secret,
  text,
} from './kinds.js';
import { optional, secondMs, servers, setting } from './setting.js';

const user = text('USER', 'the name of an ACL user');

/** The store that servers share, and what else they need to be one cluster: rows of the table in table.ts. */
export const redisSettings = {
  redis: optional({
    kind: redisUrl,
    of: servers,
    description: 'a single Redis, or a node of a Redis Cluster, as the store',
  }),
  sentinel: optional({
    kind: list(hostAndPort),
    of: servers,
    description: 'Redis Sentinels that name the masters of the shards',
  }),
  shard: optional({
    kind: list(bucketRange),
    of: servers,
    description: 'a Redis master, by the name that the Sentinels have for it, and the buckets that it holds',
  }),
  'redis-wait': optional({
    kind: integer(0, 16),
    of: servers,
    description:
      'replicas that must have a write before it counts as durable: 1 with sentinel, else 0, unless given. Exactly once over a fail-over needs all replicas; each costs a round trip, and one that is away stops writes',
  }),
  'redis-user': optional({ kind: user, of: servers, description: 'ACL user of the Redis servers' }),
  'redis-password': optional({
    kind: secret('PASSWORD'),
    of: servers,
    description:
      'password of the Redis servers; better in TABA_REDIS_PASSWORD or in a file than in a flag, which every user of the host can see',
  }),
  'sentinel-user': optional({ kind: user, of: servers, description: 'ACL user of the Sentinels' }),
  'sentinel-password': optional({
    kind: secret('PASSWORD'),
    of: servers,
    description: 'password of the Sentinels',
  }),
  'redis-tls': setting({
    kind: flag,
    of: servers,
    default: false,
    description: 'TLS to Redis and to Sentinel; rediss:// implies it',
  }),
  'redis-ca': optional({
    kind: path('FILE'),
    of: servers,
    description: 'certificates to trust for it, PEM; without, those of the system',
  }),
  'redis-cert': optional({
    kind: path('FILE'),
    of: servers,
    description: 'certificate of this client, PEM',
  }),
  'redis-key': optional({ kind: path('FILE'), of: servers, description: 'its private key, PEM' }),
  'redis-prefix': setting({
    kind: text(
      'TEXT',
      'at most 64 printable characters without spaces and braces, which Redis Cluster reads',
      /^[!-z|~]{1,64}$/,
    ),
    of: servers,
    default: 'taba:',
    description: 'what every key in Redis begins with; two clusters on one Redis need two',
  }),
  'heartbeat-interval': setting({
    kind: duration(50, 30 * secondMs),
    of: servers,
    default: 500,
    description:
      'how often servers on one store tell each other that they live; higher values cost less, and find out later',
  }),
  lease: setting({
    kind: duration(200, 300 * secondMs),
    of: servers,
    default: 3 * secondMs,
    description:
      'a server silent for longer is taken to be dead, and its buckets go to others; higher values bear longer pauses, at the cost of a longer gap after a crash',
  }),
};
