import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Resolved, resolveSettings } from '../../../src/cli/settings/resolve.js';
import type { Daemon } from '../../../src/cli/settings/table.js';

function resolve(
  t: Test,
  daemon: Daemon,
  content: unknown,
  flags: Readonly<Record<string, string>> = {},
): Resolved {
  const folder = t.testdir();
  writeFileSync(join(folder, 'old.json'), JSON.stringify(content));
  const all = new Map(
    Object.entries({ config: 'old.json', ...flags }).map(([name, value]) => [name, [value]]),
  );
  return resolveSettings(daemon, { flags: all, env: {}, folder });
}

t.test("an agent's file of the first Taba", (t) => {
  const { values } = resolve(t, 'agent', {
    AGENT_PORT: 8280,
    AGENT_FLUSH_SECONDS: 0.5,
    SERVER_ENDPOINTS: [
      { host: 'taba-1', port: 8300 },
      { host: 'taba-2', port: 8301 },
    ],
    AGENT_QUEUES_PER_SERVER: 3,
    DOUBLE_AGENT: { AGENT_PORT: 9999, SERVER_ENDPOINTS: [{ host: 'other', port: 8300 }] },
  });
  t.equal(values.port, 8280);
  t.equal(values['flush-interval'], 500);
  t.same(values.server, ['http://taba-1:8300', 'http://taba-2:8301']);
  t.equal(values['queues-per-server'], 3);
  t.same(values.mirror, ['http://other:8300']);
  t.end();
});

t.test("a server's file of the first Taba", (t) => {
  const { values, notes } = resolve(t, 'server', {
    SERVER_ROLES: 'fe,be',
    SERVER_WORKERS: 1,
    BASE_PORT: 8310,
    AGENT_PORT: 8279,
    DB_SETTINGS: { USE_MEMORY_DB: true, NUM_VBUCKETS: 64, SENTINELS: [], SHARDS: [] },
    NAME_BLACKLIST: ['test_.*'],
    CLIENT_BLACKLIST: [],
    ADDITIONAL_HANDLERS: { Mine: 'mine.cjs' },
    DEBUG: true,
  });
  t.same(values.role, ['fe', 'be']);
  t.equal(values.port, 8310);
  t.equal(values.store, 'memory');
  t.equal(values.buckets, 64);
  t.same(values['name-denylist'], ['test_.*']);
  t.equal(values['client-denylist'], undefined);
  t.match(values['additional-handlers']?.Mine, /\/mine\.cjs$/);
  t.equal(values['log-level'], 'debug');
  t.match(notes, [{ event: 'setting_without_effect', fields: { key: 'AGENT_PORT' } }]);
  t.end();
});

/** docs/taba_server_settings.json of the first Taba. */
const documented = {
  SERVER_ROLES: 'fe,be',
  SERVER_WORKERS: 1,
  BASE_PORT: 8300,
  AGENT_PORT: 8279,
  DB_SETTINGS: {
    USE_MEMORY_DB: false,
    NUM_VBUCKETS: 1000,
    SENTINELS: [['localhost', 18_000]],
    SHARDS: [
      { shard_name: 'shard1', vbuckets: [0, 499] },
      { shard_name: 'shard2', vbuckets: [500, 999] },
    ],
  },
};

t.test("the file of the first Taba's documents: two shards behind a Sentinel, without replicas", (t) => {
  const { values, notes } = resolve(t, 'server', documented);
  t.equal(values.store, 'redis');
  t.same(values.sentinel, ['localhost:18000']);
  t.same(values.shard, [
    { name: 'shard1', first: 0, last: 499 },
    { name: 'shard2', first: 500, last: 999 },
  ]);
  t.equal(values['redis-wait'], 0);
  t.match(notes, [
    { event: 'setting_without_effect', fields: { key: 'AGENT_PORT' } },
    { event: 'setting_assumed', fields: { setting: 'redis-wait', value: 0 } },
  ]);
  const waiting = resolve(t, 'server', documented, { 'redis-wait': '1' });
  t.equal(waiting.values['redis-wait'], 1);
  t.notMatch(waiting.notes, [{ event: 'setting_assumed' }]);
  t.end();
});

t.test('USE_MEMORY_DB wins over SENTINELS and SHARDS', (t) => {
  const { values, notes } = resolve(t, 'server', {
    DB_SETTINGS: { ...documented.DB_SETTINGS, USE_MEMORY_DB: true },
  });
  t.equal(values.store, 'memory');
  t.match(notes, [
    { fields: { key: 'DB_SETTINGS.SENTINELS', reason: 'USE_MEMORY_DB is true' } },
    { fields: { key: 'DB_SETTINGS.SHARDS' } },
  ]);
  t.end();
});

t.test('a flag wins over the file, and DEBUG false changes nothing', (t) => {
  const { values } = resolve(
    t,
    'server',
    { BASE_PORT: 8310, DEBUG: false, DB_SETTINGS: { USE_MEMORY_DB: false } },
    { port: '0' },
  );
  t.equal(values.port, 0);
  t.equal(values['log-level'], 'info');
  t.equal(values.store, 'embedded');
  t.end();
});

t.test('what cannot be followed is refused by its own key', (t) => {
  const cases: readonly (readonly [Daemon, unknown, RegExp])[] = [
    [
      'server',
      { DB_SETTINGS: { SENTINELS: ['localhost:18000'] } },
      /SENTINELS: .*a list of \["host", port\]/,
    ],
    [
      'server',
      { DB_SETTINGS: { SENTINELS: [['localhost', '1']] } },
      /SENTINELS: .*a list of \["host", port\]/,
    ],
    ['server', { DB_SETTINGS: { SENTINELS: [['h', 1]] } }, /--sentinel h:1 needs --shard/],
    [
      'server',
      { DB_SETTINGS: { SHARDS: [{ shard_name: 's', vbuckets: [0] }] } },
      /SHARDS: .*\[first, last\]/,
    ],
    ['server', { DB_SETTINGS: { SHARDS: [{ name: 's', vbuckets: [0, 9] }] } }, /SHARDS: .*"shard_name"/],
    [
      'server',
      {
        DB_SETTINGS: {
          SENTINELS: [['h', 1]],
          SHARDS: [{ shard_name: 's', vbuckets: [0, 9] }],
          NUM_VBUCKETS: 11,
        },
      },
      /buckets 10 to 10 belong to no shard/,
    ],
    [
      'server',
      { DB_SETTINGS: { USE_MEMORY: true } },
      /DB_SETTINGS\.USE_MEMORY: no such key.*did you mean USE_MEMORY_DB/,
    ],
    ['server', { SERVER_ROLE: 'be' }, /SERVER_ROLE: no such key.*did you mean SERVER_ROLES/],
    ['server', { SERVER_ENDPOINTS: [] }, /SERVER_ENDPOINTS: no such key of a first Taba's server settings/],
    ['server', { SERVER_WORKERS: 4 }, /--workers 4 with --store embedded/],
    ['server', { BASE_PORT: '8300' }, /^old\.json: BASE_PORT: "8300" is wrong: it takes a port/],
    ['server', { DEBUG: 'yes' }, /DEBUG: "yes" is wrong: it should be true or false/],
    ['server', { BASE_PORT: 1, port: 2 }, /port: no such key/],
    [
      'agent',
      { AGENT_FLUSH_SECONDS: '1' },
      /AGENT_FLUSH_SECONDS: "1" is wrong: it should be a number of seconds/,
    ],
    ['agent', { SERVER_ENDPOINTS: [{ host: 'a' }] }, /SERVER_ENDPOINTS: .*is wrong: it should be a list/],
    ['agent', { SERVER_ENDPOINTS: [] }, /SERVER_ENDPOINTS: \[\] is wrong/],
    ['agent', { DOUBLE_AGENT: { AGENT_PORT: 1 } }, /DOUBLE_AGENT: .*SERVER_ENDPOINTS/],
    [
      'agent',
      { DOUBLE_AGENT: { SERVER_ENDPOINTS: [{ host: 'a', port: 1 }], X: 1 } },
      /DOUBLE_AGENT: .*without X/,
    ],
  ];
  for (const [daemon, content, message] of cases) {
    t.throws(() => resolve(t, daemon, content), { message }, JSON.stringify(content));
  }
  t.end();
});
