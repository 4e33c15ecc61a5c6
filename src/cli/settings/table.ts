import { hostname } from 'node:os';
import { defaultLimits } from '../../core/limits.js';
import {
  bytes,
  choice,
  duration,
  flag,
  hostAndPort,
  integer,
  jsonList,
  list,
  namedPaths,
  nodeUrl,
  path,
  port,
  type Role,
  roles,
  text,
} from './kinds.js';
import { redisSettings } from './redis-settings.js';
import {
  agents,
  type Daemon,
  dayMs,
  everywhere,
  hourMs,
  MiB,
  optional,
  type Setting,
  secondMs,
  servers,
  setting,
} from './setting.js';

export { type Daemon, daemons, type Setting } from './setting.js';

/**
 * The settings. A flag `--max-tabs`, a variable `TABA_MAX_TABS` and a key `"max-tabs"` in a settings file are the same
 * thing; a flag wins over the environment, the environment over the file, the file over the default.
 */
export const settings = {
  host: setting({
    kind: text('HOST', 'a host name or an address', /^[A-Za-z0-9._:-]+$/),
    of: everywhere,
    default: '127.0.0.1',
    description: 'where to listen; 0.0.0.0 opens the node to the network',
  }),
  port: setting({
    kind: port,
    of: everywhere,
    default: 8300,
    defaultOf: { agent: 8279 },
    description: 'port to listen on, 0 picks a free one',
  }),
  'agent-port': setting({
    kind: port,
    of: ['up'],
    default: 8279,
    description: 'port of the agent beside the server, 0 picks a free one',
  }),
  advertise: optional({
    kind: hostAndPort,
    of: everywhere,
    description: 'address under which others reach this node, where it is not host and port',
  }),
  role: setting<readonly Role[]>({
    kind: roles,
    of: ['server'],
    default: ['fe', 'be', 'ctrl'],
    description:
      'what this server does: fe takes events, be reduces and keeps them, ctrl is for queries only',
  }),
  workers: setting({
    kind: integer(1, 256),
    of: ['server'],
    default: 1,
    description:
      'processes to start, on consecutive ports (and, where given, advertised ones); more than one needs the redis store',
  }),
  store: setting<'embedded' | 'memory' | 'redis'>({
    kind: choice('embedded', 'memory', 'redis'),
    of: servers,
    default: 'embedded',
    description:
      'where States and journal are kept: embedded in a folder, redis in shards that servers share (as redis and sentinel imply), memory nowhere',
  }),
  data: setting({
    kind: path('DIR'),
    of: servers,
    default: './taba-data',
    description: 'folder of the embedded store, and of the spool of taba up',
  }),
  buckets: setting({
    kind: integer(1, 65_536),
    of: servers,
    default: 1000,
    description: 'virtual buckets; written into a store when it is made, and never to change afterwards',
  }),
  ...redisSettings,
  server: setting<readonly string[]>({
    kind: list(nodeUrl),
    of: ['agent'],
    default: ['http://127.0.0.1:8300'],
    description: 'servers to send to',
  }),
  mirror: optional<readonly string[]>({
    kind: list(nodeUrl),
    of: agents,
    description: 'servers of a second cluster that gets a copy of everything, best effort',
  }),
  'queues-per-server': setting({
    kind: integer(1, 64),
    of: ['agent'],
    default: 1,
    description:
      'connections per server; higher values use more cores of a server at the cost of smaller batches',
  }),
  spool: optional({
    kind: path('DIR'),
    of: agents,
    description:
      'folder that keeps accepted events over a crash of the agent; without one they are in memory only',
  }),
  'spool-fsync': setting({
    kind: flag,
    of: agents,
    default: false,
    description: 'flush the spool to the disk before answering: survives a power cut, at the cost of latency',
  }),
  'spool-max-age': setting({
    kind: duration(60 * secondMs, 30 * dayMs),
    of: agents,
    default: 5 * dayMs,
    description:
      'how old a numbered Block in the spool may become; must be shorter than the 7d after which servers forget',
  }),
  'statsd-port': optional({
    kind: port,
    of: everywhere,
    description:
      'port on which StatsD and DogStatsD come in, over UDP and TCP (8125 is usual); without it none do',
  }),
  'statsd-socket': optional({
    kind: path('FILE'),
    of: everywhere,
    description:
      'Unix socket on which StatsD and DogStatsD come in as datagrams, made by the node for everybody to write to',
  }),
  'statsd-receive-buffer': setting({
    kind: bytes(4096, 2 ** 30),
    of: everywhere,
    default: 4 * MiB,
    description:
      'what the kernel is asked to hold of UDP while the agent is busy; it grants up to net.core.rmem_max, and drops what does not fit',
  }),
  mapping: setting<readonly unknown[]>({
    kind: jsonList,
    of: everywhere,
    default: [],
    description:
      'rules by which metrics of StatsD and OTLP become tabs: a list of objects, of which the first whose "match" fits decides (see docs/statsd.md)',
  }),
  'otlp-client': setting({
    kind: text('KEY', 'the key of an attribute', /^[^\s]{1,255}$/),
    of: everywhere,
    default: 'host.name',
    description:
      'resource attribute of OTLP that is the client id; without it the node’s own client id counts',
  }),
  'otlp-resource': setting<readonly string[]>({
    kind: list(text('KEY', 'the key of an attribute', /^[^\s]{1,255}$/), 'none'),
    of: everywhere,
    default: ['service.name'],
    description:
      'resource attributes of OTLP that become part of the tab name, as every attribute of a data point does',
  }),
  'flush-interval': setting({
    kind: duration(10, 60 * secondMs),
    of: agents,
    default: 250,
    description: 'how often Parts are sealed and sent; higher values merge more at the cost of freshness',
  }),
  'client-id': setting({
    kind: text(
      'ID',
      'a client id of A-Z a-z 0-9 . _ ~ : / ? @ ! $ ( ) * + ; = -',
      /^[A-Za-z0-9._~:/?@!$()*+;=-]{1,1024}$/,
    ),
    of: everywhere,
    default: hostname(),
    description: 'client of events that name none; by default the name of this host',
  }),
  'checkpoint-interval': setting({
    kind: duration(100, hourMs),
    of: servers,
    default: 10 * secondMs,
    description:
      'how often States are written back; higher values write less at the cost of a longer recovery',
  }),
  'prune-client': setting({
    kind: duration(60 * secondMs, 366 * dayMs),
    of: servers,
    default: 48 * hourMs,
    description: "a client's State is forgotten so long after its last event",
  }),
  'prune-tab': setting({
    kind: duration(60 * secondMs, 3660 * dayMs),
    of: servers,
    default: 30 * dayMs,
    description: 'a tab is forgotten so long after its last event',
  }),
  'self-instrument': setting({
    kind: flag,
    of: everywhere,
    default: true,
    description: 'record what the node does as tabs of its own (taba_…)',
  }),
  'name-denylist': optional<readonly string[]>({
    kind: list(
      text('REGEX', 'a regular expression (RE2 syntax), matched from the beginning of the name'),
      'none',
    ),
    of: everywhere,
    description: 'tab names to refuse',
  }),
  'client-denylist': optional<readonly string[]>({
    kind: list(
      text('REGEX', 'a regular expression (RE2 syntax), matched from the beginning of the id'),
      'none',
    ),
    of: everywhere,
    description: 'client ids to refuse',
  }),
  'additional-handlers': optional<Readonly<Record<string, string>>>({
    kind: namedPaths,
    of: everywhere,
    description: 'tab types of your own; every node of a cluster needs the same',
  }),
  'max-body-bytes': setting({
    kind: bytes(1024, 1024 * MiB),
    of: everywhere,
    default: defaultLimits.maxBodyBytes,
    description: 'largest body of a request',
  }),
  'max-decompressed-bytes': setting({
    kind: bytes(1024, 1024 * MiB),
    of: everywhere,
    default: defaultLimits.maxDecompressedBytes,
    description: 'largest body after decompression',
  }),
  'max-frame-bytes': setting({
    kind: bytes(64 * 1024, 256 * MiB),
    of: everywhere,
    default: defaultLimits.maxFrameBytes,
    description: 'largest frame between nodes',
  }),
  'max-value-bytes': setting({
    kind: bytes(16, MiB),
    of: everywhere,
    default: defaultLimits.maxValueBytes,
    description: 'largest text value of an event',
  }),
  'max-name-bytes': setting({
    kind: bytes(16, 1024),
    of: everywhere,
    default: defaultLimits.maxNameBytes,
    description: 'longest name of a tab or a client',
  }),
  'max-result-bytes': setting({
    kind: bytes(64 * 1024, 1024 * MiB),
    of: everywhere,
    default: defaultLimits.maxResultBytes,
    description: 'largest answer to a query',
  }),
  'max-expression-bytes': setting({
    kind: bytes(16, 64 * 1024),
    of: everywhere,
    default: defaultLimits.maxExpressionBytes,
    description: 'longest regular expression of a query',
  }),
  'max-tabs': setting({
    kind: integer(1, 100_000_000),
    of: everywhere,
    default: defaultLimits.maxTabs,
    description: 'tabs that a node knows at most; events of further ones are rejected, counted and named',
  }),
  'max-clients': setting({
    kind: integer(1, 100_000_000),
    of: everywhere,
    default: defaultLimits.maxClients,
    description: 'clients that a node knows at most',
  }),
  'max-memory': optional({
    kind: bytes(64 * MiB, 1024 * 1024 * MiB),
    of: servers,
    description:
      'what the process (all workers together) may hold of States, their index and what waits; colder States stay in the store. By default half of the memory of the host or container, within what the heap limit of Node allows',
  }),
  'max-states-in-memory': optional({
    kind: integer(1000, 100_000_000),
    of: servers,
    description: 'States in memory at most, however small they are; by default only max-memory bounds them',
  }),
  weight: setting({
    kind: integer(0, 1000),
    of: servers,
    default: 1,
    description:
      'share of the buckets that a server with the role be gets, in proportion to the others; 0: none',
  }),
  'max-connections': setting({
    kind: integer(1, 1_000_000),
    of: everywhere,
    default: defaultLimits.maxConnections,
    description: 'connections that a process holds at most',
  }),
  'max-buffered-pairs': setting({
    kind: integer(1, 100_000_000),
    of: agents,
    default: 1_000_000,
    description: '(tab, client) pairs that may wait for a server; beyond it senders are asked to wait',
  }),
  'max-open-blocks': setting({
    kind: integer(1, 1024),
    of: everywhere,
    default: defaultLimits.maxOpenBlocksPerBucket,
    description: 'numbered Blocks per bucket that wait for their acknowledgement',
  }),
  'allowed-skew': setting({
    kind: duration(0, hourMs),
    of: everywhere,
    default: defaultLimits.allowedSkewSec * secondMs,
    description: 'how far ahead of the present a timestamp may be; beyond it the event counts at the present',
  }),
  'drain-deadline': setting({
    kind: duration(0, 10 * 60 * secondMs),
    of: everywhere,
    default: 20 * secondMs,
    description: 'how long SIGTERM may take to hand everything over',
  }),
  'log-level': setting<'debug' | 'info' | 'warn' | 'error'>({
    kind: choice('debug', 'info', 'warn', 'error'),
    of: everywhere,
    default: 'info',
    description: 'least severe line to log',
  }),
  'log-format': optional<'json' | 'pretty'>({
    kind: choice('json', 'pretty'),
    of: everywhere,
    description: 'by default pretty on a terminal, json elsewhere',
  }),
  profile: optional({
    kind: path('FILE'),
    of: everywhere,
    description: "write a CPU profile there when the process ends (open it in a browser's developer tools)",
  }),
};

export type SettingName = keyof typeof settings;

export type SettingValues = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer T> ? T : never;
};

export const settingNames = Object.keys(settings) as SettingName[];

export function settingsOf(daemon: Daemon): SettingName[] {
  return settingNames.filter((name) => settings[name].of.includes(daemon));
}
