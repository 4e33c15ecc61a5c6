import t from 'tap';
import { refusal, resolve } from './resolving.js';

const redis = { redis: 'redis://user:topsecret@127.0.0.1:6379/1' };
const sentinel = { sentinel: ['s1:26379', '[::1]:26379'], shard: ['one:0-499', 'two:500-999'] };

t.test('an address of Redis, or of Sentinels, implies the redis store', (t) => {
  t.equal(resolve(t, 'server', {}).values.store, 'embedded');
  const single = resolve(t, 'server', { flags: redis }).values;
  t.equal(single.store, 'redis');
  t.equal(single['redis-wait'], 0, 'a single Redis has no replica to wait for');
  for (const daemon of ['server', 'up'] as const) {
    const sharded = resolve(t, daemon, { flags: sentinel }).values;
    t.equal(sharded.store, 'redis');
    t.equal(sharded['redis-wait'], 1);
    t.same(sharded.shard, [
      { name: 'one', first: 0, last: 499 },
      { name: 'two', first: 500, last: 999 },
    ]);
  }
  t.equal(resolve(t, 'server', { flags: { ...sentinel, 'redis-wait': '2' } }).values['redis-wait'], 2);
  t.equal(resolve(t, 'server', { flags: { ...sentinel, 'redis-wait': '0' } }).values['redis-wait'], 0);
  t.equal(resolve(t, 'server', { flags: { ...redis, role: 'fe', workers: '4' } }).values.workers, 4);
  t.match(resolve(t, 'up', { flags: { ...redis, data: 'x' } }).values.data, /\/x$/, 'for the spool');
  t.end();
});

t.test('from a file and from the environment', (t) => {
  const { values } = resolve(t, 'server', { file: { ...sentinel, 'redis-tls': true, 'redis-ca': 'ca.pem' } });
  t.same(values.sentinel, sentinel.sentinel);
  t.match(values['redis-ca'], /\/ca\.pem$/);
  const env = {
    TABA_SENTINEL: 's1:26379,s2:26379',
    TABA_SHARD: 'one:0-999',
    TABA_REDIS_PASSWORD: 'topsecret',
  };
  t.same(resolve(t, 'server', { env }).values.sentinel, ['s1:26379', 's2:26379']);
  t.end();
});

t.test('what contradicts itself is refused, naming both sides', (t) => {
  const cases: readonly (readonly [flags: Record<string, string | readonly string[]>, message: RegExp])[] = [
    [
      { ...redis, ...sentinel },
      /^--redis redis:\/\/user:\*\*\*@.* and --sentinel s1:26379,\[::1\]:26379 both say/,
    ],
    [{ store: 'redis' }, /^--store redis needs --redis URL, or --sentinel/],
    [{ store: 'embedded', ...redis }, /^--redis .* has no effect with --store embedded/],
    [{ store: 'memory', ...sentinel }, /^--sentinel .* has no effect with --store memory/],
    [{ 'redis-wait': '1' }, /^--redis-wait 1 has no effect with --store embedded/],
    [{ lease: '3s' }, /^--lease 3s has no effect with --store embedded/],
    [{ sentinel: 's1:26379' }, /^--sentinel s1:26379 needs --shard/],
    [{ shard: 'one:0-999' }, /^--shard one:0-999 has no effect with --store embedded.*--sentinel/],
    [{ ...redis, shard: 'one:0-999' }, /^--shard one:0-999 goes with --sentinel/],
    [{ ...redis, 'sentinel-user': 'u' }, /^--sentinel-user u goes with --sentinel, not with --redis/],
    [{ ...redis, 'redis-user': 'u' }, /^--redis-user u and --redis .* both say it/],
    [{ ...redis, 'redis-password': 'topsecret' }, /^--redis-password \*\*\* and --redis .* both say it/],
    [{ ...redis, 'redis-ca': '/ca.pem' }, /^--redis-ca \/ca\.pem has no effect without --redis-tls/],
    [
      { ...redis, 'redis-tls': 'true', 'redis-key': '/k' },
      /--redis-cert and --redis-key .*--redis-key \/k came alone/,
    ],
    [{ ...redis, data: '/x' }, /^--data \/x has no effect with --store redis/],
    [{ store: 'memory', data: '/x' }, /^--data \/x has no effect with --store memory/],
    [
      { ...redis, lease: '3s', 'heartbeat-interval': '700ms' },
      /^--lease 3s must be a multiple of --heartbeat-interval 700ms/,
    ],
    [{ ...redis, lease: '1s' }, /^--lease 1s .*--heartbeat-interval 500ms, 3 times/],
    [{ role: 'fe,ctrl' }, /^--role fe,ctrl lacks be, and --store embedded.*--redis.*--sentinel/],
    [{ workers: '2' }, /^--workers 2 with --store embedded.*--redis.*--sentinel/],
    [{ workers: '2', store: 'memory' }, /^--workers 2 with --store memory/],
  ];
  for (const [flags, message] of cases) {
    const refused = refusal(t, 'server', { flags });
    t.match(refused, message);
    t.notMatch(refused, /topsecret/);
  }
  t.end();
});

t.test('shards hold each bucket once', (t) => {
  const shards = (...shard: string[]) => refusal(t, 'server', { flags: { sentinel: 's:1', shard } });
  t.match(
    shards('a:0-499', 'b:600-999'),
    /^--shard: buckets 500 to 599 belong to no shard \(--buckets 1000\)/,
  );
  t.match(shards('a:0-500', 'b:500-999'), /buckets 500 to 500 belong to both a and b/);
  t.match(shards('a:0-998'), /buckets 999 to 999 belong to no shard/);
  t.match(shards('a:0-1000'), /a has 0 to 1000, but buckets go from 0 to 999/);
  t.match(shards('a:9-0'), /a has 9 to 0/);
  t.match(shards('a:0-499', 'a:500-999'), /a is given twice/);
  t.match(shards('0-999'), /^--shard: "0-999" is wrong: it takes the name of a master and its buckets/);
  t.end();
});

t.test('values that no Redis can have', (t) => {
  for (const url of [
    'http://h',
    'redis://',
    'h:6379',
    'redis://h/x',
    'redis://u:topsecret@h:99999',
    'rediss:// h',
  ]) {
    const refused = refusal(t, 'server', { flags: { redis: url } });
    t.match(refused, /^--redis: .* is wrong: it takes an address such as redis:/, url);
    t.notMatch(refused, /topsecret/);
  }
  t.match(
    refusal(t, 'server', { flags: { ...redis, 'redis-prefix': 'a{b}' } }),
    /--redis-prefix: .*without spaces and braces/,
  );
  const secret = refusal(t, 'server', { flags: { ...redis, 'redis-password': 'top\nsecret' } });
  t.match(secret, /^--redis-password: what is given is wrong/);
  t.notMatch(secret, /secret is|top/);
  t.end();
});

t.test('a secret in a flag is noted, one in the environment is not', (t) => {
  const flags = { redis: 'redis://h', 'redis-password': 'topsecret' };
  const { notes } = resolve(t, 'server', { flags });
  t.match(notes, [{ event: 'secret_on_command_line', fields: { setting: 'redis-password' } }]);
  t.notMatch(JSON.stringify(notes), /topsecret/);
  t.match(
    resolve(t, 'server', { flags: redis }).notes,
    [{ fields: { setting: 'redis' } }],
    'also within an address',
  );
  const env = { TABA_REDIS_PASSWORD: 'topsecret' };
  t.same(resolve(t, 'server', { flags: { redis: 'redis://h' }, env }).notes, []);
  t.end();
});
