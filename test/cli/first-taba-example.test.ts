/**
 * The example of the first Taba's documents: two Redis masters without replicas on ports 17000 and 17001, one Sentinel on
 * 18000, and its two settings files as they are. Here on free ports, which is all that is changed in the files.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/process/free-port.js';
import { type RedisCluster, startRedisCluster } from '../../scripts/redis/redis-cluster.js';
import { type DaemonProcess, startDaemon } from './daemon-process.js';
import { taba } from './terminal.js';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** docs/taba_server_settings.json of the first Taba. */
const serverSettings = `{
  "SERVER_ROLES": "fe,be",
  "SERVER_WORKERS": 1,

  "BASE_PORT": 8300,
  "AGENT_PORT": 8279,

  "DB_SETTINGS": {
    "USE_MEMORY_DB": false,
    "NUM_VBUCKETS": 1000,

    "SENTINELS": [
      ["localhost", 18000]
    ],

    "SHARDS": [
      {"shard_name": "shard1", "vbuckets": [0,   499]},
      {"shard_name": "shard2", "vbuckets": [500, 999]}
    ]

  }

}
`;

/** docs/taba_agent_settings.json of the first Taba. */
const agentSettings = `{
  "AGENT_PORT": 8279,
  "AGENT_FLUSH_SECONDS": 1,
  "SERVER_ENDPOINTS": [
    {"host": "localhost", "port": 8300}
  ]
}
`;

interface Ports {
  readonly masters: readonly [number, number];
  readonly sentinel: number;
  readonly server: number;
  readonly agent: number;
}

async function freePorts(): Promise<Ports> {
  const [first, second] = [await freePort(), await freePort()];
  return {
    masters: [first, second],
    sentinel: await freePort(),
    server: await freePort(),
    agent: await freePort(),
  };
}

function onPorts(settings: string, { sentinel, server, agent }: Ports): string {
  return settings
    .replace('18000', String(sentinel))
    .replace('8300', String(server))
    .replace('8279', String(agent));
}

/** `redis-server --port …` saves now and then and appends nothing; Redis 7 wants `resolve-hostnames yes` for `localhost`. */
function redis({ masters, sentinel }: Ports): Promise<RedisCluster> {
  return startRedisCluster({
    shards: ['shard1', 'shard2'],
    replicas: 0,
    sentinels: 1,
    hostName: 'localhost',
    ports: { masters, sentinels: [sentinel] },
    config: ['appendonly no', 'save 3600 1 300 100 60 10000'],
  });
}

async function start(t: Test, ports: Ports): Promise<{ server: DaemonProcess; agent: DaemonProcess }> {
  const folder = t.testdir();
  writeFileSync(join(folder, 'server.json'), onPorts(serverSettings, ports));
  writeFileSync(join(folder, 'agent.json'), onPorts(agentSettings, ports));
  const json = ['--log-format', 'json'];
  const server = startDaemon(t, main, ['server', '--config', join(folder, 'server.json'), ...json]);
  const agent = startDaemon(t, main, ['agent', '--config', join(folder, 'agent.json'), ...json]);
  await Promise.all([server.event('ready'), agent.event('ready')]);
  return { server, agent };
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAtMs = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > giveUpAtMs) throw new Error(`waited 30 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

t.test('the settings files of the first Taba, on two shards behind a Sentinel', async (t) => {
  const ports = await freePorts();
  const cluster = await redis(ports);
  t.teardown(() => cluster.stop());
  const { server, agent } = await start(t, ports);
  t.match(
    server.lines.find(({ event }) => event === 'setting_assumed'),
    { setting: 'redis-wait', value: 0 },
  );
  const env = { TABA_SERVER: `localhost:${ports.server}` };
  const total = 200;
  const lines = Array.from(
    { length: total },
    (_, index) => `{"name": "example_${index % 20}", "value": ${index}, "client": "example_client"}`,
  );
  const agentUrl = `http://localhost:${ports.agent}`;
  const recorded = await fetch(`${agentUrl}/events`, { method: 'POST', body: lines.join('\n') });
  t.equal(recorded.status, 200);
  const names = async () => JSON.parse((await taba(['names', '--re', 'example_.*', '--json'], { env })).out);
  await until('all tabs', async () => (await names()).length === 20);
  await until('all events', async () => {
    const ran = await taba(['agg', '--re', 'example_.*', '--json'], { env });
    const tabs = Object.values(JSON.parse(ran.out) as Record<string, { '1d': { count: number } }>);
    return tabs.reduce((sum, tab) => sum + tab['1d'].count, 0) === total;
  });
  for (const { name, servers } of cluster.shards) {
    t.ok(Number(await servers[0]?.ask('dbsize')) > 0, `${name} holds its part`);
  }
  const clients = await taba(['clients'], { env });
  t.match(clients.out, /example_client/);
  t.match((await taba(['check'], { env })).code, 0);
  for (const daemon of [agent, server]) {
    daemon.kill('SIGTERM');
    t.same(await daemon.ended, [0, null]);
  }
});
