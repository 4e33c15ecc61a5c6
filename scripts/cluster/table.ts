import { relative } from 'node:path';
import type { RedisCluster } from '../redis/redis-cluster.js';
import { aligned } from '../terminal/aligned.js';
import { shares } from './shares.js';
import type { NodeRole, TabaCluster } from './taba-cluster.js';

const duties: Readonly<Record<NodeRole, string>> = {
  fe: 'server: takes events',
  be: 'server: owns buckets',
  ctrl: 'server: queries',
  agent: 'agent, with a spool',
};

/** Every process: its name, what it does, its pid, its address. */
export async function describe(redis: RedisCluster, taba: TabaCluster, buckets: number): Promise<string> {
  const rows: string[][] = [];
  const ranges = shares(redis.shards.length, buckets);
  for (const [index, { name, servers }] of redis.shards.entries()) {
    const master = await redis.master(name);
    for (const server of servers) {
      const duty =
        server === master ? `Redis: master, buckets ${ranges[index]!.join(' to ')}` : 'Redis: replica';
      rows.push([server.name, duty, String(server.pid), `${redis.hostName}:${server.port}`]);
    }
  }
  for (const { name, pid, port } of redis.sentinels) {
    rows.push([name, 'Redis Sentinel', String(pid), `${redis.hostName}:${port}`]);
  }
  for (const { name, role, daemon, url } of taba.nodes)
    rows.push([name, duties[role], String(daemon.pid), url]);
  return aligned([['name', 'what', 'pid', 'address'], ...rows]);
}

/** Commands that work as they stand. */
export function whatToTry(redis: RedisCluster, taba: TabaCluster, program: readonly string[]): string {
  const command = program.map((word) => shortest(word)).join(' ');
  const [agent] = taba.with('agent');
  const [entrance] = taba.with('fe');
  const asked = taba.with('ctrl')[0] ?? entrance!;
  const [owner] = taba.with('be');
  const master = redis.shards[0]!.servers[0]!;
  const lines = [
    `${command} record bids 1.5 --server ${(agent ?? entrance!).url}`,
    `${command} agg bids --server ${asked.url}          (or any other server)`,
    `${command} servers --server ${asked.url}`,
    `${command} status --server ${asked.url}`,
    `${command} watch bids --server ${asked.url}`,
    ...(owner === undefined
      ? []
      : [`kill -9 ${owner.daemon.pid}          (${owner.name}: others take its buckets over)`]),
    `kill -9 ${master.pid}          (${master.name}: its replica takes over)`,
  ];
  return `\nTry, from another terminal:\n\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

/** A path as it is typed from here. */
function shortest(path: string): string {
  const near = relative(process.cwd(), path);
  return near.length < path.length && !near.startsWith('..') ? near : path;
}
