import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon, type LogLine } from '../process/daemon.js';
import { freePort } from '../process/free-port.js';
import type { RedisCluster } from '../redis/redis-cluster.js';
import { shares } from './shares.js';

export type NodeRole = 'fe' | 'be' | 'ctrl' | 'agent';

/** How many of each. */
export type NodeCounts = Readonly<Record<NodeRole, number>>;

export interface TabaClusterOptions {
  /** How Taba is run, such as ['dist/taba']. */
  readonly program: readonly string[];
  readonly redis: RedisCluster;
  readonly nodes: NodeCounts;
  /** For the spools. */
  readonly folder: string;
  /** Whether agents have spools; they do unless told. */
  readonly spools?: boolean;
  /** Gets a log for each node. */
  readonly logFolder?: string;
  readonly buckets?: number;
  /** Replicas that must have a write; 1 unless given. */
  readonly redisWait?: number;
  /** Further flags, by daemon. */
  readonly flags?: { readonly server?: readonly string[]; readonly agent?: readonly string[] };
  /** Where a node listens: a free port unless given. */
  readonly port?: (name: string, role: NodeRole) => Promise<number>;
  /** Asked once for each node: the port under which everybody reaches it; that of a proxy, say. Its own unless given. */
  readonly reachedAt?: (name: string, port: number) => Promise<number>;
  readonly onLog?: (node: string, line: LogLine) => void;
}

export interface TabaNode {
  /** fe1, be2, agent1, … */
  readonly name: string;
  readonly role: NodeRole;
  readonly daemon: Daemon;
  /** Its own address, past every proxy. */
  readonly url: string;
  /** Where the others reach it. */
  readonly reachedUrl: string;
}

/** The time that a node has for stopping in good order. */
const stopDeadlineMs = 30_000;

/** Servers of each role and agents, as real processes over Redis shards. */
export class TabaCluster {
  readonly nodes: readonly TabaNode[];

  private constructor(nodes: readonly TabaNode[]) {
    this.nodes = nodes;
  }

  /** Starts every node; resolves when all are ready. */
  static async start(options: TabaClusterOptions): Promise<TabaCluster> {
    const { nodes: counts, logFolder } = options;
    if (logFolder !== undefined) await mkdir(logFolder, { recursive: true });
    const servers: TabaNode[] = [];
    for (const role of ['fe', 'be', 'ctrl'] as const) {
      for (let index = 1; index <= counts[role]; index++) {
        servers.push(await makeNode(options, `${role}${index}`, role, serverFlags(options, role)));
      }
    }
    // Servers that are `ctrl` or `be` alone are not advertised for events.
    const entrances = servers.filter(({ role }) => role === 'fe').map(({ reachedUrl }) => reachedUrl);
    const agents: TabaNode[] = [];
    for (let index = 1; index <= counts.agent; index++) {
      const name = `agent${index}`;
      const spool = options.spools === false ? [] : ['--spool', join(options.folder, `${name}-spool`)];
      const flags = [...entrances.flatMap((url) => ['--server', url]), ...spool];
      agents.push(
        await makeNode(options, name, 'agent', ['agent', ...flags, ...(options.flags?.agent ?? [])]),
      );
    }
    const cluster = new TabaCluster([...servers, ...agents]);
    try {
      await Promise.all(servers.map(({ daemon }) => daemon.start()));
      await Promise.all(agents.map(({ daemon }) => daemon.start()));
    } catch (error) {
      await cluster.kill();
      throw error;
    }
    return cluster;
  }

  /** Those of the given roles; all servers without. */
  with(...roles: readonly NodeRole[]): TabaNode[] {
    const wanted: readonly NodeRole[] = roles.length > 0 ? roles : ['fe', 'be', 'ctrl'];
    return this.nodes.filter(({ role }) => wanted.includes(role));
  }

  node(name: string): TabaNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  /** In good order: agents hand over what they have, then the servers go. */
  async stop(): Promise<void> {
    await Promise.all(this.with('agent').map(({ daemon }) => daemon.stop(stopDeadlineMs)));
    await Promise.all(this.with().map(({ daemon }) => daemon.stop(stopDeadlineMs)));
  }

  /** At once. */
  async kill(): Promise<void> {
    await Promise.all(this.nodes.map(({ daemon }) => daemon.kill()));
  }
}

async function makeNode(
  options: TabaClusterOptions,
  name: string,
  role: NodeRole,
  command: readonly string[],
): Promise<TabaNode> {
  const { program, logFolder, onLog } = options;
  const port = (await options.port?.(name, role)) ?? (await freePort());
  const reached = (await options.reachedAt?.(name, port)) ?? port;
  const flags = ['--port', String(port), '--advertise', `127.0.0.1:${reached}`, '--log-format', 'json'];
  const daemon = new Daemon(name, [...program, ...command, ...flags], {
    ...(logFolder === undefined ? {} : { logFile: join(logFolder, `${name}.log`) }),
    ...(onLog === undefined ? {} : { onLog: (line) => onLog(name, line) }),
  });
  return {
    name,
    role,
    daemon,
    url: `http://127.0.0.1:${port}`,
    reachedUrl: `http://127.0.0.1:${reached}`,
  };
}

function serverFlags({ redis, buckets = 1000, redisWait = 1, flags }: TabaClusterOptions, role: string) {
  const ranges = shares(redis.shards.length, buckets);
  return [
    'server',
    ...['--role', role],
    ...['--buckets', String(buckets)],
    ...['--redis-wait', String(redisWait)],
    ...redis.sentinelAddresses.flatMap((address) => ['--sentinel', address]),
    ...redis.shards.flatMap(({ name }, index) => ['--shard', `${name}:${ranges[index]!.join('-')}`]),
    ...(flags?.server ?? []),
  ];
}
