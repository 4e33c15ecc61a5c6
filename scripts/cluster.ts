/**
 * `npm run cluster`: builds Taba and starts a whole cluster on this machine: Redis shards with replicas, sentinels, servers
 * of every role, agents. Says where everything is and what to try; stays up until Ctrl-C, which leaves nothing behind.
 *
 *   npm run cluster -- --shards 2 --replicas 1 --sentinels 3 --fe 2 --be 3 --ctrl 1 --agents 2
 *   npm run cluster -- --executable dist/taba        (does not build)
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { onStopSignals } from '../src/runtime/stop-signals.js';
import { buildExecutable } from './cluster/program.js';
import { type NodeRole, TabaCluster } from './cluster/taba-cluster.js';
import { describe, whatToTry } from './cluster/table.js';
import { isFree } from './process/free-port.js';
import { TemporaryFolder } from './process/temporary-folder.js';
import { type RedisCluster, startRedisCluster } from './redis/redis-cluster.js';

const { values: flags } = parseArgs({
  options: {
    executable: { type: 'string' },
    shards: { type: 'string', default: '2' },
    replicas: { type: 'string', default: '1' },
    sentinels: { type: 'string', default: '3' },
    fe: { type: 'string', default: '2' },
    be: { type: 'string', default: '3' },
    ctrl: { type: 'string', default: '1' },
    agents: { type: 'string', default: '2' },
    buckets: { type: 'string', default: '1000' },
  },
});

function count(name: keyof typeof flags, least: number): number {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`cluster: --${name} wants a whole number of at least ${least}, not ${flags[name]}`);
  process.exit(2);
}

const replicas = count('replicas', 0);
const redisOptions = { shards: count('shards', 1), replicas, sentinels: count('sentinels', 1) };
const nodes = { fe: count('fe', 1), be: count('be', 0), ctrl: count('ctrl', 0), agent: count('agents', 0) };
const buckets = count('buckets', redisOptions.shards);

/** The usual ports from these upwards, so that what the documentation says works as it stands; other ones where they are taken. */
const nextPort: Record<'server' | 'agent', number> = { server: 8300, agent: 8279 };

async function usualPort(_name: string, role: NodeRole): Promise<number> {
  const kind = role === 'agent' ? 'agent' : 'server';
  const limit = kind === 'agent' ? 8300 : 8400;
  while (nextPort[kind] < limit) {
    const port = nextPort[kind]++;
    if (await isFree(port)) return port;
  }
  throw new Error(`the ports up to ${limit} are taken`);
}

let interrupted = false;
const interruption = new Promise<void>((resolve) => {
  onStopSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], {
    onFirst: () => {
      console.error('stopping …');
      interrupted = true;
      resolve();
    },
    // What runs is killed when this process has ended.
    onSecond: () => process.exit(130),
  });
});

const folder = await TemporaryFolder.create('taba-cluster-');
let redis: RedisCluster | undefined;
let taba: TabaCluster | undefined;
try {
  const starting = start();
  await Promise.race([starting, interruption]);
  if (interrupted) await starting.catch(() => {});
  else await interruption;
} catch (error) {
  console.error(`cluster: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await taba?.stop();
  await redis?.stop();
  await folder.remove();
}

async function start(): Promise<void> {
  const { executable } = flags;
  if (executable === undefined) console.log('building dist/taba …');
  const program = executable === undefined ? await buildExecutable() : [resolve(executable)];
  if (interrupted) return;
  console.log('starting Redis …');
  redis = await startRedisCluster(redisOptions);
  if (interrupted) return;
  console.log('starting Taba …');
  taba = await TabaCluster.start({
    program,
    redis,
    nodes,
    folder: folder.path,
    logFolder: folder.path,
    buckets,
    redisWait: replicas,
    port: usualPort,
  });
  if (interrupted) return;
  for (const { name, daemon } of taba.nodes) {
    void daemon.ended().then(() => interrupted || console.log(`${name} ended (${daemon.ending})`));
  }
  console.log(await describe(redis, taba, buckets));
  console.log(whatToTry(redis, taba, program));
  console.log(`Logs and spools are in ${folder.path}. Ctrl-C ends it all.`);
}
